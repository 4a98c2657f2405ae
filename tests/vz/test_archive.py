import contextlib
import dataclasses
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.vz import hostile
from vaezip.errors import FormatError, VaezipError
from vaezip.vz import archive as vz
from vaezip.vz import limits, records, wire
from vaezip.vz.archive import inline_header, parse, write_archive
from vaezip.vz.records import NO_MODEL, Block, Group

fingerprints = st.binary(min_size=4, max_size=4)
sides = st.integers(1, 300) | st.integers(1, 1 << 14)
box_lists = st.lists(st.tuples(st.integers(0, 7), st.binary(max_size=30)), max_size=4).map(tuple)
words = st.text(max_size=8) | st.sampled_from(["", "scan", "IMG_", "0", "9", "007", "ü", "日本", "a/b", ".png", "\n"])
# Payloads are never empty: they hold at least a checksum.
payloads = st.binary(min_size=5, max_size=40)


@st.composite
def numbered(draw):
    """A run such as 0098.png … 0103.png."""
    before, after = draw(words), draw(words)
    first, count = draw(st.integers(0, 120)), draw(st.integers(1, 12))
    width = draw(st.integers(0, 5))
    return [f"{before}{i:0{width}d}{after}" for i in range(first, first + count)]


@st.composite
def name_lists(draw):
    runs = draw(st.lists(numbered() | st.lists(words, max_size=4), max_size=4))
    return list(dict.fromkeys(name for run in runs for name in run)) or ["x"]


@st.composite
def groups(draw):
    names = draw(name_lists())
    height = draw(sides)
    banded = draw(st.booleans())
    band = draw(st.integers(max(1, height // 4), height)) if banded else height
    per_block = 1 if band < height else draw(st.integers(1, 9))
    group = Group(draw(st.integers(0, 20)), height, draw(sides), per_block, band, names)
    group.boxes = [draw(box_lists) for _ in names[:3]] + [()] * (len(names) - 3)
    group.boxes = group.boxes[: len(names)]
    shapes = draw(st.lists(st.tuples(fingerprints, payloads), min_size=1, max_size=3))
    group.blocks = [Block(*shapes[i % len(shapes)]) for i in range(group.block_count)]
    return group


# Archives


@given(st.lists(groups(), min_size=1, max_size=3), st.text(max_size=9))
@settings(max_examples=60)
def test_archive_and_back(written, called):
    models = {block.model: called for group in written for block in group.blocks}
    file = parse(write_archive(written, models))
    assert not file.inline
    assert file.groups == written
    assert file.model_names == models


@given(name_lists())
@example([f"{i:05d}.png" for i in range(3)] + [f"{i}.png" for i in range(9, 12)])
@example(["9", "10", "11", "011", "012"])
@example(["a1b2", "a1b3", "a2b4"])
@example(["123456789012345678901234567890", "123456789012345678901234567891"])
@example(["999999999999999", "1000000000000000"])
@example(["٣", "٤"])  # digits, but not of ASCII
@example(["a\x00b", "", " "])
def test_names_and_back(names):
    group = Group(2, 5, 6, len(names), 5, names, [()] * len(names), [Block(NO_MODEL, b"12345")])
    assert parse(write_archive([group], {})).groups[0].names == names


def test_numbered_names_cost_next_to_nothing():
    names = [f"digit-{i:05d}.png" for i in range(10_000)]
    group = Group(2, 28, 28, 10_000, 28, names, [()] * len(names), [Block(NO_MODEL, b"12345")])
    assert len(write_archive([group], {})) < 100


def test_a_box_that_many_share_is_stored_once():
    profile = bytes(range(256)) * 4
    group = Group(2, 5, 5, 50, 5, [f"{i}" for i in range(50)], [((2, profile),)] * 50, [Block(NO_MODEL, b"12345")])
    assert len(write_archive([group], {})) < 600


def simple(names=("a", "b"), payload=b"payload", **changes):
    group = Group(3, 10, 10, 4, 10, list(names), [()] * len(names), [Block(b"\1\2\3\4", payload)])
    return dataclasses.replace(group, **changes)


def test_every_truncation_is_refused():
    data = write_archive([simple()], {})
    for length in range(len(data)):
        with pytest.raises(FormatError):
            parse(data[:length])


def test_every_flipped_bit_outside_of_the_payload_is_refused():
    data = write_archive([simple()], {})
    for place in range(8 * len(data)):
        if 6 <= place // 8 < 13 or place == 8 * 5:  # the payload and the layout, which the codec checks
            continue
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(FormatError):
            parse(bytes(damaged))


def test_bytes_in_the_middle_or_after_the_end_are_refused():
    data = write_archive([simple()], {})
    for changed in (data + b"\0", data[:6] + b"\0" + data[6:], data[:9] + data[10:]):
        with pytest.raises(FormatError):
            parse(changed)


# Models in an archive


def v(*values):
    return b"".join(map(wire.varint, values))


MODEL = v(1) + b"\1\2\3\4" + v(0)
GOOD = MODEL + v(0, 1) + v(3, 10, 10, 4, 10, 2)
NAMES = v(2, 0, 0) + b"\0" + v(7)
BLOCKS = v(0, 7) + v(0)


@given(st.lists(groups(), min_size=1, max_size=3), st.data())
@settings(max_examples=60)
def test_models_and_back(written, data):
    used = sorted({block.model for group in written for block in group.blocks} - {NO_MODEL})
    embedded = {fingerprint: data.draw(st.binary(max_size=50)) for fingerprint in used if data.draw(st.booleans())}
    file = parse(write_archive(written, {}, embedded))
    assert file.groups == written
    assert {fingerprint: model.unpack() for fingerprint, model in file.embedded.items()} == embedded


def test_a_file_without_models_is_as_ever():
    """The bytes of a file of format version 5."""
    by_hand = GOOD + NAMES + BLOCKS
    expected = b"\xf5z\r\n\x09\x01payload\0" + by_hand
    written = write_archive([simple(names=("7", "8"))], {}, {})
    assert written[: len(expected)] == expected
    assert write_archive([simple(names=("7", "8"))]) == written


WITH_MODEL = b"\xf5z\r\n\x09\x03"
MODEL_FILE = b"a model"


def with_model(embedded=b"", model=b"\0" + MODEL_FILE, directory=None):
    """An archive whose directory ends in ``embedded``."""
    stored = b"\0" + (directory or GOOD + NAMES + BLOCKS) + embedded
    trailer = struct.pack("<II", zlib.crc32(stored), len(stored))
    return WITH_MODEL + b"payload" + model + stored + trailer


def entry(index=0, length=8, checksum=None):
    return v(index, length) + struct.pack("<I", zlib.crc32(b"\0" + MODEL_FILE) if checksum is None else checksum)


def test_a_model_by_hand():
    data = with_model(v(1) + entry())
    assert write_archive([simple(names=("7", "8"))], {}, {b"\1\2\3\4": MODEL_FILE}) == data
    assert parse(data).embedded[b"\1\2\3\4"].unpack() == MODEL_FILE


def test_a_damaged_model_leaves_the_rest_readable():
    file = parse(with_model(v(1) + entry(checksum=0)))
    assert file.groups == [simple(names=("7", "8"))]
    with pytest.raises(FormatError, match=r"^the model in the file is damaged$"):
        file.embedded[b"\1\2\3\4"].unpack()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (with_model(), "truncated or damaged"),
        (with_model(v(1) + entry(index=1)), "does not hold"),
        (with_model(v(1) + entry(length=9)), "truncated or damaged"),
        (with_model(v(1) + entry(length=7)), "does not list"),
        (with_model(v(2) + entry() * 2, (b"\0" + MODEL_FILE) * 2), "impossible model"),
        (
            with_model(v(1) + entry(), directory=GOOD.replace(b"\1\2\3\4", NO_MODEL) + NAMES + BLOCKS),
            "impossible model",
        ),
        (with_model(v(0)), "does not list"),
        (with_model(v(1) + entry() + b"\0"), "unknown field at its end"),
        (with_model(v(1 << 40)), "truncated or damaged"),
        (with_model(v(1) + entry()).replace(WITH_MODEL, b"\xf5z\r\n\x09\x01"), "unknown field at its end"),
        (with_model(v(1) + entry()).replace(WITH_MODEL, b"\xf5z\r\n\x09\x43"), "unknown field 0x43"),
    ],
)
def test_an_impossible_model_is_refused(data, reason):
    with pytest.raises(FormatError, match=reason):
        parse(data)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"", "unknown compression of the model in the file"),
        (b"\2x", "unknown compression of the model in the file"),
        (b"\1x", "the model in the file is damaged"),
        (b"\1" + zlib.compress(b"x")[:-1], "the model in the file is damaged or too large"),
    ],
)
def test_a_model_that_cannot_be_unpacked_is_refused(packed, reason):
    with pytest.raises(FormatError, match=reason):
        records.Embedded(packed, True).unpack()


def test_a_small_model_cannot_ask_for_much_memory(limited_memory):
    packed = b"\1" + zlib.compress(bytes(1 << 28), 9)
    with limited_memory(3 << 26), pytest.raises(FormatError, match="too large"):
        records.Embedded(packed, True).unpack()


def test_a_model_that_could_not_be_read_is_not_written(monkeypatch):
    monkeypatch.setattr(limits, "MAX_MODEL", 6)
    with pytest.raises(VaezipError, match="more than the 0 that a file can hold") as raised:
        write_archive([simple()], {}, {b"\1\2\3\4": MODEL_FILE})
    assert raised.value.remedy == "not-embedded"


# Times

times = st.none() | st.integers(limits.FIRST_TIME, limits.LAST_TIME)


@given(st.lists(groups(), min_size=1, max_size=3), st.data())
@settings(max_examples=60)
def test_times_and_back(written, data):
    for group in written:
        group.times = [data.draw(times) for _ in group.names]
    assert parse(write_archive(written)).groups == written


def test_the_first_and_the_last_time_are_kept():
    told = [limits.FIRST_TIME, limits.LAST_TIME, None, -1, 0]
    written = simple(names="abcde", per_block=5, times=told)
    assert parse(write_archive([written])).groups[0].times == told


def test_a_file_without_times_is_as_ever():
    without = write_archive([simple()])
    assert parse(without).groups[0].times == []
    assert write_archive([simple(times=[])]) == without


def test_equal_times_cost_next_to_nothing():
    names = [f"{i:05d}.png" for i in range(10_000)]
    group = Group(2, 28, 28, 10_000, 28, names, [()] * len(names), [Block(NO_MODEL, b"12345")])
    without = len(write_archive([group]))
    group.times = [1_700_000_000] * len(names)
    assert len(write_archive([group])) < without + 50


def timed(archive_of, listed):
    return archive_of(GOOD + NAMES + BLOCKS + listed, b"payload").replace(b"\xf5z\r\n\x09\x01", b"\xf5z\r\n\x09\x05")


def test_times_by_hand(archive_of):
    assert parse(timed(archive_of, v(2 * 100 + 1, 2 * 30))).groups[0].times == [100, 70]


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (b"", "truncated"),
        (v(0), "truncated"),
        (v(0, 0, 0), "unknown field at its end"),
        (v(0, 2 * limits.LAST_TIME + 3), "impossible time"),
        (v(0, 1 - 2 * limits.FIRST_TIME + 1), "impossible time"),
        (v(2 * limits.LAST_TIME + 1, 3), "impossible time"),
        (v(0, 1 << 62) + bytes(9), "impossible time"),
    ],
)
def test_impossible_times_are_refused(archive_of, listed, reason):
    with pytest.raises(FormatError, match=reason):
        parse(timed(archive_of, listed))


# Inline


@given(
    st.integers(0, 15),
    st.none() | st.tuples(sides, sides),
    box_lists,
    fingerprints,
    st.binary(min_size=5, max_size=20),
    st.text(max_size=9),
)
def test_inline_and_back(mode, size, boxes, fingerprint, payload, called):
    height, width = size or (0, 0)
    header = inline_header(Group(mode, height, width, boxes=[boxes], blocks=[Block(fingerprint, b"")]), called)
    file = parse(header + payload)
    assert file.inline
    assert file.header == header
    (group,) = file.groups
    assert (group.mode, group.height, group.width) == (mode, height, width)
    assert (group.names, group.boxes, group.blocks) == ([""], [boxes], [Block(fingerprint, payload)])
    assert group.block_count == 1
    assert file.model_names == ({fingerprint: called} if called else {})


def test_the_smallest_header():
    header = inline_header(Group(0, 0, 0, boxes=[()], blocks=[Block(b"\1\2\3\4", b"")]))
    assert header == b"\xf5z\r\n\x09\x02\1\2\3\4"


def test_truncated_headers_are_refused():
    header = inline_header(Group(3, 300, 200, boxes=[((1, b"text"),)], blocks=[Block(b"\1\2\3\4", b"")]))
    whole = header + bytes(5)
    for length in range(len(whole)):
        with pytest.raises(FormatError):
            parse(whole[:length])
    assert parse(whole).header == header


# Refusals


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "not a .vz file"),
        (b"\xf5z\n\n\x01\x02", "not a .vz file"),
        (b"\x75z\r\n\x01\x02", "not a .vz file"),  # the high bit was stripped
        (b"\xf5z\n\x01\x02\1\2\3\4", "not a .vz file"),  # CR LF was turned into LF
        (b"\xf6z\r\n\x02\1\2\3\4", "version 6 is newer than this vaezip, which reads version 5; use a newer release"),
        (b"\xf1z\r\n\x02\1\2\3\4", "version 1, of a release before 0.2, is not read any more; use the release that"),
        (b"\xf4z\r\n\x02\1\2\3\4", "version 4, of a release before 0.2, is not read any more; use the release that"),
        (b"\xf5z\r\n\x00\x02\1\2\3\4", "revision 0 of the draft of format 5 is not read, .* has revision 9; use the"),
        (b"\xf5z\r\n\x0a\x02\1\2\3\4", "revision 10 of the draft of format 5 is not read, .* has revision 9; use the"),
        (b"\xf5z\r\n\x09\x11\1\2\3\4", "unknown field 0x11"),
        (b"\xf5z\r\n\x09\x08\1\2\3\4", "unknown field 0x08"),
        (b"\xf5z\r\n", "truncated"),
        (b"\xf5z\r\n\x09", "truncated"),
        (b"\xf5z\r\n\x09\x01", "truncated"),
        (b"\xf5z\r\n\x09\x00\0\0\0\0\x00\x05", "side"),
        (b"\xf5z\r\n\x09\x00\0\0\0\0" + b"\xff" * 10, "too large"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(data, reason):
    with pytest.raises(FormatError, match=reason):
        parse(data)


def test_a_directory_by_hand(archive_of):
    file = parse(archive_of(GOOD + NAMES + BLOCKS, b"payload"))
    assert file.groups == [simple(names=("7", "8"))]


@pytest.mark.parametrize(
    ("directory", "reason"),
    [
        (GOOD + NAMES + BLOCKS + b"\0", "unknown field at its end"),
        (GOOD + NAMES + v(1, 7, 0), "does not hold"),
        (GOOD + NAMES + v(0, 6, 0), "does not list"),
        (GOOD + NAMES + v(0, 8, 0), "truncated or damaged"),
        (GOOD + NAMES + v(0, 4, 0), "empty block"),
        (GOOD + v(3, 0, 0) + b"\0" + v(7) + BLOCKS, "impossible names"),
        (GOOD + v(0, 0, 0) + b"\0" + v(7) + BLOCKS, "names"),
        (GOOD + NAMES + v(0, 7, 1, 2, 0, 0), "metadata|hold"),
        (MODEL + v(0, 1) + v(3, 10, 10, 0, 10, 2) + NAMES + BLOCKS, "impossible"),
        (MODEL + v(0, 1) + v(3, 10, 10, 4, 11, 2) + NAMES + BLOCKS, "impossible"),
        (MODEL + v(0, 1) + v(3, 10, 10, 4, 5, 2) + NAMES + BLOCKS, "impossible"),
        (MODEL + v(0, 1) + v(3, 10, 10, 4, 10, 0) + BLOCKS, "impossible"),
        (MODEL + v(0, 1) + v(3, 0, 10, 4, 10, 2) + NAMES + BLOCKS, "side"),
        (MODEL + v(0, 1) + v(3, 10, 1 << 31, 4, 10, 2) + NAMES + BLOCKS, "side"),
        (GOOD + v(2, 1) + b"\xff" + v(0) + b"\0" + v(7) + BLOCKS, "UTF-8"),
        (MODEL + v(0, 0), "lists no picture"),
        (b"", "damaged|truncated"),
    ],
)
def test_an_inconsistent_directory_is_refused(archive_of, directory, reason):
    with pytest.raises(FormatError, match=reason):
        parse(archive_of(directory, b"payload"))


@pytest.mark.parametrize(("count", "reason"), [(1 << 10, None), ((1 << 10) + 1, "truncated or damaged")])
def test_a_directory_lists_at_most_1024_models(archive_of, count, reason):
    models = v(count) + b"".join(struct.pack("<I", 0x04030201 + i) + v(0) for i in range(count))
    data = archive_of(models + GOOD[len(MODEL) :] + NAMES + BLOCKS, b"payload")
    with pytest.raises(FormatError, match=reason) if reason else contextlib.nullcontext():
        assert parse(data).groups == [simple(names=("7", "8"))]


# A small file may not ask for more than a sane amount of memory.

HUGE = 1 << 40
BOMBS = {
    "pictures": MODEL + v(0, 1) + v(3, 1, 1, HUGE, 1, HUGE) + v(HUGE, 0, 0) + b"\0" + v(7) + v(0, 7, 0),
    "pictures without names": MODEL + v(0, 1) + v(3, 1, 1, 1 << 62, 1, 1 << 62),
    "long names": MODEL
    + v(0, 1)
    + v(3, 1, 1, 1 << 16, 1, 1 << 16)
    + v(1 << 16, 1 << 16)
    + b"x" * (1 << 16)
    + v(0)
    + b"\0"
    + v(7)
    + v(0, 7, 0),
    "wide numbers": MODEL + v(0, 1) + v(3, 1, 1, 1 << 22, 1, 1 << 22) + v(1 << 22, 0, 0) + b"\xfe" + v(7),
    "pictures of many groups": MODEL
    + v(0, 1 << 10)
    + (v(3, 1, 1, 1 << 20, 1, 1 << 20, 1 << 20, 0, 0) + b"\0" + v(7, 0, 5, 0)) * (1 << 10),
    "boxes of many groups": MODEL
    + v(1, 0, 1 << 8)
    + (v(3, 1, 1, 1, 1, 1, 1, 0, 0) + b"\0" + v(7, 0, 5, 1 << 13) + bytes(3 << 13)) * (1 << 8),
    "models": v(1 << 23) + bytes(5 << 23),
    "contents": MODEL + v(1 << 25) + bytes(1 << 25),
    "blocks": MODEL + v(0, 1) + v(3, 1 << 24, 1, 1, 1, 1) + v(1, 0, 0) + b"\0" + v(7) + bytes(2 << 24),
}


def packed_archive(directory, payload=b""):
    packed = b"\1" + zlib.compress(directory, 9)
    return b"\xf5z\r\n\x09\x01" + payload + packed + struct.pack("<II", zlib.crc32(packed), len(packed))


REFUSALS = {
    "pictures": "pictures are more than a file of",
    "pictures without names": "pictures are more than a file of",
    "long names": "a name in it has more than 4,095 bytes",
    "wide numbers": "pictures are more than a file of",
    "pictures of many groups": "pictures are more than a file of",
    "boxes of many groups": "pieces of metadata",
    "models": "truncated or damaged",
    "contents": "truncated or damaged",
    "blocks": "more blocks than the file holds",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_directory_cannot_ask_for_much_memory(bomb, limited_memory):
    with limited_memory(3 << 28), pytest.raises(FormatError, match=REFUSALS[bomb]):
        parse(packed_archive(BOMBS[bomb], bytes(5 << 10)))


def test_many_empty_boxes_are_refused(limited_memory):
    boxes = zlib.compress(bytes(1 << 26), 9)
    inline = b"\xf5z\r\n\x09\x04\0\0\0\0" + v(1, 1) + v(len(boxes) + 1) + b"\1" + boxes
    with limited_memory(3 << 28), pytest.raises(FormatError, match="pieces of metadata"):
        parse(inline)


def test_what_could_not_be_read_is_not_written(monkeypatch):
    """Metadata above the limit of the reader."""
    monkeypatch.setattr(limits, "MAX_DIRECTORY", 1000)
    boxes = ((2, bytes(2000)),)
    with pytest.raises(VaezipError):
        inline_header(Group(2, 5, 5, boxes=[boxes], blocks=[Block(NO_MODEL, b"")]))
    with pytest.raises(VaezipError):
        write_archive([simple(boxes=[boxes, boxes])], {})


@pytest.mark.parametrize(
    ("what", "groups"),
    [
        ("pictures", [simple(names=("a", "b")), simple(names=("c", "d"), height=11, band=11)]),
        ("bytes of names", [simple(names=("a" * 99,), boxes=[()])]),
        ("pieces of metadata", [simple(boxes=[((2, b"a"),), ((2, b"a"), (3, b"b"), (4, b"c"))])]),
        ("bytes of metadata", [simple(boxes=[((2, b"ab"),), ((2, b"ab"),)])]),
    ],
)
def test_what_a_file_cannot_list_is_neither_written_nor_read(monkeypatch, what, groups):
    limit = limits.LIMITS[what]
    data = write_archive(groups)
    monkeypatch.setitem(limits.LIMITS, what, limits.Limit(3, 0, 3))
    message = f"more than 3 {what} are more than a file of {len(data)} bytes can hold; use several"
    for refused in (lambda: write_archive(groups), lambda: parse(data)):
        with pytest.raises(FormatError, match=f"^{message}$"):
            refused()
    monkeypatch.setitem(limits.LIMITS, what, limit)
    assert parse(data).groups == groups


def test_what_a_picture_cannot_have_is_neither_written_nor_read(monkeypatch):
    groups = [simple(boxes=[((2, bytes(99)), (5, bytes(2))), ()])]
    data = write_archive(groups)
    monkeypatch.setattr(limits, "MAX_METADATA", 100)
    for refused in (lambda: write_archive(groups), lambda: parse(data)):
        with pytest.raises(FormatError, match="metadata of a picture take more than 0 MiB"):
            refused()


def test_of_a_picture_alone_pieces_are_counted_too(monkeypatch):
    boxes = ((5, b"k\0\0\0"),) * 9
    inline = Group(1, 1, 1, boxes=[boxes], blocks=[Block(NO_MODEL, b"")])
    data = inline_header(inline) + bytes(5)
    monkeypatch.setitem(limits.LIMITS, limits.PIECES, limits.Limit(8, 0, 8))
    for refused in (lambda: inline_header(inline), lambda: parse(data)):
        with pytest.raises(FormatError, match="more than 8 pieces of metadata are more than a file of"):
            refused()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a" * 4096, "more than 4,095 bytes"),
        ("\U0001f600" * 1024, "more than 4,095 bytes"),
        ("a" * 4095 + "1", "more than 4,095 bytes"),
        ("a/" * 255 + "b", "more than 254 folders"),
        ("a/" * 200 + "1" + "/a" * 55, "more than 254 folders"),
    ],
)
def test_a_name_that_is_too_long_or_deep_is_neither_written_nor_read(monkeypatch, name, reason):
    with monkeypatch.context() as patched:
        patched.setattr(limits, "MAX_NAME", 1 << 20)
        patched.setattr(limits, "MAX_PARTS", 1 << 20)
        patched.setattr("vaezip.vz.names.MAX_NAME", 1 << 20)
        data = write_archive([simple(names=(name, "b"))])
    for refused in (lambda: write_archive([simple(names=(name, "b"))]), lambda: parse(data)):
        with pytest.raises(FormatError, match=reason):
            refused()


@pytest.mark.parametrize("name", ["a" * 4095, "\U0001f600" * 1023 + "abc", "a/" * 254 + "b", "1" * 4095, "0" * 4095])
def test_a_name_as_long_and_deep_as_can_be(name):
    groups = [simple(names=(name, "b"))]
    assert parse(write_archive(groups)).groups == groups


def test_a_run_counts_up_to_no_name_that_is_too_long():
    run = hostile.v(2) + wire.text("a" * 4094) + wire.text("") + b"\0" + hostile.v(9)
    with pytest.raises(FormatError, match="more than 4,095 bytes"):
        parse(hostile.archive(hostile.directory([hostile.group(run, 2)]), hostile.payload(2)))


def test_a_longer_name_of_a_model_is_cut():
    file = parse(write_archive([simple()], {b"\1\2\3\4": "ü" * 200}))
    assert file.model_names == {b"\1\2\3\4": "ü" * 127}


# What a file of few bytes comes to


def parse_within_the_stated_memory(data):
    """Read the structure in no more memory than the format's chapter of limits says."""
    tracemalloc.start()
    try:
        return parse(data)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= (1 << 29) + 512 * len(data)


@pytest.mark.parametrize("attack", hostile.REFUSED)
def test_a_hostile_file_is_refused_within_the_stated_memory(attack):
    make, reason = hostile.REFUSED[attack]
    with pytest.raises(FormatError, match=reason) if reason else contextlib.nullcontext():
        parse_within_the_stated_memory(make())


@pytest.mark.parametrize("attack", hostile.GREATEST)
def test_the_worst_that_is_allowed_is_read_within_the_stated_memory(attack):
    assert parse_within_the_stated_memory(hostile.GREATEST[attack]()).groups


@pytest.mark.parametrize("size", [0, 100, 1 << 20, 1 << 40])
def test_limits_are_those_that_the_format_states(size):
    stated = {
        "pictures": min(2**22, 2**16 + size // 4),
        "bytes of names": min(2**28, 2**24 + 8 * size),
        "pieces of metadata": min(2**22, 2**18 + size),
        "bytes of metadata": min(2**40, 2**28 + 256 * size),
    }
    assert limits.Budget(size).left == stated
    assert (limits.MAX_NAME, limits.MAX_PARTS, limits.MAX_MODEL_NAME) == (4095, 255, 255)
    assert (limits.MAX_METADATA, limits.MAX_DIRECTORY) == (2**26, 2**26)


# Fuzz


@given(st.binary(max_size=80))
@settings(max_examples=300)
def test_random_bytes_are_refused_or_parsed(data):
    for prefix in (
        b"",
        b"\xf5z\r\n",
        b"\xf5z\r\n\x09",
        b"\xf5z\r\n\x09\x00" + bytes(4),
        b"\xf5z\r\n\x09\x04" + bytes(4),
    ):
        with contextlib.suppress(FormatError):
            parse(prefix + data)


@given(st.binary(max_size=40))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_directories_are_refused_or_parsed(archive_of, limited_memory, data):
    for directory in (data, GOOD + data, GOOD + NAMES + data):
        with contextlib.suppress(FormatError), limited_memory(1 << 28):
            parse(archive_of(directory, b"payload"))


@given(groups(), st.data())
def test_damaged_directories_are_refused_or_parsed(archive_of, group, data):
    directory = bytearray(vz._write_directory([group], {}))
    place = data.draw(st.integers(0, len(directory) - 1))
    directory[place] = data.draw(st.integers(0, 127))
    with contextlib.suppress(FormatError):
        parse(archive_of(bytes(directory), b"".join(b.payload for b in group.blocks)))
