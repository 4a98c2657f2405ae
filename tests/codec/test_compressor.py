import contextlib
import json
import os
import shutil
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import vaezip
from vaezip.codec import blocks, coders, compressor, remaking, select
from vaezip.codec import payload as payloads
from vaezip.codec.archive import Archive, decompress
from vaezip.codec.compressor import Compressor, compress
from vaezip.errors import FormatError, ImageError, ModelError, VaezipError
from vaezip.models import file as model_file
from vaezip.models import kinds, library
from vaezip.models.effort import chosen_effort
from vaezip.models.pixel import search
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.tile import bitsback
from vaezip.pictures.picture import MODES, Picture, same
from vaezip.vz import archive as vz
from vaezip.vz.records import NO_MODEL, Block, Group, has_model

A, B = b"aaaa", b"bbbb"
PALETTE = ("palette", bytes(range(48)))


def picture(mode, height, width, seed=0):
    rng = np.random.default_rng(seed)
    top = {"1": 2, "P": 16}.get(mode, 1 << MODES[mode].bits)
    y, x = np.mgrid[:height, :width]
    smooth = (
        (x * 3 + y * 2)[..., None] * (top // 2) // 200
        + rng.integers(0, max(2, top // 50), (height, width, MODES[mode].channels))
    ) % top
    return Picture(mode, np.ascontiguousarray(smooth.astype(MODES[mode].dtype)), (PALETTE,) if mode == "P" else ())


def tile(small, index=0):
    """One of the pictures that a small model was trained on."""
    a = small.architecture
    mode = {(1, 2): "1", (1, 256): "L", (3, 256): "RGB"}[a.channels, a.levels]
    return Picture(mode, small.images[index])


def assert_same(found, pictures):
    assert list(found) == list(pictures)
    for name in pictures:
        assert same(found[name], pictures[name]), name


# Times


def test_times_of_a_set_come_back():
    pictures = {f"{i}": picture("RGB", 5, 6 + i // 2, i) for i in range(4)}
    told = {"0": 7, "1": None, "2": -5, "3": 1 << 35}
    with Compressor() as compressor:
        for name, one in pictures.items():
            compressor.add(name, one, modified=told[name])
        data = compressor.close()
    archive = Archive(data)
    assert {name: archive.modified(name) for name in archive.names} == told
    assert_same(decompress(data), pictures)
    with pytest.raises(FormatError, match="holds no picture called 'x'"):
        archive.modified("x")


def test_without_times_the_file_is_as_ever():
    with Compressor() as compressor:
        compressor.add("a", picture("RGB", 5, 6), modified=None)
        assert compressor.close() == compress({"a": picture("RGB", 5, 6)}.items())


@pytest.mark.parametrize("height", [5, 400])
def test_a_picture_alone_has_no_time(height, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 1 << 10)
    with Compressor() as compressor:
        compressor.add("", picture("P", height, 6), modified=7)
        data = compressor.close()
    assert data == compress(picture("P", height, 6))
    assert Archive(data).modified() is None


def test_a_set_that_is_kept_as_it_was_has_times():
    noise = np.random.default_rng(0).integers(0, 256, (40, 30, 1)).astype(np.uint8)
    original = vaezip.pictures.write(Picture("L", noise), ".pgm")
    with Compressor() as compressor:
        compressor.add("a.pgm", Picture("L", noise), original=original, modified=9)
        archive = Archive(compressor.close())
    assert archive.original("a.pgm") == original
    assert archive.modified("a.pgm") == 9


@pytest.mark.parametrize("modified", [-62_135_596_801, 253_402_300_800])
def test_a_time_of_no_calendar_is_refused(modified):
    with Compressor() as compressor, pytest.raises(ImageError, match="beyond the years 1 to 9999"):
        compressor.add("a", picture("L", 5, 6), modified=modified)


# One picture


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        *((mode, size) for mode in MODES for size in [(1, 1), (1, 7), (5, 1), (17, 13)]),
        ("1", (28, 28)),
        ("L", (28, 28)),
    ],
)
def test_every_mode_and_odd_sizes(mode, size):
    original = picture(mode, *size)
    assert same(decompress(compress(original)), original)


@pytest.mark.parametrize("steps", [0, 3])
def test_every_small_model(small, steps):
    original = tile(small)
    data = compress(original, model=small.path, steps=steps)
    archive = Archive(data, models=[small.path])
    assert archive.info()["blocks"][0]["method"] == small.name
    assert archive.info()["blocks"][0]["steps"] == 0  # the latents of one tile come from no posterior
    assert archive.names == [""]
    assert same(archive.read(), original)
    assert same(decompress(data, models=[small.path]), original)


@pytest.mark.parametrize("steps", [0, 2])
def test_every_shipped_model(shipped, dream, steps):
    a = shipped.architecture
    mode = {(1, 2): "1", (1, 256): "L", (3, 256): "RGB"}[a.channels, a.levels]
    original = Picture(mode, dream(shipped, 1)[0])
    data = compress(original, model=shipped.name, steps=steps)
    assert Archive(data).info()["blocks"][0]["method"] == shipped.name
    assert same(decompress(data), original)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (7, 9), (20, 33)])
def test_a_tiled_model_codes_any_size(small_models, mode, size):
    path = small_models["colour"].path
    original = picture(mode, *size)
    data = compress(original, model=path, steps=1)
    assert Archive(data, models=[path]).info()["blocks"][0]["method"] == "colour"
    assert same(decompress(data, models=[path]), original)


def test_colour_under_alpha_zero_is_kept(small_models):
    original = picture("RGBA", 12, 12)
    original.samples[..., 3] = 0
    for model, models in ((small_models["colour"].path, [small_models["colour"].path]), ("auto", [])):
        assert same(decompress(compress(original, model=model), models=models), original)


def test_black_and_white_grey_is_coded_as_bits_and_comes_back_grey():
    original = Picture("L", (picture("1", 28, 28).samples * np.uint8(255)))
    data = compress(original)
    assert vz.parse(data).groups[0].mode == kinds.MODE_NAMES.index(compressor.BILEVEL_GREY)
    assert Archive(data).info()["pictures"][0]["mode"] == "L"
    assert same(decompress(data), original)


@pytest.mark.parametrize("value", [0, 255])
def test_a_blank_picture_by_a_grey_model_that_was_asked_for(small_models, value):
    """It happens to be black and white alone, but it is a grey picture, and the model codes those."""
    path = small_models["logistic"].path
    original = Picture("L", np.full((28, 28, 1), value, np.uint8))
    data = compress(original, model=path)
    assert same(decompress(data, models=[path]), original)


def test_metadata_of_one_picture():
    boxes = (
        ("icc", b"profile" * 50),
        ("exif", b"II*\0"),
        ("text", b"k\0\0\0v"),
        ("text", b"k\0\0\0w"),
        ("gamma", bytes(4)),
    )
    original = Picture("L", picture("L", 28, 28).samples, boxes)
    data = compress(original)
    assert same(decompress(data), original)
    assert Archive(data).info()["pictures"][0]["metadata"] == ["exif", "gamma", "icc", "text"]


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1)])
def test_very_long_pictures(size):
    original = picture("L", *size)
    assert same(decompress(compress(original)), original)


# Auto


def test_auto_is_the_smallest(shipped, dream):
    a = shipped.architecture
    mode = {(1, 2): "1", (1, 256): "L", (3, 256): "RGB"}[a.channels, a.levels]
    for pixels in (dream(shipped, 1)[0], np.zeros((*a.tile, a.channels), np.uint8)):
        original = Picture(mode, pixels)
        others = {n: model_file.architecture(p) for n, p in model_file.shipped().items() if n != select.PLANES_MODEL}
        fitting = [n for n, o in others.items() if o.levels == a.levels and kinds.fits(o, mode, a.tile)]
        if mode == "L" and np.isin(pixels, (0, 255)).all():  # coded as bits
            continue
        sizes = [len(compress(original, model=name)) for name in fitting]
        drawn = coders.by_mark(coders.GRAPHIC).encode(pixels[None], mode, 0, effort=chosen_effort(None, 4))
        group = Group(1, *a.tile, boxes=[()], blocks=[Block(coders.GRAPHIC, b"")])
        sizes.append(len(vz.inline_header(group)) + len(drawn))
        best = len(compress(original))
        assert best <= min(sizes[:-1])
        assert best <= sizes[-1]


def test_auto_takes_few_bytes_for_stripes():
    original = Picture("RGB", np.tile(np.uint8([[[255, 0, 0], [0, 0, 255]]]), (64, 32, 1)))
    data = compress(original)
    assert Archive(data).info()["blocks"][0]["method"] == "graphic"
    assert len(data) < 60


def test_auto_tries_parts_of_a_large_picture(monkeypatch, discs):
    """All models code a few patches, which tell here, the best of them alone the whole; those that do not see across
    the edges of tiles are not tried."""
    monkeypatch.setattr(select, "_TRIAL_PIXELS", 1000)
    monkeypatch.setattr(select, "_TRIAL_SIDE", 24)
    monkeypatch.setattr(remaking, "with_kind", lambda job: job)  # so small a picture has not all values
    original = Picture("RGB", discs(1, 90, 70, 3)[0])
    coded = []
    encode = payloads.encode

    def noted(samples, mode, checksum, *, model, **options):
        coded.append((model, samples.shape))
        return encode(samples, mode, checksum, model=model, **options)

    monkeypatch.setattr(payloads, "encode", noted)
    data = vaezip.compress(original)
    assert same(decompress(data), original)
    by_models = [(model, shape) for model, shape in coded if model]
    whole = [model for model, shape in by_models if shape == (1, 90, 70, 3)]
    assert len(whole) == 1
    assert {shape for _, shape in by_models} == {(1, 90, 70, 3), (3, 24, 24, 3)}
    architectures = {name: model_file.architecture(path) for name, path in model_file.shipped().items()}
    del architectures[select.PLANES_MODEL]  # for the colours were no planes
    across = [a for a in architectures.values() if a.channels == 3 and isinstance(a, PixelArchitecture)]
    assert len(by_models) == 1 + len(across)


@pytest.mark.parametrize(("preset", "rows"), [(1, 0), (2, 2), (4, 16)])
def test_auto_tries_what_it_will_do_but_for_learning(monkeypatch, discs, preset, rows):
    monkeypatch.setattr(select, "_TRIAL_PIXELS", 1000)
    tried = []
    encode = payloads.encode

    def noted(samples, mode, checksum, *, effort, **options):
        tried.append((samples.shape[0], effort))
        return encode(samples, mode, checksum, effort=effort, **options)

    monkeypatch.setattr(payloads, "encode", noted)
    vaezip.compress(Picture("RGB", discs(1, 45, 40, 3)[0]), preset=preset)
    efforts = {effort for parts, effort in tried if parts == 9}
    assert [(effort.steps, effort.rows) for effort in efforts] == [(0, rows)]


def test_auto_tries_models_of_one_tile_on_pictures_of_its_size():
    plain, others = (
        {
            reference.path.stem
            for reference in library.Library().fitting("RGB", *size)
            if not model_file.architecture(reference.path).sees_across_tiles
        }
        for size in ((32, 32), (32, 33))
    )
    assert plain == {"cifar10", "cifar10-classic"}
    assert others == set()


@pytest.mark.parametrize(("height", "width"), [(2000, 1), (1, 2000), (40, 50)])
def test_parts_lie_within(monkeypatch, height, width):
    monkeypatch.setattr(select, "_TRIAL_PIXELS", 1000)
    samples = np.arange(height * width, dtype=np.int64).reshape(1, height, width, 1)
    some = select.trial_part(samples)
    assert len(some) == 9
    assert some.min() == 0
    assert height * width - 2 - width <= some.max() < height * width  # parts begin in even rows and columns


def test_auto_chooses_for_a_set_by_its_first_pictures(monkeypatch, shipped, dream):
    if shipped.architecture.dims > 784:
        pytest.skip("slow and no different")
    monkeypatch.setattr(select, "_TRIAL_PICTURES", 4)
    mode = {2: "1", 256: "L"}[shipped.architecture.levels]
    pictures = {f"{i}": Picture(mode, x) for i, x in enumerate(dream(shipped, 12))}
    data = compress(pictures.items())
    assert_same(decompress(data), pictures)
    assert len(data) <= 1.1 * len(compress(pictures.items(), model=shipped.name))


# Sets


def test_a_set_of_mixed_sizes_and_modes():
    pictures = {f"{mode} {size}": picture(mode, *size) for mode in MODES for size in [(4, 4), (3, 9)]}
    pictures["ü/日本.png"] = picture("L", 28, 28)
    data = compress(pictures.items())
    archive = Archive(data)
    assert set(archive.names) == set(pictures)
    for name, found in decompress(data).items():
        assert same(found, pictures[name])
    for name, original in pictures.items():
        assert same(archive.read(name), original)
    assert archive.info()["layout"] == "archive"
    assert len(archive.info()["pictures"]) == len(pictures)


def test_metadata_of_a_set_stays_with_its_picture():
    boxes = [(), (("icc", b"p"),), (("exif", b"e"), ("text", b"a\0\0\0b"), ("text", b"a\0\0\0c")), (("icc", b"p"),)]
    pictures = {f"{i}": Picture("L", picture("L", 5, 5, i).samples, b) for i, b in enumerate(boxes)}
    assert_same(decompress(compress(pictures.items())), pictures)


def test_one_named_picture_is_a_set_of_one():
    original = picture("L", 9, 9)
    found = decompress(compress([("only.png", original)]))
    assert_same(found, {"only.png": original})


def many(small, count):
    """Pictures of which no two are equal, for a set holds such once."""
    distinct = {}
    for i in range(len(small.images)):
        distinct.setdefault(small.images[i].tobytes(), i)
    return {f"{i:03d}.png": tile(small, index) for i, index in zip(range(count), distinct.values())}


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of three tiles of 28×28, or of bands of 32 rows of a picture larger than that."""
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 3 * 28 * 28)


@pytest.mark.parametrize("count", [1, 3, 4, 6, 10])
def test_a_set_of_several_blocks(small_models, small_blocks, count):
    small = small_models["bernoulli"]
    pictures = many(small, count)
    data = compress(pictures.items(), model=small.path)
    archive = Archive(data, models=[small.path])
    assert len(archive.info()["blocks"]) == -(-count // 3)
    assert_same(decompress(data, models=[small.path]), pictures)
    for name in pictures:
        assert same(archive.read(name), pictures[name])


def test_one_picture_is_read_without_the_blocks_of_others(small_models, small_blocks, monkeypatch):
    small = small_models["bernoulli"]
    archive = Archive(compress(many(small, 9).items(), model=small.path), models=[small.path])
    decoded = []
    whole = bitsback.decode
    monkeypatch.setattr(
        bitsback, "decode", lambda model, data, *a, **k: decoded.append(data) or whole(model, data, *a, **k)
    )
    archive.read("004.png")
    assert decoded == [archive.file.groups[0].blocks[1].payload[1:]]  # after the steps


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(97, 37), (65, 50), (33, 100)])
@pytest.mark.parametrize("name", ["", pytest.param("named", marks=pytest.mark.slow)])
def test_a_picture_of_several_bands(small_models, small_blocks, mode, size, name):
    path = small_models["colour"].path
    original = picture(mode, *size)
    model = path if mode.startswith("RGB") and ";" not in mode else "auto"
    data = compress([(name, original)], model=model, preset=1)
    archive = Archive(data, models=[path])
    assert len(archive.info()["blocks"]) == -(-size[0] // 32)
    assert same(archive.read(name), original)
    assert archive.names == [name]


def test_bands_and_small_pictures_in_one_file(small_blocks):
    pictures = {
        "a": picture("L", 100, 40),
        "b": picture("L", 28, 28),
        "c": picture("L", 100, 40, 1),
        "d": picture("L", 28, 28, 1),
    }
    assert set(decompress(data := compress(pictures.items()))) == set(pictures)
    for name, original in pictures.items():
        assert same(Archive(data).read(name), original)


@pytest.mark.parametrize("place", range(4))
def test_a_picture_without_a_name_among_others(small_blocks, place):
    """Wherever it stands: also where it is the last of its block."""
    names = ["a", "b", "c", "d"]
    names[place] = ""
    pictures = {name: picture("P", 28, 28, i) for i, name in enumerate(names)}
    assert_same(decompress(compress(pictures.items())), pictures)


def test_no_threads_are_as_many_as_there_are_cores():
    data = compress(picture("L", 8, 8), preset=1, threads=0)
    assert same(decompress(data, threads=0), picture("L", 8, 8))
    with pytest.raises(VaezipError, match="the number of threads must be 0 or more"):
        compress(picture("L", 8, 8), threads=-1)
    with pytest.raises(VaezipError, match="the number of threads must be 0 or more"):
        decompress(data, threads=-1)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_the_bytes(small_models, small_blocks, threads):
    small = small_models["colour"]
    pictures = {**many(small, 11), "in bands": picture("RGB", 200, 40)}
    plain = compress(pictures.items(), model=small.path, steps=1)
    assert compress(pictures.items(), model=small.path, steps=1, threads=threads) == plain
    archive = Archive(plain, models=[small.path], threads=threads)
    assert_same(dict(archive.pictures()), pictures)


def test_several_threads_may_compress_at_once(small_models):
    small = small_models["bernoulli"]
    pictures = many(small, 6)
    plain = compress(pictures.items(), model=small.path, steps=2)
    found = []
    jobs = [
        threading.Thread(target=lambda: found.append(compress(pictures.items(), model=small.path, steps=2)))
        for _ in range(4)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert found == [plain] * 4


def test_the_order_of_pictures_of_one_kind_is_kept(small_models):
    small = small_models["bernoulli"]
    names = ["z", "a", "10", "9", "09"]
    pictures = {name: tile(small, i) for i, name in enumerate(names)}
    assert Archive(compress(pictures.items(), model=small.path), models=[small.path]).names == names


# 16 bits


def wide(mode, pixels, seed=0):
    """8-bit pixels with noise below, and a ramp as alpha."""
    noise = np.random.default_rng(seed).integers(0, 256, pixels.shape, np.uint16)
    colour = pixels.astype(np.uint16) << 8 | noise & 0xF0
    if mode in ("I;16", "RGB;16"):
        return Picture(mode, colour)
    ramp = np.arange(colour[..., :1].size, dtype=np.uint16).reshape(colour[..., :1].shape) * 13
    return Picture(mode, np.concatenate([colour, ramp], axis=2))


def methods(data, models=()):
    return [block["method"] for block in Archive(data, models=models).info()["blocks"]]


def test_a_set_of_16_bits_of_several_blocks_and_bands(small_models, small_blocks):
    images = small_models["logistic"].images
    pictures = {f"{i}": wide("I;16", image, i) for i, image in enumerate(images[:5])}
    pictures["long"] = wide("I;16", images[:8].reshape(-1, 28, 1))
    pictures["8"] = Picture("L", images[0])
    archive = Archive(compress(pictures.items(), preset=1))
    assert len(archive.info()["blocks"]) == 2 + 4 + 1
    assert {p["mode"] for p in archive.info()["pictures"]} == {"I;16", "L"}
    for name, original in pictures.items():
        assert same(archive.read(name), original)


@pytest.mark.parametrize("mode", ["I;16", "RGB;16"])
def test_models_code_8_bits_that_were_made_16(discs, mode):
    """As ranks, which are a picture of 8 bits."""
    pixels = discs(1, 90, 70, 1 if mode == "I;16" else 3)[0]
    made = compress(Picture(mode, pixels.astype(np.uint16) * 257))
    narrow = compress(Picture(mode.replace("I", "L").removesuffix(";16"), pixels))
    (block,) = Archive(made).info()["blocks"]
    name = "photo-gray" if mode == "I;16" else "photo"
    assert block["origin"]["parts"][0]["fingerprint"] == model_file.fingerprint(model_file.find(name)).hex()
    assert len(made) < len(narrow) * 1.01 + 80


# Alpha


def feathered(mode, pixels):
    """Pixels with a soft mask."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(x / width - 0.5, y / height - 0.5)
    mask = np.clip(np.rint((1.2 - 2 * distance) * 255), 0, 255).astype(np.uint8)[..., None]
    return Picture(mode, np.concatenate([pixels, mask], axis=2))


def alpha_coders(data):
    """Of each block: the fingerprint of the model of alpha, or the mark of the coder."""
    return [
        payloads._read_alpha(block.payload[1:])[0].model for group in vz.parse(data).groups for block in group.blocks
    ]


GREY = model_file.fingerprint(model_file.find(select.ALPHA_MODEL))


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_soft_alpha_is_coded_by_a_model(local_models, monkeypatch, mode, steps):
    small = local_models["grey" if mode == "LA" else "colour"]
    original = feathered(mode, small.images[0, :, :37])
    data = compress(original, model=small.path, steps=steps)
    assert alpha_coders(data) == [GREY]
    assert same(decompress(data, models=[small.path]), original)
    monkeypatch.setattr(select, "ALPHA_MODEL", "none")
    without = compress(original, model=small.path, steps=steps)
    assert alpha_coders(without) == [coders.GRAPHIC]
    assert same(decompress(without, models=[small.path]), original)
    assert len(data) < len(without)


def test_soft_alpha_of_a_set(local_models, small_blocks):
    small = local_models["colour"]
    pictures = {f"{i}": feathered("RGBA", image[:28, :28]) for i, image in enumerate(small.images[:5])}
    pictures["long"] = feathered("RGBA", small.images[:3].reshape(-1, 40, 3))
    data = compress(pictures.items(), model=small.path, steps=0)
    assert GREY in alpha_coders(data)
    assert_same(decompress(data, models=[small.path]), pictures)


def test_a_model_is_not_tried_on_alpha_that_takes_nothing(local_models, monkeypatch):
    small = local_models["colour"]
    opaque = Picture("RGBA", np.pad(small.images[0], ((0, 0), (0, 0), (0, 1)), constant_values=255))
    tried = []
    real = search.encode
    monkeypatch.setattr(
        search, "encode", lambda model, x, **chosen: tried.append(model.fingerprint) or real(model, x, **chosen)
    )
    data = compress(opaque, model=small.path, steps=0)
    assert (tried, alpha_coders(data)) == ([small.model.fingerprint], [coders.GRAPHIC])


def test_a_file_with_its_model_needs_none_for_alpha(local_models, monkeypatch):
    small = local_models["colour"]
    original = feathered("RGBA", small.images[0])
    data = compress([("a", original)], model=small.path, steps=0, embed_model=True)
    monkeypatch.setattr(model_file, "shipped", dict)
    assert not any(map(has_model, alpha_coders(data)))
    assert same(decompress(data)["a"], original)


@pytest.mark.parametrize(
    ("name", "reason"), [("colour", "does not code such pictures"), ("nobody", "which is not here")]
)
def test_alpha_by_a_model_that_cannot_is_refused(local_models, name, reason):
    small = local_models["colour"]
    original = feathered("RGBA", small.images[0])
    data = compress(original, model=small.path, steps=0)
    mark = small.model.fingerprint if name == "colour" else b"none"
    assert data.count(GREY) == 1
    with pytest.raises(VaezipError, match=reason):
        decompress(data.replace(GREY, mark), models=[small.path])


# Refusals


def test_no_picture_at_all():
    with pytest.raises(ImageError, match="no picture"):
        compress([])


def test_a_file_that_is_made_takes_no_more_pictures():
    with Compressor() as compressor:
        compressor.add("a", picture("L", 5, 5))
        data = compressor.close()
        with pytest.raises(VaezipError, match="takes no more pictures"):
            compressor.add("b", picture("L", 5, 5))
        assert compressor.close() == data


def test_two_pictures_of_one_name():
    with pytest.raises(ImageError, match="two pictures are called 'x'"):
        compress([("x", picture("L", 4, 4)), ("x", picture("L", 5, 5))])


def test_a_name_is_free_again_after_a_refusal(small_models):
    with Compressor(model=small_models["logistic"].path) as compressor:
        with pytest.raises(ImageError):
            compressor.add("x", picture("L", 5, 5))
        compressor.add("x", tile(small_models["logistic"]))
        assert compressor.close()


def test_a_name_that_no_file_can_hold():
    """As os.fsdecode makes of a file name that is not UTF-8."""
    with pytest.raises(VaezipError):
        compress([("caf\udce9.png", picture("L", 4, 4))])


@pytest.mark.parametrize("steps", [-1, 256])
def test_steps_out_of_range(steps):
    with pytest.raises(VaezipError, match="steps"):
        compress(picture("L", 4, 4), steps=steps)


def test_a_model_that_does_not_fit(small_models):
    path = small_models["logistic"].path
    with pytest.raises(ImageError, match=r"model 'logistic' codes grey pictures of 28×28, not RGB of 5×4"):
        compress(picture("RGB", 4, 5), model=path)
    with pytest.raises(ImageError, match="RGB pictures of any size"):
        compress(picture("L", 28, 28), model=small_models["colour"].path)


@pytest.mark.parametrize(("mode", "mark"), [("P", coders.GRAPHIC), ("RGB;16", coders.DEEP), ("I;16", coders.DEEP)])
def test_what_no_model_covers_is_coded_without_one_whatever_is_asked_for(small_models, mode, mark):
    original = picture(mode, 28, 27)
    data = compress(original, model=small_models["logistic"].path)
    assert Archive(data).info()["blocks"][0] == {
        "method": coders.name_of(mark),
        "fingerprint": mark.hex(),
        "bytes": Archive(data).info()["blocks"][0]["bytes"],
        "steps": 0,
        "steps_on": None,
        "origin": None,
    }
    assert same(decompress(data), original)


def test_an_unknown_model_is_named_with_the_remedy(small_models):
    small = small_models["bernoulli"]
    fingerprint = model_file.fingerprint(small.path).hex()
    for pictures in (tile(small), [("a", tile(small))]):
        data = compress(pictures, model=small.path)
        with pytest.raises(ModelError, match=f"model 'bernoulli' of fingerprint {fingerprint}") as raised:
            decompress(data)
        assert raised.value.remedy == "model-file"
    assert Archive(data).info()["blocks"][0]["method"] == "bernoulli"


def test_a_model_whose_file_name_is_not_utf8(small_models, tmp_path):
    small = small_models["bernoulli"]
    path = shutil.copy(small.path, os.fsencode(tmp_path) + b"/caf\xe9.safetensors")
    try:
        data = compress(tile(small), model=os.fsdecode(path))
    except VaezipError:
        return
    assert same(decompress(data, models=[small.path]), tile(small))


def test_the_limit_of_pixels():
    data = compress(picture("RGB", 9, 11))
    with pytest.raises(ImageError, match=r"11×9 pixels are more than the limit of 98") as raised:
        Archive(data, max_pixels=98)
    assert raised.value.remedy == "more-pixels"
    assert Archive(data, max_pixels=99).read()


def test_a_name_that_is_not_there():
    archive = Archive(compress([("a", picture("L", 4, 4))]))
    for name in ("b", ""):
        with pytest.raises(FormatError, match=f"no picture called '{name}'"):
            archive.read(name)


def test_a_directory_that_lists_a_name_twice():
    data = compress([("a", picture("L", 4, 4)), ("b", picture("L", 4, 4, 1))])
    groups = vz.parse(data).groups
    groups[0].names = ["a", "a"]
    with pytest.raises(FormatError, match="twice"):
        Archive(vz.write_archive(groups, {}))


@pytest.mark.parametrize("what", ["pixels", "checksum"])
def test_a_block_that_does_not_decode_to_itself_is_not_written(small_models, monkeypatch, what):
    small = small_models["logistic"]
    honest = bitsback.decode

    def dishonest(*arguments, **options):
        x, seed = honest(*arguments, **options)
        if what == "pixels":
            x[0, 3, 3] ^= 1
        return x, seed ^ (what == "checksum")

    monkeypatch.setattr(bitsback, "decode", dishonest)
    for pictures in (tile(small), many(small, 3).items()):
        with pytest.raises(VaezipError, match="does not decode to itself"):
            compress(pictures, model=small.path)
        assert compress(pictures, model=small.path, verify=False)


@pytest.mark.parametrize("named", [False, True])
def test_a_file_that_does_not_read_back_is_not_written(monkeypatch, named):
    honest = vz.parse

    def dishonest(data):
        file = honest(data)
        file.groups[0].boxes[0] = ()
        return file

    monkeypatch.setattr(vz, "parse", dishonest)
    original = picture("P", 5, 6)
    pictures = [("a", original)] if named else original
    with pytest.raises(VaezipError, match="does not read back"):
        compress(pictures)
    assert compress(pictures, verify=False)


def test_much_metadata_comes_back():
    """More than 65,536 pieces were written once, and not read."""
    boxes = tuple(("text", b"k\0\0\0%d" % i) for i in range(70_000))
    original = Picture("L", picture("L", 5, 6).samples, boxes)
    assert same(decompress(compress(original, preset=1)), original)
    assert_same(decompress(compress([("a", original)], preset=1)), {"a": original})


def test_a_full_block_waits_for_nothing(small_blocks):
    """Else as many pictures as there are sizes would be held in memory."""
    pictures = {str(i): picture("L", 60, 70 + i) for i in range(3)}
    with Compressor() as compressor:
        for name, original in pictures.items():
            compressor.add(name, original)
            assert not any(pending.samples for pending in compressor._pending.values())
        assert_same(decompress(compressor.close()), pictures)


def test_one_picture_is_coded_in_a_thread(monkeypatch):
    """The main thread must be free for signals."""
    seen, honest = set(), payloads.encode
    monkeypatch.setattr(payloads, "encode", lambda *a, **k: seen.add(threading.current_thread()) or honest(*a, **k))
    compress(picture("L", 20, 30))
    assert seen
    assert threading.main_thread() not in seen


@pytest.mark.parametrize("threads", [1, 2])
def test_products_take_no_threads_of_their_own(monkeypatch, threads):
    seen, honest = [], payloads.encode
    monkeypatch.setattr(payloads, "encode", lambda *a, **k: seen.append(threadpool_info()) or honest(*a, **k))
    with threadpool_limits(2):
        compress(picture("L", 20, 30), threads=threads)
    assert {pool["num_threads"] for info in seen for pool in info} == {1}


def test_a_failing_block_in_a_thread_is_not_lost(small_models, small_blocks, monkeypatch):
    monkeypatch.setattr(bitsback, "decode", lambda *a, **k: (_ for _ in ()).throw(FormatError("broken")))
    small = small_models["logistic"]
    with pytest.raises(FormatError, match="broken"):
        compress(many(small, 20).items(), model=small.path, threads=2)


def test_no_more_pictures_are_taken_after_a_block_has_failed(small_models, small_blocks, monkeypatch):
    monkeypatch.setattr(bitsback, "decode", lambda *a, **k: (_ for _ in ()).throw(FormatError("broken")))
    small = small_models["logistic"]
    pictures = many(small, 100)
    taken = ((name, pictures.pop(name)) for name in list(pictures))
    with pytest.raises(FormatError, match="pictures before it could not be coded: broken"):
        compress(taken, model=small.path)
    assert len(pictures) > 90


@pytest.mark.parametrize("overlap", [False, True])
def test_the_threads_of_products_are_put_back(overlap):
    with threadpool_limits(2):
        before = threadpool_info()
        first, second = Compressor(), Compressor()
        for compressor in (first, second) if overlap else (second, first):
            compressor.__exit__()
        assert threadpool_info() == before


def test_a_model_in_the_file_that_cannot_be_used_is_looked_at_once(small, monkeypatch):
    mark = model_file.fingerprint(small.path)
    groups = vz.parse(compress([("a", tile(small)), ("b", tile(small))], model=small.path)).groups
    seen, honest = [], model_file.loads
    monkeypatch.setattr(model_file, "loads", lambda *a: seen.append(a) or honest(*a))
    archive = Archive(vz.write_archive(groups, {}, {mark: b"junk"}))
    for name in ("a", "b"):
        with pytest.raises(FormatError, match="cannot be used"):
            archive.read(name)
    assert len(seen) == 1


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        vaezip.open(tmp_path / "none.vz")
    (tmp_path / "a.vz").write_bytes(compress(picture("L", 4, 4)))
    assert vaezip.open(tmp_path / "a.vz").read().mode == "L"


# Damage


def assert_never_other_pixels(damaged, originals, models, seen):
    """A damaged file fails with a sentence, or gives the very pictures."""
    try:
        archive = Archive(damaged, models=models, max_pixels=1 << 14)
        for name in archive.names:
            found = archive.read(name)
            assert name in originals
            assert same(found, originals[name])
    except VaezipError as error:
        seen.append(str(error))


def places(data):
    """All bits; of a longer file, those of its header and one in thirteen of the rest."""
    return [p for p in range(8 * len(data)) if len(data) < 100 or p < 8 * 16 or p % 13 == 0]


def flipped(data):
    for place in places(data):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        yield bytes(damaged)


FILES = [
    "bernoulli",
    "bernoulli set",
    "colour",
    "wide",
    pytest.param("wide set", marks=pytest.mark.slow),
    "alpha",
    "drawn",
    "drawn set",
    "metadata",
]


@pytest.fixture(params=FILES)
def some_file(request, small_models, local_models):
    """A small file, what it holds, and the models it needs."""
    kind = request.param.split()[0]
    if kind == "alpha":
        small = local_models["grey"]
        pictures, options = {"": feathered("LA", small.images[0, :24, :24])}, {"model": small.path, "steps": 0}
        models = [small.path]
    elif kind == "wide":
        small = local_models["grey"]
        pictures, options, models = {"": wide("LA;16", small.images[0, :20, :20])}, {}, []
        if "set" in request.param:
            pictures = {f"{i}": wide("I;16", image[:16, :16]) for i, image in enumerate(small.images[:2])}
    elif kind in small_models:
        small = small_models[kind]
        first = Picture("RGB", small.images[:3].reshape(1, -1, 8, 3)[0, :20]) if kind == "colour" else tile(small)
        pictures, options = {"": first}, {"model": small.path, "steps": 3}
        if "set" in request.param:
            pictures, options["steps"] = {"x": tile(small, 1), "y": tile(small, 2)}, 1
        models = [small.path]
    else:
        pictures, options, models = {"": picture("P", 5, 6)}, {}, []
        if "set" in request.param:
            pictures = {"x": picture("P", 4, 4), "y": picture("LA", 3, 3)}
        if kind == "metadata":
            pictures = {"": Picture("L", picture("L", 3, 3).samples, (("icc", b"profile" * 9), ("gamma", bytes(4))))}
    data = compress(pictures[""] if "" in pictures else pictures.items(), **options)
    return data, pictures, models


def test_every_flipped_bit_is_found(some_file):
    data, pictures, models = some_file
    seen = []
    for damaged in flipped(data):
        assert_never_other_pixels(damaged, pictures, models, seen)
    assert len(seen) == len(places(data))
    assert all(seen)


def test_truncation_is_found(some_file):
    data, pictures, models = some_file
    lengths = sorted({*range(60), *range(0, len(data), 5), *range(len(data) - 20, len(data))} & {*range(len(data))})
    seen = []
    for length in lengths:
        assert_never_other_pixels(data[:length], pictures, models, seen)
    assert len(seen) == len(lengths)
    assert all(seen)


def test_damage_stays_in_its_block(small_models, small_blocks):
    small = small_models["bernoulli"]
    pictures = many(small, 12)
    data = bytearray(compress(pictures.items(), model=small.path))
    blocks = Archive(bytes(data), models=[small.path]).file.groups[0].blocks
    place = data.find(blocks[2].payload)
    data[place + len(blocks[2].payload) // 2] ^= 16
    for threads in (1, 2):
        found = dict(Archive(bytes(data), models=[small.path], threads=threads).pictures())
        broken = {name for name, result in found.items() if isinstance(result, VaezipError)}
        assert broken == {"006.png", "007.png", "008.png"}
        for name in set(pictures) - broken:
            assert same(found[name], pictures[name])
    with pytest.raises(FormatError):
        decompress(bytes(data), models=[small.path])


def test_solid_sets_stand_in_one_block(local_models, monkeypatch):
    small = local_models["colour"]
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 2 * 40 * 40)
    pictures = {f"{i}": Picture("RGB", image) for i, image in enumerate(small.images[:6])}
    sizes = {}
    for solid in (False, True):
        data = compress(pictures.items(), model=small.path, steps=1, solid=solid)
        archive = Archive(data, models=[small.path])
        assert len(archive.info()["blocks"]) == (1 if solid else 3)
        assert all(same(archive.read(name), picture) for name, picture in pictures.items())
        sizes[solid] = len(data)
    assert sizes[True] < sizes[False]


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("mode", ["1", "L"])
def test_a_grey_model_codes_black_and_white(local_models, mode, steps):
    small = local_models["grey"]
    samples = (small.images[0] > 100).astype(np.uint8)
    original = Picture(mode, samples if mode == "1" else samples * np.uint8(255))
    data = compress(original, model=small.path, steps=steps)
    assert Archive(data, models=[small.path]).info()["blocks"][0]["fingerprint"] == small.model.fingerprint.hex()
    assert same(decompress(data, models=[small.path]), original)


def test_auto_does_not_try_grey_models_on_black_and_white():
    shelf = library.Library()
    assert {model_file.architecture(path).levels for path, _ in shelf.fitting("1", 28, 28)} == {2}


def hostile(group, payload=b"12345"):
    group.blocks = [Block(group.blocks[0].model, payload)] * group.block_count
    group.boxes = [()] * len(group.names)
    return vz.write_archive([group], {})


@pytest.mark.parametrize("kind", ["drawn", "model"])
@pytest.mark.parametrize("shape", ["many pictures a block", "a huge picture a block"])
def test_a_small_file_cannot_ask_for_a_huge_block(small_models, kind, shape, limited_memory):
    """No block of ours holds much more than a million pixels, but for the bands of very wide pictures."""
    small = small_models["colour"]
    model = small.model.fingerprint if kind == "model" else coders.GRAPHIC
    side, count = (1 << 12, 1 << 10) if shape.startswith("many") else (1 << 14, 1)
    names = [f"{i}" for i in range(count)]
    group = Group(list(MODES).index("RGB"), side, side, count, side, names, blocks=[Block(model, b"")])
    with limited_memory(1 << 29), pytest.raises(VaezipError):
        Archive(hostile(group), models=[small.path]).read("0")


def test_a_small_inline_file_cannot_ask_for_a_huge_block(small_models, limited_memory):
    small = small_models["colour"]
    group = Group(list(MODES).index("RGB"), 1 << 14, 1 << 14, boxes=[()], blocks=[Block(small.model.fingerprint, b"")])
    with limited_memory(1 << 29), pytest.raises(VaezipError):
        Archive(vz.inline_header(group) + b"123456789", models=[small.path]).read()


@pytest.mark.parametrize("shape", [(1 << 16, 60, 4), (1 << 16, 1, 125), (1 << 14, 1, 1 << 10)])
def test_a_small_file_cannot_ask_for_the_margins_of_many_pictures(shape):
    count, height, width = shape
    group = Group(list(MODES).index("RGB"), height, width, count, height, [f"{i}" for i in range(count)])
    group.blocks = [Block(NO_MODEL, b"")]
    with pytest.raises(FormatError, match="blocks that are too large"):
        Archive(hostile(group))


@pytest.mark.parametrize("shape", [(1, 4, 1 << 26), (1, 1, 1 << 24), (1, 64, 1 << 18)])
def test_a_small_file_cannot_ask_for_the_margins_of_many_pixels(local_models, shape, limited_memory):
    small, (count, height, width) = local_models["colour"], shape
    names = [f"{i}" for i in range(count)]
    group = Group(list(MODES).index("RGB"), height, width, count, height, names)
    group.blocks = [Block(small.model.fingerprint, b"\0" + bytes(range(1, 10)))]
    group.boxes = [()] * count
    data = vz.write_archive([group], {})
    with limited_memory(1 << 29), pytest.raises(VaezipError):
        Archive(data, models=[small.path]).read("0")


def test_a_small_file_cannot_ask_for_the_tiles_of_many_pixels():
    count = 1 << 16
    group = Group(list(MODES).index("RGB"), 65, 1, count, 65, [f"{i}" for i in range(count)])
    group.blocks = [Block(model_file.fingerprint(model_file.find("cifar10")), b"")]
    with pytest.raises(FormatError, match="blocks that are too large"):
        Archive(hostile(group))


def test_without_memory_it_is_an_error_of_ours(monkeypatch):
    def decode(*_, **__):
        raise MemoryError

    data = compress([("a", picture("L", 4, 4))])
    monkeypatch.setattr(payloads, "decode", decode)
    ((name, error),) = Archive(data).pictures()
    assert (name, type(error)) == ("a", VaezipError)
    assert "not enough memory" in str(error)


@pytest.mark.parametrize("solid", [False, True])
def test_many_tiny_pictures_stand_in_blocks_that_are_decoded(solid):
    pixels = blocks.SOLID_PIXELS if solid else blocks.BLOCK_PIXELS
    for height, width in ((1, 1), (1, 5), (8, 8), (28, 28), (33, 33), (1, 3000), (2, 1 << 20)):
        group = blocks.new_group("RGB", (height, width), pixels)
        blocks.check_group(group, 1 << 28)
        assert group.per_block * height * width <= pixels or group.per_block == 1
    assert blocks.new_group("L", (28, 28), pixels).per_block == pixels // 28**2


@pytest.mark.parametrize("mode", ["L/2", "L", "RGB", "P", "I;16", "LA"])
def test_a_model_in_the_wrong_place_is_refused(small_models, mode):
    small = small_models["bernoulli"]
    block = Block(small.model.fingerprint, b"1234567890")
    group = Group(kinds.MODE_NAMES.index(mode), 28, 27, boxes=[()], blocks=[block])
    with pytest.raises(FormatError):
        Archive(vz.inline_header(group) + block.payload, models=[small.path]).read()


@pytest.mark.parametrize(
    ("mode", "boxes"), [("P", ()), ("L", ((0, bytes(3)),)), ("L", ((7, b"1"),)), ("L", ((7, bytes(4)), (2, b"x")))]
)
def test_metadata_that_does_not_suit_the_picture_is_refused_for_that_picture(mode, boxes):
    good, bad = picture("L", 4, 4), picture("L", 4, 4, 1)
    data = compress([("good", good), ("bad", bad)])
    group = vz.parse(data).groups[0]
    group.boxes[1] = boxes
    if mode == "P":  # the samples of which no model codes
        coloured = {n: Picture("P", p.samples % 16, (PALETTE,)) for n, p in (("good", good), ("bad", bad))}
        group = vz.parse(compress(coloured.items())).groups[0]
        group.boxes[1] = boxes
    found = dict(Archive(vz.write_archive([group], {})).pictures())
    assert isinstance(found["bad"], VaezipError)
    assert isinstance(found["good"], Picture)


@pytest.mark.parametrize(
    ("mode", "tag", "reason"),
    [(15, 0, "mode 15 is unknown"), (1, 16, "metadata field 16 is unknown"), (1, 200, "field 200")],
)
def test_what_a_newer_release_may_write_is_refused_by_name(mode, tag, reason):
    boxes = ((tag, b"x"),) if tag else ()
    group = Group(mode, 4, 4, boxes=[boxes], blocks=[Block(NO_MODEL, b"")])
    with pytest.raises(FormatError, match=reason):
        Archive(vz.inline_header(group) + b"payload")


def test_a_picture_without_a_size_is_refused():
    group = Group(1, 0, 0, boxes=[()], blocks=[Block(NO_MODEL, b"")])
    with pytest.raises(FormatError, match="no size"):
        Archive(vz.inline_header(group) + b"payload")


# The shelf


def test_a_model_that_was_written_anew_is_loaded_anew(small_models, tmp_path):
    first, second = small_models["bernoulli"], small_models["logistic"]
    path = shutil.copy(first.path, tmp_path / "model.safetensors")
    shelf = library.Library([path])
    assert shelf.by_name(path).fingerprint == first.model.fingerprint
    shutil.copy(second.path, path)
    assert shelf.by_fingerprint(second.model.fingerprint).fingerprint == second.model.fingerprint
    assert shelf.by_name(path).fingerprint == second.model.fingerprint
    assert shelf.file(second.model.fingerprint) == second.path.read_bytes()
    with pytest.raises(ModelError, match="has changed meanwhile"):
        shelf.file(first.model.fingerprint)


def test_a_model_is_loaded_once(small_models):
    shelf = library.Library([small_models["bernoulli"].path])
    path = small_models["bernoulli"].path
    assert shelf.by_name(path) is shelf.by_fingerprint(model_file.fingerprint(path))


@pytest.mark.parametrize(
    ("mode", "size", "fits"),
    [
        ("1", (28, 28), True),
        ("L/2", (28, 28), True),
        ("L", (28, 28), False),
        ("1", (28, 27), False),
        ("P", (28, 28), False),
    ],
)
def test_fits(small_models, mode, size, fits):
    assert kinds.fits(small_models["bernoulli"].architecture, mode, size) is fits


def test_a_pixel_network_codes_no_endless_rows(local_models):
    a, most = local_models["colour"].model.architecture, 1 << 18
    assert kinds.fits(a, "RGB", (most, most))
    assert not kinds.fits(a, "RGB", (most + 1, 1))
    assert not kinds.fits(a, "RGB", (1, most + 1))
    original = picture("RGB", 1, most + 1)
    assert library.Library().fitting("RGB", 1, most + 1) == []
    assert same(decompress(compress(original)), original)
    with pytest.raises(ImageError, match=r"codes RGB pictures of any size \(to 262,144 a side\), not RGB of 262145×1"):
        compress(original, model=local_models["colour"].path)


# Models in the file


@pytest.fixture
def nothing_shipped(monkeypatch):
    monkeypatch.setattr(model_file, "shipped", dict)


@pytest.mark.parametrize("named", [False, True])
def test_a_file_with_its_model_needs_nothing_else(small, named, nothing_shipped):
    pictures = {str(i): tile(small, i) for i in range(3)}
    data = compress(pictures.items() if named else tile(small), model=small.path, steps=1, embed_model=True)
    if named:
        assert_same(decompress(data), pictures)
    else:
        assert same(decompress(data), tile(small))
    archive = Archive(data)
    assert archive.info()["blocks"][0]["method"] == small.name
    assert [(m["name"], m["fingerprint"]) for m in archive.info()["models"]] == [
        (small.name, small.model.fingerprint.hex())
    ]


def test_the_model_in_the_file_is_that_which_was_asked_for_byte_by_byte(small):
    (model,) = vz.parse(compress(tile(small), model=small.path, embed_model=True)).embedded.values()
    assert model.unpack() == small.path.read_bytes()


def test_pictures_are_coded_alike_with_and_without_the_model(small):
    pictures = [("a", tile(small)), ("b", tile(small, 1))]
    plain, whole = (vz.parse(compress(pictures, model=small.path, embed_model=e)) for e in (False, True))
    assert plain.groups == whole.groups
    assert (len(plain.embedded), len(whole.embedded)) == (0, 1)


def test_auto_puts_every_model_that_it_used_into_the_file(shipped, dream, monkeypatch):
    real = select.worth_embedding
    monkeypatch.setattr(select, "worth_embedding", lambda blocks, sizes: real(blocks, dict.fromkeys(sizes, 1)))
    a = shipped.architecture
    mode = {(1, 2): "1", (1, 256): "L", (3, 256): "RGB"}[a.channels, a.levels]
    pictures = {"a": Picture(mode, dream(shipped, 1)[0]), "b": picture("P", 5, 6)}
    data = compress(pictures.items(), embed_model=True)
    assert len(vz.parse(data).embedded) == 1
    monkeypatch.setattr(model_file, "shipped", dict)
    assert_same(decompress(data), pictures)


def test_a_damaged_model_in_the_file_is_the_damage_of_its_blocks_alone(small):
    pictures = {"a": tile(small), "b": picture("P", 5, 6)}
    data = bytearray(compress(pictures.items(), model=small.path, embed_model=True))
    (model,) = vz.parse(bytes(data)).embedded.values()
    data[data.find(model.packed) + len(model.packed) // 2] ^= 1
    archive = Archive(bytes(data))
    assert archive.info()["models"][0]["bytes"] == len(model.packed)
    found = dict(archive.pictures())
    assert str(found["a"]) == "the model in the file is damaged"
    assert same(found["b"], pictures["b"])


def test_a_file_that_no_model_codes_holds_none():
    data = compress(picture("P", 5, 6), embed_model=True)
    assert vz.parse(data).embedded == {}
    assert same(decompress(data), picture("P", 5, 6))


def test_auto_embeds_no_model_that_costs_more_than_it_saves(dream):
    pixels = dream(model_file.load(model_file.find("mnist")), 1)[0]
    original = Picture("L", pixels)
    data = compress(original, embed_model=True)
    assert vz.parse(data).embedded == {}
    assert len(data) < len(compress(original)) + 1000
    assert same(decompress(data), original)


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ({A: 9, B: 9}, {A, B}),
        ({A: 9, B: 50}, {A}),  # B saves 50 bytes
        ({A: 120, B: 9}, {B}),  # A saves 110 bytes, and 60 more than B
        ({A: 200, B: 200}, set()),
    ],
)
def test_models_are_embedded_that_save_more_than_they_take(sizes, kept):
    first = [Block(A, bytes(10)), Block(B, bytes(60)), Block(coders.GRAPHIC, bytes(120))]
    second = [Block(A, bytes(100)), Block(B, bytes(50)), Block(coders.GRAPHIC, bytes(100))]
    assert select.worth_embedding([first, second], sizes) == kept


def test_the_model_in_the_file_goes_before_others_of_its_fingerprint(small, monkeypatch):
    data = compress(tile(small), model=small.path, embed_model=True)
    monkeypatch.delattr(library.Library, "by_fingerprint")
    assert same(Archive(data, models=[small.path]).read(), tile(small))


def test_the_models_of_one_file_are_not_used_for_another(small, nothing_shipped):
    shelf = library.Library()
    whole, bare = (compress([("a", tile(small))], model=small.path, embed_model=e) for e in (True, False))
    assert same(Archive(whole, library=shelf).read("a"), tile(small))
    with pytest.raises(ModelError, match="which is not here"):
        Archive(bare, library=shelf).read("a")


def test_a_model_that_changes_meanwhile_is_not_put_into_a_file(small_models, tmp_path):
    path = tmp_path / "m.safetensors"
    shutil.copy(small_models["logistic"].path, path)
    with Compressor(model=path, embed_model=True) as compressor:
        compressor.add("", tile(small_models["logistic"]))
        shutil.copy(small_models["bernoulli"].path, path)
        with pytest.raises(ModelError, match="has changed meanwhile"):
            compressor.close()
    with Compressor(model=path, embed_model=True) as compressor:
        compressor.add("", tile(small_models["bernoulli"]))
        path.unlink()
        with pytest.raises(ModelError, match="cannot be read"):
            compressor.close()


def with_model(small, model):
    """A file that names the fingerprint of a small model, but holds these bytes as the model."""
    archive = vz.parse(compress([("a", tile(small))], model=small.path))
    return vz.write_archive(archive.groups, {}, {small.model.fingerprint: model})


def test_a_model_of_another_fingerprint_is_refused(small_models):
    small, other = small_models["logistic"], small_models["bernoulli"]
    with pytest.raises(FormatError) as caught:
        decompress(with_model(small, other.path.read_bytes()))
    assert str(caught.value) == (
        f"the model in the file has fingerprint {other.model.fingerprint.hex()}, "
        f"not {small.model.fingerprint.hex()}, by which the file names it; the file is damaged"
    )


def test_a_model_that_is_none_is_refused(small):
    data = small.path.read_bytes()
    for model in (b"", b"junk", data[:-1], data[:100], data + b"x", b"\xff" * 8 + data[8:]):
        with pytest.raises(FormatError, match=r"the model in the file cannot be used: model '.*': not a vaezip model"):
            decompress(with_model(small, model))


def rewritten(small, **metadata):
    """The bytes of a model with other metadata."""
    data = small.path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] |= metadata
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def architecture(small, **fields):
    return {"architecture": json.dumps(json.loads(small.architecture.to_json()) | fields)}


LAYER = {"name": "x", "inputs": 1, "outputs": 1, "relu": True}


@pytest.mark.parametrize(
    "fields",
    [
        {"tile": [4096, 4096]},
        {"tile": []},
        {"tile": [8]},
        {"tile": [1e300, 1]},
        {"tile": ["8", "8"]},
        {"latent": [0]},
        {"latent": [-1, -2, -2]},
        {"latent": [4096, 4096, 2]},
        {"encoder": []},
        {"encoder": [{"kind": "space_to_depth", "factor": 0}]},
        {"encoder": [{"kind": "conv", **LAYER, "inputs": 0}]},
        {"encoder": [{"kind": "conv", **LAYER, "inputs": -3, "outputs": -5}]},
        {"encoder": [{"kind": "conv", **LAYER, "outputs": 1 << 40}]},
        {"encoder": [{"kind": "dense", **LAYER, "outputs": None}]},
        {"decoder": [{"kind": "depth_to_space", "factor": 1 << 40}]},
        {"decoder": [{"kind": "residual", "first": LAYER, "second": LAYER}]},
        {"channels": 3, "likelihood": "logistic"},
        {"exponent": 1 << 40},
    ],
    ids=str,
)
def test_a_hostile_architecture_is_refused(small_models, fields, limited_memory):
    small = small_models["colour"]
    with limited_memory(1 << 29), pytest.raises(FormatError, match="the model in the file cannot be used"):
        decompress(with_model(small, rewritten(small, **architecture(small, **fields))))


@pytest.mark.parametrize("text", ["[" * 100_000, "NaN", "[]", "{}", "", '"x"', "null"])
@pytest.mark.parametrize("field", ["architecture", "settings"])
def test_hostile_metadata_is_refused(small_models, field, text):
    small = small_models["colour"]
    with pytest.raises(FormatError, match="the model in the file"):
        decompress(with_model(small, rewritten(small, **{field: text})))


def test_a_model_with_flipped_bits_never_gives_other_pixels(small_models):
    small = small_models["bernoulli"]
    model = small.path.read_bytes()
    rng = np.random.default_rng(0)
    header = 8 + int.from_bytes(model[:8], "little")
    for place in [*rng.integers(0, 8 * header, 60), *rng.integers(8 * header, 8 * len(model), 10)]:
        damaged = bytearray(model)
        damaged[place // 8] ^= 1 << place % 8
        with contextlib.suppress(VaezipError):
            assert same(decompress(with_model(small, bytes(damaged)))["a"], tile(small))


def test_the_file_of_an_icon_takes_24_bytes_more_than_its_payload_at_most():
    icon = np.random.default_rng(0).integers(0, 256, (4, 4)).astype(np.uint8)[np.indices((16, 16)).sum(0) % 4, 2]
    data = vaezip.compress(vaezip.Picture("L", icon[..., None]))
    assert len(data) <= vaezip.Archive(data).info()["pictures"][0]["bytes"] + 24


def test_a_file_without_bytes_is_refused():
    with vaezip.Compressor() as some, pytest.raises(ImageError, match="no pixels to code"):
        some.add("", None, original=b"")
