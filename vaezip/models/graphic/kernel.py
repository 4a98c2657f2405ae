"""Code the pixels of drawn pictures, a row at a time; encoder and decoder are one function."""

from __future__ import annotations

import numpy as np

from vaezip.entropy.decisions import IS_SHORT, coder_of, head_of
from vaezip.entropy.histories import decide, decide_here, learn
from vaezip.entropy.mixing import LINE_BITS
from vaezip.exact.jit import borrowing, inline, jit
from vaezip.models.graphic import contexts as ctx
from vaezip.models.graphic import matches
from vaezip.models.graphic.bilevel import DISTANT, code_bit, fill_windows, look
from vaezip.models.graphic.contexts import (
    BRIEF,
    FEW_CANDIDATES,
    FLAT,
    HERE,
    HIT,
    INDEX,
    LENGTH,
    MATCH,
    MISS,
    MOST_CANDIDATES,
    NE,
    NN,
    NW,
    PLACE,
    RANKS,
    REACHES,
    RECALLED,
    RUN,
    RUN_END,
    RUN_LENGTH,
    RUNS,
    SHAPE,
    SIDE,
    TOP,
    TRUST,
    WW,
    N,
    W,
)
from vaezip.models.graphic.samples import code_sample

MOST_DECISIONS = 80
"""Of a pixel."""


# Pictures of two levels have a kernel of their own, so that nobody compiles what another picture needs.


@jit
def code_rows(head, decodes, m, memory, arrays, numbers, made):
    """Pop rows of a picture, a kernel of :meth:`vaezip.entropy.stack.Stack.run`; or put the decisions of rows, twice
    the frequency of a 1 plus the bit, into ``made``."""
    coder = coder_of(head, decodes)
    _code_rows(m, coder, head[1], memory, arrays, numbers, made, np.zeros(MOST_CANDIDATES, np.int64))
    return head_of(coder)


@jit
def code_bilevel_rows(head, decodes, m, memory, arrays, numbers, made):
    """Pop rows of a picture of two levels, or put their decisions into ``made``, as :func:`code_rows` does."""
    coder = coder_of(head, decodes)
    _code_bilevel_rows(m, coder, head[1], memory, arrays, numbers, made)
    return head_of(coder)


@borrowing
def _code_rows(m, coder, words, memory, arrays, numbers, made, candidates):
    """Code rows of a picture.

    Args:
        m: what has been learned.
        coder: whether it decodes, and the head of the stack.
        words: of the stack.
        memory: what followed which neighbours: pixels and, in the lowest bits, their trust, by the four sizes; the
            places of the largest; and the counts of :mod:`.colours`.
        arrays: all pixels and their ranks, with margins; the pixels as a row; and what is known of one pixel.
        numbers: the picture, the first row and the end, the width, channels or levels, whether pixels are indices, and
            the distant places, rows up and columns to the right, and whether decisions ask fewer contexts.
        made: decisions, and their number.
        candidates: room for so many.
    """
    pixels, ranks, s = arrays[0][numbers[0]], arrays[1][numbers[0]], arrays[3]
    s[BRIEF] = numbers[6 + 2 * DISTANT]
    end = SIDE + numbers[3]
    for y in range(numbers[1] + TOP, numbers[2] + TOP):
        here = _begin_row(s, pixels, numbers[0], y)
        x = SIDE
        while x < end:
            if coder[IS_SHORT]:
                return
            s[HERE] = here + x
            if ctx.may_run(s, pixels, y, x, end) and _code_run(m, coder, words, made, s, arrays, numbers, y, x):
                x += RUN_LENGTH
                continue
            _code_pixel(m, coder, words, memory, arrays, numbers, made, s, candidates, pixels, ranks, y, x)
            x += 1
        _end_row(pixels, y, end)


@borrowing
def _code_bilevel_rows(m, coder, words, memory, arrays, numbers, made):
    """Code rows of a picture of two levels; the arguments are those of :func:`_code_rows`."""
    pixels, s = arrays[0][numbers[0]], arrays[3]
    for i in range(2 * DISTANT):
        s[REACHES + i] = numbers[6 + i]
    s[BRIEF] = numbers[6 + 2 * DISTANT]
    end = SIDE + numbers[3]
    for y in range(numbers[1] + TOP, numbers[2] + TOP):
        here = _begin_row(s, pixels, numbers[0], y)
        fill_windows(s, pixels, y, SIDE)
        x = SIDE
        while x < end:
            if coder[IS_SHORT]:
                return
            s[HERE] = here + x
            if ctx.may_run(s, pixels, y, x, end) and _code_run(m, coder, words, made, s, arrays, numbers, y, x):
                x += RUN_LENGTH
                fill_windows(s, pixels, y, x)
                continue
            _code_bit(m, coder, words, memory, arrays, made, s, pixels, y, x)
            x += 1
        _end_row(pixels, y, end)


@inline
def _begin_row(s, pixels, picture, y):
    """Fill the margin before a row, and return where it begins among the rows of all pictures."""
    for x in range(SIDE):
        pixels[y, x] = pixels[y - 1, SIDE]
    s[LENGTH] = s[RUN_END] = 0
    return (picture * pixels.shape[0] + y) * pixels.shape[1]


@inline
def _end_row(pixels, y, end):
    """Fill the margin behind a row."""
    for x in range(end, end + SIDE):
        pixels[y, x] = pixels[y, end - 1]


@borrowing
def _code_run(m, coder, words, made, s, arrays, numbers, y, x):
    """Code whether a run of pixels are that to the left."""
    pixels, ranks = arrays[0][numbers[0]], arrays[1][numbers[0]]
    colour, same = pixels[y, x - 1], 1
    for i in range(x, x + RUN_LENGTH):
        if pixels[y, i] != colour:
            same = 0
    count = ctx.run_contexts(m, s, pixels, arrays[2], y, x)
    same = decide(m, coder, words, made, count, 0, RUN, 1232, same)
    s[RUNS] = (2 * s[RUNS] + same) & 15
    if not same:
        s[RUN_END] = x + RUN_LENGTH
        return False
    for i in range(x, x + RUN_LENGTH):
        pixels[y, i] = colour
        ranks[y, i] = 0
    s[PLACE] += RUN_LENGTH
    return True


@borrowing
def _code_bit(m, coder, words, memory, arrays, made, s, pixels, y, x):
    look(s, pixels, y, x)
    matches.follow(s, memory[1], arrays[2])
    value = code_bit(m, coder, words, made, s, pixels, y, x, np.int64(pixels[y, x]))
    pixels[y, x] = value
    matches.go_on(s, value)


@borrowing
def _code_pixel(m, coder, words, memory, arrays, numbers, made, s, candidates, pixels, ranks, y, x):
    value = np.int64(pixels[y, x])
    ctx.look_around(s, pixels, ranks, y, x)
    count = tested = 0
    flat = ctx.is_flat(s)
    if flat:
        if s[LENGTH]:
            matches.follow_on(s, arrays[2])
        else:
            ctx.hash_neighbours(s, pixels, y, x)
            matches.follow(s, memory[1], arrays[2])
        contexts = ctx.flat_contexts(m, s, pixels, y, x)
        if decide(m, coder, words, made, contexts, 0, FLAT, min(s[LENGTH], 15), 1 if value == s[W] else 0):
            pixels[y, x], ranks[y, x] = s[W], 0
            matches.go_on(s, s[W])
            return
        candidates[0] = s[W]
        count = tested = 1
    ctx.hash_neighbours(s, pixels, y, x)
    matches.ask(s, memory)
    s[SHAPE] = ctx.shape_of(s)
    ctx.hit_lines(m, s)
    learn(m)  # from the last decision, while the memory comes that was asked for
    if not flat:
        matches.follow(s, memory[1], arrays[2])
    matches.recall(s, memory[0])
    count = _candidates(s, candidates, count)
    if s[BRIEF]:
        count = min(count, FEW_CANDIDATES)
    rank = _code_hits(m, coder, words, made, s, candidates, tested, count, value)
    if rank < MISS:
        value = candidates[rank]
    elif numbers[5]:
        value = _code_index(m, coder, words, made, s, candidates, count, numbers[4], value)
    else:
        value = code_sample(m, coder, words, made, s, memory[2], numbers[4], value)
    pixels[y, x], ranks[y, x] = value, rank + 1
    matches.learn(s, memory[0], value)
    matches.go_on(s, value)


@borrowing
def _code_hits(m, coder, words, made, s, candidates, tested, count, value):
    """Code which candidate a pixel is, from one of them on, and return its number, or MISS."""
    for k in range(tested, count):
        contexts = ctx.hit_contexts(m, s, candidates[k], k)
        correction = 16 + 8 * k + min(s[LENGTH], 7)
        if decide_here(m, coder, words, made, 0, contexts, 0, HIT, correction, 1 if value == candidates[k] else 0):
            return k
    return MISS


@inline
def _add(candidates, count, value):
    """Append a candidate that is not there yet, and return how many there are."""
    if value < 0 or count == MOST_CANDIDATES:
        return count
    for i in range(count):
        if candidates[i] == value:
            return count
    candidates[count] = value
    return count + 1


@borrowing
def _candidates(s, candidates, count):
    """List the pixels that this one may be, the likeliest first, and return how many there are."""
    if s[LENGTH] > 15:
        count = _add(candidates, count, s[MATCH])
    for i in range(3):
        if s[TRUST + i] > 1:
            count = _add(candidates, count, s[RECALLED + i])
    count = _add(candidates, count, s[W])
    count = _add(candidates, count, s[N])
    count = _add(candidates, count, s[RECALLED])
    count = _add(candidates, count, s[RECALLED + 1])
    count = _add(candidates, count, s[RECALLED + 2])
    count = _add(candidates, count, s[NE])
    count = _add(candidates, count, s[NW])
    count = _add(candidates, count, s[RECALLED + 3])
    count = _add(candidates, count, s[MATCH])
    count = _add(candidates, count, s[WW])
    return _add(candidates, count, s[NN])


@borrowing
def _left(candidates, count, first, end):
    """Count the values from first to end that are no candidates."""
    left = end - first
    for i in range(count):
        if first <= candidates[i] < end:
            left -= 1
    return left


@borrowing
def _code_index(m, coder, words, made, s, candidates, count, levels, value):
    """Code an index that is none of the candidates, from its highest bit; what nothing else is left for takes none."""
    contexts = ctx.index_contexts(m, s)
    bits = 0
    while (1 << bits) < levels:
        bits += 1
    line, node, first = 0, 1, 0
    for i in range(bits - 1, -1, -1):
        middle = first + (1 << i)
        end = min(middle + (1 << i), levels)
        if _left(candidates, count, middle, max(end, middle)) == 0:
            bit = 0
        elif _left(candidates, count, first, middle) == 0:
            bit = 1
        else:
            known = (1 << (bits - 1 - i)) | (first >> (i + 1))
            m.choices[0] = 512 + known
            m.choices[1] = 960 + i * 8 + (s[RANKS] >> 9)
            m.choices[2] = 648 + i
            place = (line << LINE_BITS) | node
            bit = decide(m, coder, words, made, contexts, place, INDEX, 256 + known, (value >> i) & 1)
        node = 2 * node + bit
        if node >> LINE_BITS:
            line, node = node, 1
        first += bit << i
    return first
