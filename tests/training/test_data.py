from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.errors import DataError
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.pictures.picture import MODES, Picture
from vaezip.training import data
from vaezip.training.data import cut, split, survey
from vaezip.training.families.base import MostTiles
from vaezip.training.families.pixel.family import PixelFamily
from vaezip.training.families.pixel.tiles import SIDE, tiles
from vaezip.training.families.tile.family import TileFamily

COLOUR = resnet(2, hidden=8, blocks=1, size=8)
LOCAL = pixel_architecture(3, hidden=32, blocks=1, head=8, mixture=2, latents=2)


def silent(_):
    pass


def picture(mode, height, width, seed=0):
    rng = np.random.default_rng(seed)
    kind = MODES[mode]
    samples = rng.integers(0, 1 << kind.bits, (height, width, kind.channels)).astype(kind.dtype)
    return Picture(mode, samples, (("palette", rng.bytes(768)),) if mode == "P" else ())


def black_and_white(height, width):
    return Picture("L", picture("1", height, width).samples * np.uint8(255))


def folder(path, *pictures):
    path.mkdir(exist_ok=True)
    for i, held in enumerate(pictures):
        (path / f"{i}.png").write_bytes(vaezip.pictures.write(held, ".png"))
    return str(path)


# Tiles


def test_tiles_cover_a_picture_and_are_whole():
    held = picture("RGB", 19, 8)
    tiles = cut(COLOUR, held)
    assert [tile.tolist() for tile in tiles] == [held.samples[y : y + 8].tolist() for y in (0, 8, 11)]


def test_a_picture_smaller_than_a_tile_is_continued_by_its_edge():
    held = picture("RGB", 3, 8)
    (tile,) = cut(COLOUR, held)
    assert np.array_equal(tile[:3], held.samples)
    assert all(np.array_equal(row, held.samples[2]) for row in tile[3:])


def test_tiles_of_a_local_model_have_their_surroundings():
    held = picture("RGBA", 40, 20)
    found = cut(LOCAL, held)
    assert np.array_equal(found, tiles(held.samples[None, ..., :3], LOCAL))
    assert found.shape == (2, *SIDE, 4)


def test_alpha_is_left_out():
    held = picture("RGBA", 8, 8)
    assert np.array_equal(cut(COLOUR, held)[0], held.samples[..., :3])


def test_grey_of_black_and_white_becomes_bits():
    held = black_and_white(28, 28)
    assert np.array_equal(cut(mlp("bernoulli"), held)[0] * 255, held.samples)


# Surveys


@pytest.mark.parametrize(
    ("pictures", "likelihood"),
    [
        ([picture("RGB", 5, 6), picture("RGBA", 5, 6)], "colour-logistic"),
        ([picture("L", 5, 6), picture("LA", 7, 6)], "logistic"),
        ([picture("L", 5, 6), black_and_white(5, 6)], "logistic"),
        ([picture("1", 5, 6)], "bernoulli"),
        ([black_and_white(5, 6)], "bernoulli"),
        ([black_and_white(5, 6), picture("1", 5, 6)], "bernoulli"),
    ],
)
def test_the_likelihood_is_that_of_the_pictures(tmp_path, pictures, likelihood):
    found = survey(folder(tmp_path / "a", *pictures), silent)
    assert found.planes.likelihood == likelihood
    assert found.sizes == {p.samples.shape[:2] for p in pictures}
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("pictures", "reason"),
    [
        (
            [picture("L", 5, 6), picture("RGB", 5, 6), picture("L", 9, 6)],
            "holds pictures of several kinds (2 of mode L, 1 of mode RGB); put each kind into a folder of its own",
        ),
        (
            [black_and_white(5, 6), picture("RGB", 5, 6)],
            "holds pictures of several kinds (1 of mode L, 1 of mode RGB); put each kind into a folder of its own",
        ),
        ([picture("P", 9, 9)], "no model codes pictures of mode P; convert them to 1, L or RGB"),
        ([picture("I;16", 9, 9)], "no model codes pictures of mode I;16; convert them to 1, L or RGB"),
    ],
)
def test_pictures_that_no_one_model_codes_are_refused(tmp_path, pictures, reason):
    with pytest.raises(DataError) as caught:
        survey(folder(tmp_path / "a", *pictures), silent)
    assert str(caught.value) == reason


def test_unreadable_pictures_are_skipped_and_listed(tmp_path):
    source = folder(tmp_path / "a", picture("L", 5, 6))
    Path(source, "x.png").write_bytes(b"junk")
    found = survey(source, silent)
    assert len(found.collection) == 1
    assert [line.split(": ")[0] for line in found.skipped] == [str(Path(source, "x.png"))]


# Splits


@pytest.fixture
def found(tmp_path):
    return survey(folder(tmp_path / "a", *(picture("RGB", 8 + 8 * (i % 2), 8, i) for i in range(10))), silent)


def halved(found, architecture=COLOUR, *, share, seed=0):
    return split(found, architecture, share=share, seed=seed, report=silent)


def of_pictures(found, tiles):
    """The numbers of the pictures that tiles are of."""
    first = {cut(COLOUR, p)[0].tobytes(): name for name, p in found.collection}
    return sorted(first[tile.tobytes()] for tile in tiles if tile.tobytes() in first)


def test_the_parts_share_no_picture(found):
    parts = halved(found, share=0.3)
    train, valid = of_pictures(found, parts.train), of_pictures(found, parts.valid)
    assert parts.counts == (len(train), len(valid)) == (7, 3)
    assert sorted(train + valid) == sorted(found.collection.labels)
    assert sorted(name for name, _ in parts.held_out) == valid
    assert len(parts.train) + len(parts.valid) == 15


def test_the_seed_draws_the_parts(found):
    one, again, other = (halved(found, share=0.3, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.train, again.train)
    assert of_pictures(found, one.valid) != of_pictures(found, other.valid)


def test_of_many_tiles_some_are_drawn_from_every_picture(found, monkeypatch):
    monkeypatch.setattr(TileFamily, "most_tiles", MostTiles(9, 9))
    assert len(halved(found, share=0.1).train) == 9


def test_a_local_model_has_a_number_of_tiles_of_its_own(found, monkeypatch):
    monkeypatch.setattr(PixelFamily, "most_tiles", MostTiles(4, 1))
    parts = halved(found, LOCAL, share=0.3)
    assert (len(parts.train), len(parts.valid), parts.counts) == (4, 1, (7, 3))


def test_the_pictures_to_try_the_model_on_are_few(found, monkeypatch):
    monkeypatch.setattr(data, "_HELD_OUT_VALUES", 1)
    assert len(halved(found, share=0.5).held_out) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_pictures_cannot_be_split(tmp_path, count):
    found = survey(folder(tmp_path / "a", *[picture("RGB", 8, 8)] * count), silent)
    with pytest.raises(DataError) as caught:
        halved(found, share=0.5)
    assert str(caught.value) == (f"has too few pictures to train on and to hold one out ({count}); give at least 3")


def test_as_few_as_are_asked_for_can_be_split(tmp_path):
    found = survey(folder(tmp_path / "a", *[picture("RGB", 8, 8)] * 3), silent)
    assert halved(found, share=0.1).counts == (2, 1)


def test_two_large_pictures_can_be_split(tmp_path):
    found = survey(folder(tmp_path / "a", *[picture("RGB", 99, 99)] * 2), silent)
    assert halved(found, share=0.99).counts == (1, 1)


def test_a_share_that_leaves_too_little_to_train_on(tmp_path):
    found = survey(folder(tmp_path / "a", *[picture("RGB", 8, 8)] * 20), silent)
    with pytest.raises(DataError) as caught:
        halved(found, share=0.99)
    assert str(caught.value) == "a share of 0.99 held out leaves too few of 20 pictures to train on"
    assert caught.value.remedy == "smaller-valid"


def test_a_named_data_set_is_tried_on_its_test_images(tmp_path, monkeypatch):
    home = tmp_path / "mnist"
    home.mkdir()
    for name, count in (("train-images-idx3-ubyte", 6), ("t10k-images-idx3-ubyte", 3)):
        head = np.array([2051, count, 28, 28], ">u4").tobytes()
        (home / name).write_bytes(head + bytes([7, count]) * (count * 392))
    monkeypatch.setenv("VAEZIP_DATA", str(tmp_path))
    parts = halved(survey("mnist", silent), mlp("logistic"), share=0.2)
    assert parts.counts == (5, 1)
    assert [int(p.samples.max()) for _, p in parts.held_out] == [7, 7, 7]
    assert parts.published


def test_pictures_held_out_of_a_folder_are_no_published_ones(found):
    assert not halved(found, share=0.3).published
