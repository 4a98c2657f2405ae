"""Every kind of file that once broke a reader: what it costs is computed, and it is refused by its reason."""

from __future__ import annotations

import tracemalloc

import pytest

import vaezip
from tests import hostile_blocks
from vaezip.codec import payload
from vaezip.codec.archive import Archive
from vaezip.errors import FormatError, ImageError, ModelError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.cost import MAX_MEMORY, MAX_WORK, PROGRAM, Budget
from vaezip.models.deep import model as deep_model
from vaezip.models.graphic import model as graphic_model
from vaezip.models.kinds import MODE_NAMES, channels
from vaezip.models.library import Library
from vaezip.vz import archive as vz
from vaezip.vz.records import Block, Group


def result(data: bytes, **options: object) -> VaezipError:
    """What all pictures of a file meet."""
    ((_, found),) = list(vaezip.Archive(data, **options).pictures())
    assert isinstance(found, VaezipError)
    return found


def cost_of(data: bytes):
    """What the first block of a file costs, and its pixels."""
    archive = vaezip.Archive(data)
    group = archive.file.groups[0]
    block, mode = group.blocks[0], MODE_NAMES[group.mode]
    shape = (1, group.band, group.width, channels(mode))
    found = payload.cost(block.payload, mode, shape, model=archive.model(block.model), find=archive.model)
    return found, group.band * group.width


@pytest.mark.parametrize("steps", [1, 3])
def test_a_setting_whose_reciprocal_is_infinite_is_refused(steps):
    assert "noise must be at least 2^-10" in str(result(hostile_blocks.tiny_noise(steps)))


@pytest.mark.parametrize("size", [64, 1 << 18])
def test_127_steps_for_each_pixel_are_refused(size):
    (_, work), pixels = cost_of(hostile_blocks.timebomb(size))
    weights = model_file.architecture(model_file.find("photo")).weights
    assert pixels == size
    assert work > size * 127 * weights * 32  # Adam alone
    error = result(hostile_blocks.timebomb(size))
    assert isinstance(error, ImageError)
    assert error.remedy == "more-work"
    assert "operations a pixel, more than the limit of 8,388,608" in str(error)


def test_who_raises_the_limit_gets_them():
    (_, work), pixels = cost_of(hostile_blocks.timebomb(1))
    assert not Budget(work=1 << 20).allows(cost_of(hostile_blocks.timebomb(1))[0], pixels)
    error = result(hostile_blocks.timebomb(1), max_work=work)
    assert isinstance(error, FormatError)


def test_coarse_tiles_take_the_memory_of_those_that_networks_see_at_once():
    """All outputs of the decoder would be 36 bytes a sample and more."""
    (memory, _), pixels = cost_of(hostile_blocks.coarse_bomb())
    assert memory < 24 * pixels
    assert isinstance(result(hostile_blocks.coarse_bomb(256)), FormatError)


def test_a_block_without_the_bytes_to_code_it_ends():
    (memory, work), pixels = cost_of(hostile_blocks.empty_frame())
    assert memory < MAX_MEMORY // 6
    assert work < MAX_WORK * pixels // 64
    assert isinstance(result(hostile_blocks.empty_frame(side=64)), FormatError)


@pytest.mark.parametrize("channels", [1, 4])
def test_a_picture_of_2_to_the_28_pixels_is_within_the_limits_band_by_band(channels):
    drawn = graphic_model.cost((1, 1024, 16383), channels)
    deep = deep_model.cost((1, 1024, 16383, channels), 65535, linked=False)
    assert max(drawn.memory, deep.memory) < MAX_MEMORY // 2


def test_what_takes_more_memory_than_is_granted_is_refused():
    with pytest.raises(ImageError, match="it takes 304 MiB of memory, more than the limit of 296") as caught:
        vaezip.Archive(hostile_blocks.empty_frame(), memory=PROGRAM + (40 << 20))
    assert caught.value.remedy == "more-memory"
    error = result(hostile_blocks.empty_frame(side=512), memory=PROGRAM + (4 << 20))
    assert error.remedy == "more-memory"


def test_a_model_of_too_large_networks_is_refused_by_path_too(tmp_path):
    path = tmp_path / "large.safetensors"
    path.write_bytes(hostile_blocks.large_tiles())
    with pytest.raises(ModelError, match="model 'large': its networks are too large to be run"):
        Library().by_path(path)
    with pytest.raises(ModelError, match="too large"):
        model_file.loads(path.read_bytes(), "large")


def test_no_blocks_of_a_few_rows_but_of_pictures_wider_than_any_model_takes():
    from vaezip.codec.blocks import BLOCK_PIXELS, SOLID_PIXELS, new_group

    assert new_group("RGB", (64, 1 << 18), BLOCK_PIXELS).band == 32
    assert new_group("RGB", (64, 1 << 21), BLOCK_PIXELS).band == 1
    assert new_group("RGB", (64, 1 << 21), SOLID_PIXELS).band == 8


def test_a_model_that_takes_a_few_bytes_packed_and_gigabytes_unpacked_is_refused():
    data = hostile_blocks.archive((6, 5), [b"\0" + hostile_blocks.noise(60)], hostile_blocks.large_weights())
    assert len(data) < 1 << 17
    assert "its tensors are too large for a model in a file" in str(result(data))


def test_models_that_are_too_large_together_are_refused(monkeypatch):
    model = hostile_blocks.model_bytes(hostile_blocks.TILE)
    data = hostile_blocks.archive((6, 5), [b"\0" + hostile_blocks.noise(60)], model)
    monkeypatch.setattr("vaezip.models.library._MOST_ENTRIES", 100)
    assert "the models in the file are too large together" in str(result(data))


def taken(function) -> int:
    """Measure the most memory that a function takes at a time, beside what it is called with."""
    tracemalloc.start()
    function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("key", ["architecture", "settings", "information"])
def test_the_json_of_a_model_is_not_parsed_where_it_is_long(key):
    model = hostile_blocks.long_texts(key)
    data = hostile_blocks.archive((6, 5), [b"\0" + hostile_blocks.noise(60)], model)
    assert len(data) < 1 << 17
    assert taken(lambda: Archive(data).info()) < 3 * len(model)
    assert "its description takes more than 1,048,576 bytes" in str(result(data))


def test_the_json_of_a_model_is_not_parsed_where_it_is_long_by_path_either(tmp_path):
    path = tmp_path / "long.safetensors"
    path.write_bytes(hostile_blocks.long_texts("architecture", 1 << 18))
    for function in (Library().by_path, model_file.architecture, model_file.fingerprint):
        with pytest.raises(ModelError, match="its description takes more than 1,048,576 bytes"):
            function(path)


def test_models_that_are_refused_take_no_memory():
    """Each of forty is unpacked to a megabyte."""
    long = hostile_blocks.long_texts("information", 1 << 17)
    models = [hostile_blocks.with_metadata(long, settings=str(i)) for i in range(40)]
    marks = {hostile_blocks.fingerprint(model): model for model in models}
    blocks = [Block(mark, bytes(60)) for mark in marks]
    names = [f"{i}.png" for i in range(len(blocks))]
    group = Group(1, 6, 5, band=6, names=names, boxes=[()] * len(names), blocks=blocks)
    archive = Archive(vz.write_archive([group], {}, marks))
    assert taken(archive.info) < 8 * len(long)
    assert all("the model in the file cannot be used" in str(found) for _, found in archive.pictures())
