"""Indices between blocks, and what is recovered by them where the directory is lost."""

import dataclasses
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.vz import index, limits
from vaezip.vz.archive import parse, write_archive
from vaezip.vz.index import MAGIC
from vaezip.vz.records import LOST, Block, Group
from vaezip.vz.salvage import recover

MARK = b"\1\2\3\4"


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    """Indices in files of hundreds of bytes; their share of these is no matter."""
    monkeypatch.setattr(index, "_RUN", 100)
    monkeypatch.setattr(index, "_LEAST", 50)
    monkeypatch.setattr(index, "_SHARE", 0)
    monkeypatch.setattr(index, "_NAMED", 30)


def group(names, per_block=1, band=10, size=60, **changes):
    """A group of pictures of 10×12 whose blocks have different payloads."""
    found = Group(3, 10, 12, per_block, band, list(names), [()] * len(names))
    seed = "".join(names).encode()
    found.blocks = [Block(MARK, ((seed + b"%d" % i) * size)[:size]) for i in range(found.block_count)]
    return dataclasses.replace(found, **changes)


def names_of(file):
    return [name for one in file.groups for name in one.names]


def payloads_of(file):
    return {(name, i): b.payload for g in file.groups for name in g.names for i, b in enumerate(g.blocks)}


def without_directory(data):
    return data[:-12]


SEVERAL = [f"{i}.png" for i in range(6)]


def test_a_whole_file_is_as_it_is():
    written = [group(SEVERAL)]
    data = write_archive(written)
    assert data.count(MAGIC) == 3
    assert parse(data).groups == written
    found = recover(data)
    assert (found.file.groups, found.lost, found.missing) == (written, [], [])


def test_a_small_file_has_no_index_and_is_as_ever(monkeypatch):
    few = [group(SEVERAL[:2], size=20)]
    with_indices_possible = write_archive(few)
    monkeypatch.setattr(index, "_LEAST", 1 << 30)
    assert write_archive(few) == with_indices_possible
    assert MAGIC not in with_indices_possible


def test_a_directory_that_is_lost_costs_no_picture():
    written = [group(SEVERAL, times=list(range(6)))]
    found = recover(without_directory(write_archive(written)))
    assert names_of(found.file) == SEVERAL
    assert [t for g in found.file.groups for t in g.times] == list(range(6))
    assert [b for g in found.file.groups for b in g.blocks] == written[0].blocks
    assert (len(found.lost), found.missing) == (1, [])


def test_a_cut_file_gives_what_stands_before_the_cut():
    data = write_archive([group(SEVERAL)])
    counts = []
    for length in range(6, len(data)):
        try:
            counts.append(len(names_of(recover(data[:length]).file)))
        except FormatError:
            counts.append(0)
    assert counts == sorted(counts)
    assert set(counts) == {0, 2, 4, 6}
    with pytest.raises(FormatError, match="nothing of it can be recovered: the directory at the end is damaged"):
        recover(data[:100])


def test_bytes_that_are_lost_in_the_middle_cost_blocks_of_their_run():
    data = write_archive([group(SEVERAL)])
    second = data.index(MAGIC, data.index(MAGIC) + 1)
    found = recover(data[: second - 30] + data[second - 20 :])
    assert names_of(found.file) == SEVERAL
    broken = found.file.groups[1].blocks
    assert [block.payload == good.payload for block, good in zip(broken, group(SEVERAL).blocks[2:4])] == [False, False]
    assert found.file.groups[0].blocks == group(SEVERAL).blocks[:2]


def test_a_damaged_index_costs_its_run_alone_and_is_told_by_its_bytes():
    data = bytearray(write_archive([group(SEVERAL)]))
    second = data.index(MAGIC, data.index(MAGIC) + 1)
    data[second + 9] ^= 1
    assert parse(bytes(data)).damaged_indices == [second]
    assert names_of(parse(bytes(data))) == SEVERAL
    found = recover(without_directory(bytes(data)))
    assert names_of(found.file) == ["0.png", "1.png", "4.png", "5.png"]
    assert found.missing == [2, 3]
    third = data.index(MAGIC, second + 1)
    first_end = second - 120
    assert found.lost[0] == (first_end, third - 120)


def test_small_pictures_are_called_by_their_numbers():
    found = recover(without_directory(write_archive([group(SEVERAL, size=29)])))
    assert names_of(found.file) == [str(i) for i in range(6)]


def test_pictures_without_names_never_take_those_of_others():
    data = write_archive([group(SEVERAL, size=29)]) + write_archive([group(["1", "0", "2"])])
    found = recover(without_directory(data))
    assert sorted(names_of(found.file)) == sorted([*"012345", "2-0", "2-1", "2-2"])


@pytest.mark.parametrize("per_block", [1, 2, 5])
def test_blocks_of_several_pictures(per_block):
    names = [f"{i}" for i in range(13)]
    written = group(names, per_block=per_block, size=70)
    found = recover(without_directory(write_archive([written, group(["other"], size=101)])))
    assert names_of(found.file) == [*names, "other"] if per_block == 1 else len(names_of(found.file)) == 14
    assert [b for g in found.file.groups for b in g.blocks][:-1] == written.blocks


def test_a_picture_in_bands_is_put_together():
    written = group(["tall"], band=1, size=40)
    data = write_archive([written])
    (found,) = recover(without_directory(data)).file.groups
    assert (found.names, found.band, found.blocks) == (["tall"], 1, written.blocks)
    cut = data.index(MAGIC, data.index(MAGIC) + 1) + 5
    (found,) = recover(data[:cut]).file.groups
    assert found.blocks == written.blocks[:3] + [LOST] * 7


def test_models_are_found():
    written, model = [group(SEVERAL)], b"a model " * 9
    data = write_archive(written, {MARK: "mine"}, {MARK: model})
    assert parse(data).embedded[MARK].unpack() == model
    found = recover(without_directory(data)).file
    assert found.embedded[MARK].unpack() == model
    assert found.model_names == {MARK: "mine"}


def test_boxes_are_kept_where_they_cost_next_to_nothing(monkeypatch):
    written = [group(["a"], size=1000, boxes=[((2, b"profile"),)])]
    assert recover(without_directory(write_archive(written))).file.groups[0].boxes == [()]
    monkeypatch.setattr(index, "_SHARE_WITH_BOXES", 2)
    assert recover(without_directory(write_archive(written))).file.groups[0].boxes == [((2, b"profile"),)]


def test_an_index_that_takes_too_much_is_left_out(monkeypatch):
    monkeypatch.setattr(index, "_SHARE", 7)
    assert MAGIC not in write_archive([group(SEVERAL)])
    assert write_archive([group(SEVERAL, size=9000)]).count(MAGIC) == 6


def test_another_revision_is_refused_by_name():
    data = bytearray(write_archive([group(SEVERAL)]))
    data[4] += 1
    with pytest.raises(FormatError, match="revision"):
        recover(bytes(data))


def test_a_file_within_a_block_is_none_of_the_file_s_own():
    inner = write_archive([group(SEVERAL)])
    outer = group(["outer"], blocks=[Block(MARK, inner)])
    found = recover(without_directory(write_archive([outer])))
    assert names_of(found.file) == ["outer"]


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
@settings(max_examples=200)
def test_random_damage_is_recovered_from_or_refused(noise, seed):
    data = write_archive([group(SEVERAL), group(["tall"], band=1, size=40)])
    place = seed % len(data)
    damaged = without_directory(data[:place] + noise + data[place + seed % 97 :])
    try:
        found = recover(damaged).file
    except FormatError:
        return
    for one in found.groups:
        assert len(one.blocks) == one.block_count
        assert len(one.boxes) == len(one.names)


@pytest.mark.parametrize("magic_only", [True, False])
def test_what_only_looks_like_indices_takes_no_long_work(magic_only):
    """The checks are bounded by a multiple of the bytes of the file."""
    piece = MAGIC + (b"" if magic_only else b"\xff\x7f" + bytes(4))
    with pytest.raises(FormatError):
        recover(piece * 20_000)


def forged(content):
    packed = index.deflated(content)
    return MAGIC + index.varint(len(packed)) + index.CRC.pack(zlib.crc32(packed)) + packed


@pytest.mark.parametrize("content", [bytes(1 << 20), b"\0\0\0\0" + bytes(1 << 20)])
def test_many_small_indices_cannot_ask_for_much_together(content, limited_memory):
    with limited_memory(1 << 28), pytest.raises(FormatError, match="more of it looks like indices"):
        recover(b"\xf5z\r\n\x09\x09" + forged(content) * 100)


def test_many_indices_of_the_same_blocks_are_refused():
    one = write_archive([group(["a"], size=100_000)])
    start, end = one.index(MAGIC), len(one) - 8 - int.from_bytes(one[-4:], "little")
    with pytest.raises(FormatError, match="more of it looks like indices"):
        recover(one[:start] + one[start:end] * 4)


def test_many_indices_list_no_more_than_one_directory_may(monkeypatch):
    monkeypatch.setitem(limits.LIMITS, limits.PICTURES, limits.Limit(5, 0, 5))
    found = recover(without_directory(write_archive([group(SEVERAL[:4])])) + write_archive([group(SEVERAL[:2])])[:-12])
    assert len(names_of(found.file)) == 4


def test_impossible_indices_are_refused(archive_of):
    for listed in ([(0, 4)], [(1, 1 << 40)], [(2, 4)], [(1, 0), (1, 0)]):
        data = write_archive([group(SEVERAL[:1], size=20)])
        pieces = bytes([len(listed)]) + b"".join(index.varint(b) + index.varint(s) for b, s in listed)
        length = int.from_bytes(data[-4:], "little")
        made = archive_of(pieces + data[-8 - length + 1 : -8], data[6 : -8 - length])
        with pytest.raises(FormatError):
            parse(made[:5] + b"\x09" + made[6:])


def test_a_small_index_cannot_ask_for_much_memory(limited_memory):
    tall = Group(3, limits.MAX_SIDE, 1, 1, 1, ["x"], [()], [Block(MARK, b"12345")])

    def describe(groups, models):
        from vaezip.vz.archive import _write_directory

        return _write_directory(groups, {}, models)

    content = b"\0" + b"".join(map(index.varint, (0, 0, limits.MAX_SIDE - 1))) + describe([tall], [])
    with limited_memory(1 << 26), pytest.raises(FormatError, match="nothing of it can be recovered"):
        recover(b"\xf5z\r\n\x09\x0112345" + forged(content))
