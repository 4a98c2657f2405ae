"""A greater K or preset never makes a file larger, on made pictures of every family; a file is never much larger
than its input."""

from itertools import pairwise

import numpy as np
import pytest

import vaezip
from vaezip.codec import blocks, compressor
from vaezip.models import file as model_file
from vaezip.models.effort import FEW_PIXELS, LADDER, PRESETS, of_steps, scale
from vaezip.models.sampling import sample
from vaezip.pictures import Picture

STEPS = (0, 1, 2, 3, 5, 8)


def made(mode, height, width, kind, seed=0):
    """A ramp with noise, noise alone, or one value."""
    rng = np.random.default_rng(seed)
    channels = vaezip.pictures.MODES[mode].channels
    y, x = np.mgrid[:height, :width]
    ramp = {"ramp": (3 * x + 2 * y)[..., None], "noise": 0 * x[..., None], "flat": 100 + 0 * x[..., None]}[kind]
    noise = rng.integers(0, {"ramp": 9, "noise": 256, "flat": 1}[kind], (height, width, channels))
    samples = (ramp + noise) % 256
    return Picture(mode, (samples % 2 if mode == "1" else samples).astype(np.uint8))


PICTURES = {
    **{
        f"{mode} {kind}": made(mode, 22, 25, kind)
        for mode in ("L", "RGB", "RGBA")
        for kind in ("ramp", "noise", "flat")
    },
    "black and white": made("1", 28, 28, "noise"),
}
QUICK = ("L ramp", "black and white")
NAMES = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in PICTURES]


def sizes(picture, options):
    found = []
    for option in options:
        data = vaezip.compress(picture, **option)
        assert vaezip.pictures.same(vaezip.decompress(data), picture)
        found.append(len(data))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_greater_preset_is_never_larger(name):
    found = sizes(PICTURES[name], [{"preset": preset} for preset in PRESETS])
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_more_steps_are_never_larger(name):
    found = sizes(PICTURES[name], [{"steps": steps} for steps in STEPS])
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    "model",
    ["mnist", "mnist-binary", *(pytest.param(name, marks=pytest.mark.slow) for name in ("photo-gray", "photo-small"))],
)
def test_more_steps_are_never_larger_by_a_chosen_model(model):
    pictures = {f"{i}": p for i, p in enumerate(sample(vaezip.load_model(model_file.find(model)), 3, seed=3))}
    for some in ({"0": pictures["0"]}, pictures):
        found = [len(vaezip.compress(some.items(), model=model, steps=steps)) for steps in STEPS]
        assert found == sorted(found, reverse=True)


def test_efforts_are_in_one_order():
    known = scale()
    assert [known.index(effort) for effort in PRESETS.values()] == sorted(map(known.index, PRESETS.values()))
    few, many = (1, 10, 10, 3), (FEW_PIXELS, 2, 2, 3)
    for lesser, greater in pairwise(known):
        assert set(lesser.numbers_of_steps(few)) <= set(greater.numbers_of_steps(few)) or not lesser.rows
        assert greater.included(many) == ([of_steps(1), greater] if greater.steps > 1 else [greater])
        assert greater.included(few)[-1] == greater
    assert set(LADDER) <= set(range(256))


@pytest.mark.parametrize("size", [(1, 1), (5, 6), (40, 40)])
@pytest.mark.parametrize("suffix", [".png", ".pgm", ".tif", ".bmp"])
def test_no_file_is_more_than_32_bytes_larger_than_its_input(size, suffix):
    picture = made("L", *size, "noise", seed=5)
    original = vaezip.pictures.write(picture, suffix)
    with vaezip.Compressor(preset=1) as compressor:
        compressor.add("", picture, original=original)
        data = compressor.close()
    assert len(data) <= len(original) + 32
    assert vaezip.pictures.same(vaezip.decompress(data), picture)


def test_a_file_that_is_kept_as_it_was_comes_back_byte_for_byte():
    picture = made("L", 80, 80, "noise")
    original = vaezip.pictures.write(picture, ".pgm").replace(b"P5\n", b"P5\n# made by hand\n")
    with vaezip.Compressor(preset=1) as compressor:
        compressor.add("a.pgm", picture, original=original)
        archive = vaezip.Archive(compressor.close())
    assert archive.info()["blocks"][0]["method"] == "verbatim"
    assert archive.original("a.pgm") == original
    assert vaezip.pictures.write(archive.read("a.pgm"), ".pgm") == original
    assert vaezip.pictures.same(vaezip.pictures.read(vaezip.pictures.write(archive.read("a.pgm"), ".png")), picture)


def test_damage_to_a_file_that_is_kept_is_found():
    picture = made("L", 20, 20, "noise")
    with vaezip.Compressor(preset=1) as compressor:
        compressor.add("", picture, original=vaezip.pictures.write(picture, ".pgm"))
        data = bytearray(compressor.close())
    for place in (*range(6, 24), len(data) - 1):
        damaged = bytes(data[:place]) + bytes([data[place] ^ 4]) + bytes(data[place + 1 :])
        with pytest.raises(vaezip.VaezipError):
            vaezip.decompress(damaged)


def test_an_original_is_kept_whatever_it_takes(monkeypatch):
    """Its bytes are a row, which may be longer than the rows of pictures."""
    picture = made("L", 4, 4, "noise")
    original = vaezip.pictures.write(picture, ".pgm").replace(b"P5\n", b"P5\n#" + b"-" * 300_000 + b"\n")
    monkeypatch.setattr(compressor.Compressor, "_close_inline", lambda _: bytes(1 << 20))
    with vaezip.Compressor(preset=1) as made_anew:
        made_anew.add("", picture, original=original)
        data = made_anew.close()
    assert len(data) <= len(original) + 32
    assert vaezip.Archive(data).original() == original


def files_of_a_set():
    """Pictures that code well, among others that do not; some share a block."""
    pictures = {f"flat{i}.pgm": made("L", 30, 37, "flat") for i in range(3)}
    pictures |= {f"noise{i}.pgm": made("L", 9 + i, 9, "noise", i) for i in range(4)}
    pictures |= {f"same{i}.pgm": made("L", 8, 8, "noise", i) for i in range(3)}
    return pictures, {name: vaezip.pictures.write(picture, ".pgm") for name, picture in pictures.items()}


def compressed(pictures, originals, **options):
    with vaezip.Compressor(preset=1, **options) as compressor:
        for name, picture in pictures.items():
            compressor.add(name, picture, original=originals.get(name))
        return compressor.close()


@pytest.mark.parametrize("options", [{}, {"embed_model": True}])
def test_pictures_of_a_set_are_kept_as_they_were_one_by_one(options):
    pictures, originals = files_of_a_set()
    data = compressed(pictures, originals, **options)
    archive = vaezip.Archive(data)
    methods = {p["name"]: p["mode"] for p in archive.info()["pictures"]}
    assert {name for name, mode in methods.items() if mode == "verbatim"} == {
        name for name in pictures if name.startswith("noise")
    }
    assert len(data) <= sum(map(len, originals.values())) + sum(32 + len(name) for name in pictures) + 32
    found = dict(archive.pictures())
    assert all(vaezip.pictures.same(found[name], picture) for name, picture in pictures.items())
    assert archive.original("noise1.pgm") == originals["noise1.pgm"]


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_set_takes_at_most_32_bytes_and_a_name_more_for_each_picture(count):
    pictures = {f"{i:03}/a name.pgm": made("L", 5, 3 + i, "noise", i) for i in range(count)}
    originals = {name: vaezip.pictures.write(picture, ".pgm") for name, picture in pictures.items()}
    data = compressed(pictures, originals)
    assert len(data) <= sum(map(len, originals.values())) + sum(32 + len(name) for name in pictures) + 32


def test_pictures_that_share_a_block_are_coded_where_an_original_is_unknown():
    pictures, originals = files_of_a_set()
    del originals["same1.pgm"]
    info = vaezip.Archive(compressed(pictures, originals)).info()
    assert {p["mode"] for p in info["pictures"] if p["name"].startswith("same")} == {"L"}


def test_a_set_with_a_model_that_costs_too_much_holds_its_files():
    pictures, originals = files_of_a_set()
    data = compressed(pictures, originals, model="photo-gray", embed_model=True)
    assert {p["mode"] for p in vaezip.Archive(data).info()["pictures"]} == {"verbatim"}


def test_originals_are_forgotten_as_soon_as_a_block_is_shorter(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 1024)
    picture = made("L", 32, 32, "flat")
    original = vaezip.pictures.write(picture, ".pgm")
    with vaezip.Compressor(preset=1, model="photo-gray") as some:
        for i in range(4):
            some.add(f"{i}", picture, original=original)
            for job in some._flight.running:
                job.result()
        (pending,) = some._pending.values()
        assert [bool(run.originals()) for run in pending.runs] == [False, False, False, True]
