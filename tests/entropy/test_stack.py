import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vaezip.entropy.stack import MAX_PRECISION, Stack, StackExhausted, decoding, drop, slot_of
from vaezip.errors import FormatError

heads = st.integers(1 << 32, (1 << 64) - 1)
words = st.lists(st.integers(0, (1 << 32) - 1), max_size=6)


@st.composite
def intervals(draw):
    precision = draw(st.integers(1, MAX_PRECISION))
    freq = draw(st.integers(1, (1 << precision) - 1))
    start = draw(st.integers(0, (1 << precision) - freq))
    return start, freq, precision


def stack_of(head, below):
    return Stack.from_bytes(np.array(below, "<u4").tobytes() + head.to_bytes((head.bit_length() + 7) // 8, "little"))


def contents(stack):
    """The head, and the words below it."""
    data = stack.to_bytes()
    size = (len(data) - 5) // 4
    return int.from_bytes(data[4 * size :], "little"), np.frombuffer(data, "<u4", size).tolist()


def push(stack, start, freq, precision):
    stack.push(np.array([start]), np.array([freq]), precision)


def slot(stack, precision):
    return int(slot_of(np.uint64(contents(stack)[0]), np.uint64(precision)))


def pop(stack, start, freq, precision):
    stack.run(lambda head, *interval: drop(*head, *interval), *map(np.uint64, (start, freq, precision)))


@given(heads, words, intervals())
@example((1 << 64) - 1, [], (0, (1 << 32) - 1, 32))
@example((1 << 64) - 1, [], ((1 << 32) - 1, 1, 32))
@example(1 << 32, [], (0, 1, 1))
def test_pop_undoes_push(head, below, interval):
    stack = stack_of(head, below)
    push(stack, *interval)
    assert 1 << 32 <= contents(stack)[0] < 1 << 64
    start, freq, precision = interval
    assert start <= slot(stack, precision) < start + freq
    pop(stack, *interval)
    assert contents(stack) == (head, below)


@given(heads, words.filter(bool), intervals(), st.data())
def test_push_undoes_pop(head, below, interval, data):
    _, _, precision = interval
    stack = stack_of(head, below)
    place = slot(stack, precision)
    start = data.draw(st.integers(0, place))
    freq = data.draw(st.integers(place - start + 1, (1 << precision) - start))
    if freq == 1 << precision:
        return
    pop(stack, start, freq, precision)
    assert 1 << 32 <= contents(stack)[0] < 1 << 64
    push(stack, start, freq, precision)
    assert contents(stack) == (head, below)


@given(heads, words, st.lists(intervals(), max_size=40))
def test_it_is_a_stack(head, below, pushed):
    stack = stack_of(head, below)
    for interval in pushed:
        push(stack, *interval)
    for interval in reversed(pushed):
        pop(stack, *interval)
    assert contents(stack) == (head, below)


@given(st.lists(intervals(), min_size=1, max_size=30), st.integers(0, (1 << 32) - 1))
def test_an_array_is_pushed_in_its_order(pushed, seed):
    one_by_one, together = Stack(seed), Stack(seed)
    precision = pushed[0][2]
    pairs = [(s, f) for s, f, p in pushed if s + f <= 1 << precision and f < 1 << precision]
    for start, freq in pairs:
        push(one_by_one, start, freq, precision)
    together.push(np.array([s for s, _ in pairs]), np.array([f for _, f in pairs]), precision)
    assert contents(together) == contents(one_by_one)


def test_the_cost_is_the_information_of_the_interval():
    stack = Stack(1)
    before = stack.bits
    stack.push(np.full(10_000, 5), np.full(10_000, 3), 7)
    assert stack.bits - before == pytest.approx(10_000 * (7 - np.log2(3)), rel=1e-6)


def test_arrays_of_any_shape_and_order():
    starts = np.arange(12).reshape(3, 4)
    plain, reversed_view = Stack(), Stack()
    plain.push(np.ascontiguousarray(starts[:, ::-1]), np.ones((3, 4), np.int64), 4)
    reversed_view.push(starts[:, ::-1], np.ones((3, 4), np.int64), 4)
    assert contents(plain) == contents(reversed_view)


@given(heads, words)
@example((1 << 32) - 1 + 1, [])
@example((1 << 40) - 1, [7])
@example(1 << 40, [])
@example(1 << 48, [0])
@example(1 << 56, [])
@example((1 << 64) - 1, [0, 0])
def test_bytes_and_back(head, below):
    data = stack_of(head, below).to_bytes()
    assert len(data) == 4 * len(below) + (head.bit_length() + 7) // 8
    assert contents(Stack.from_bytes(data)) == (head, below)


@given(st.binary(max_size=24))
def test_bytes_are_a_stack_or_refused(data):
    try:
        stack = Stack.from_bytes(data)
    except FormatError:
        return
    assert 1 << 32 <= contents(stack)[0] < 1 << 64
    assert stack.to_bytes() == data


def test_a_stack_from_bytes_can_grow_and_leaves_the_bytes_alone():
    data = stack_of(1 << 63, [1, 2, 3]).to_bytes()
    stack = Stack.from_bytes(data)
    stack.push(np.zeros(5000, np.int64), np.ones(5000, np.int64), 32)
    assert len(contents(stack)[1]) >= 5000
    assert contents(Stack.from_bytes(data)) == (1 << 63, [1, 2, 3])


@pytest.mark.parametrize("seed", [0, 1, 0x80000000, 0xFFFFFFFF])
def test_a_new_stack_holds_its_seed_in_five_bytes(seed):
    stack = Stack(seed)
    assert stack.finish() == seed
    assert stack.bits == pytest.approx(32, abs=1.01)
    assert len(stack.to_bytes()) == 5
    push(stack, 3, 1, 5)
    with pytest.raises(FormatError, match=r"^the coded data is damaged$"):
        stack.finish()
    pop(stack, 3, 1, 5)
    assert stack.finish() == seed


@pytest.mark.parametrize(("head", "below"), [(1 << 32, [0]), (1 << 33, []), ((1 << 64) - 1, [])])
def test_more_than_a_seed_is_not_the_end(head, below):
    with pytest.raises(FormatError, match=r"^the coded data is damaged$"):
        stack_of(head, below).finish()


def test_exhaustion():
    stack = Stack(0)
    with pytest.raises(StackExhausted):
        pop(stack, 0, 1, 1)
    assert contents(stack) == (1 << 32, [])  # as it was


def test_a_decoder_that_runs_out_of_bits_has_damaged_data():
    with (
        pytest.raises(FormatError, match=r"^the coded data is damaged or truncated$"),
        decoding(Stack(0).to_bytes()) as s,
    ):
        pop(s, 0, 1, 1)
    with pytest.raises(FormatError, match=r"^the coded data is damaged or truncated$"), decoding(b"1234"):
        pass


def test_a_stack_of_words_has_the_first_for_its_seed_and_the_others_below():
    words = np.array([7, 8, 9], np.uint32)
    stack = Stack.from_words(words)
    assert contents(stack) == ((1 << 32) | 7, [8, 9])
    push(stack, 0, 1, 32)
    push(stack, 0, 1, 32)
    assert words.tolist() == [7, 8, 9]


def test_random_words_are_drawn_after_the_seed():
    noise = np.random.default_rng(5)
    head, below = (1 << 32) | int(noise.integers(0, 1 << 32)), noise.integers(0, 1 << 32, 9, dtype=np.uint32)
    assert contents(Stack.random(9, np.random.default_rng(5))) == (head, below.tolist())
