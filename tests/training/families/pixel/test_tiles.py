import numpy as np
import pytest
from PIL import Image

from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.pixel.constants import RADIUS
from vaezip.models.pixel.context import framed
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.training.families.pixel.tiles import (
    CODED,
    SIDE,
    Photographs,
    RegressedPhotographs,
    Small,
    luma_and_chroma,
    split_photographs,
    tiles,
    varied,
)

GREY, COLOUR, REGRESSED = pixel_architecture(1), pixel_architecture(3), pixel_architecture(3, predictors=1)


def parts(found):
    """The pixels of tiles, and which of them are coded; no surroundings are."""
    inside = np.zeros(found.shape[:-1], np.uint8)
    inside[CODED] = found[(*CODED, -1)]
    assert np.array_equal(found[..., -1], inside)
    return found[..., :-1], found[(*CODED, -1)].astype(bool)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for source in range(30):
        for part in range(2):
            size = (20, 20, 3) if source == 29 else (50, 60, 3)
            Image.fromarray(rng.integers(0, 256, size).astype(np.uint8)).save(tmp_path / f"{source:02d}_{part}.png")
    Image.new("L", (60, 60)).save(tmp_path / "grey_0.png")
    return tmp_path


def test_parts_of_a_photograph_stay_together(folder):
    train, held = split_photographs(folder, 5)
    assert (len(train) + len(held)) % 2 == 0
    assert 8 <= len(held) <= 10  # two parts each; the small one may be among them
    assert len(train) + len(held) == 58
    assert not {p.tobytes() for p in train} & {p.tobytes() for p in held}


def test_tiles_of_photographs(folder):
    source = Photographs(folder, COLOUR)
    found = source.batch(7, np.random.default_rng(1))
    assert found.shape == (7, *SIDE, 4)
    assert found.dtype == np.uint8
    assert parts(found)[1].all()
    assert np.array_equal(found, source.batch(7, np.random.default_rng(1)))


def test_some_tiles_are_pictures_of_their_own(folder):
    source = Photographs(folder, COLOUR)
    drawn = (parts(source.batch(1, np.random.default_rng(seed)))[0] for seed in range(60))
    alone = [(frames[:, :RADIUS] == 128).all() for frames in drawn]
    assert 3 < sum(alone) < 25


def test_grey_photographs(folder):
    source = Photographs(folder, GREY)
    assert source.batch(2, np.random.default_rng(0)).shape == (2, *SIDE, 2)
    assert all(p.shape[-1] == 1 and p.dtype == np.uint8 for p in source.held_out())


def test_regressed_tiles_are_parts_of_whole_photographs(folder):
    source = RegressedPhotographs(folder, REGRESSED)
    source.prepare(3)
    first = source.frames
    found = source.batch(5, np.random.default_rng(1))
    assert found.shape == (5, *SIDE, REGRESSED.planes + 1)
    assert found.dtype == np.int16
    tile = found[0, ..., :-1]
    windows = (f[y : y + SIDE[0], x : x + SIDE[1]] for f in first for y in range(29) for x in range(29))
    assert any(np.array_equal(tile, window) for window in windows)
    source.prepare(4)
    assert not np.array_equal(found, source.batch(5, np.random.default_rng(1)))
    source.prepare(3)
    assert np.array_equal(found, source.batch(5, np.random.default_rng(1)))


def test_some_regressed_tiles_are_pictures_of_their_own(folder):
    source = RegressedPhotographs(folder, REGRESSED)
    source.prepare(0)
    alone = 0
    for seed in range(60):
        frame = source.batch(1, np.random.default_rng(seed))[..., :-1]
        again = frame_with_predictions(REGRESSED, frame[(*CODED, slice(3))].astype(np.uint8))
        alone += np.array_equal(frame, again)
    assert 3 < alone < 25


def test_small_pictures(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (1200, 28, 28, 1)).astype(np.uint8)
    monkeypatch.setattr("vaezip.pictures.datasets.load", lambda name, split, data: images)
    source = Small("mnist", None, GREY, mirrored=True)
    (held,) = source.held_out()
    assert len(held) == 1000
    assert len(source.train) == 200
    frames, mask = parts(source.batch(9, np.random.default_rng(3)))
    assert frames.shape == (9, *SIDE, 1)
    assert mask[:, :28, :28].all()
    assert mask.sum() == 9 * 28 * 28
    shown = frames[:, RADIUS : RADIUS + 28, RADIUS : RADIUS + 28]
    known = {p.tobytes() for p in source.train}
    mirrored = {np.ascontiguousarray(p[:, ::-1]).tobytes() for p in source.train}
    kinds = [(p.tobytes() in known, p.tobytes() in mirrored) for p in shown]
    assert all(one != other for one, other in kinds)
    assert {one for one, _ in kinds} == {True, False}


def test_black_and_white_pictures_are_those_of_a_grey_model(monkeypatch):
    images = np.random.default_rng(0).integers(0, 2, (1010, 28, 28, 1)).astype(np.uint8)
    monkeypatch.setattr("vaezip.pictures.datasets.load", lambda name, split, data: images)
    source = Small("mnist-binary", None, GREY, mirrored=False)
    assert set(np.unique(source.train)) == {0, 255}
    assert source.train.mean() == pytest.approx(255 * images.mean(), abs=15)


def test_all_tiles_of_large_pictures():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 40, 70, 3)).astype(np.uint8)
    frames, mask = parts(tiles(pictures, COLOUR))
    assert len(frames) == 2 * 2 * 3
    assert mask.sum() == 2 * 40 * 70
    frame = framed(pictures)
    assert np.array_equal(frames[0], frame[0, : SIDE[0], : SIDE[1]])
    assert np.array_equal(frames[1], frame[0, : SIDE[0], 32 : 32 + SIDE[1]])
    assert mask[6].sum() == 8 * 32


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (33, 31)])
def test_tiles_of_pictures_of_every_size_code_each_pixel_once(size):
    pictures = np.random.default_rng(0).integers(0, 256, (2, *size, 1)).astype(np.uint8)
    frames, mask = parts(tiles(pictures, GREY))
    assert np.array_equal(np.sort(frames[CODED][mask], axis=None), np.sort(pictures, axis=None))


def test_variations_are_of_every_kind():
    square = np.full((38, 38, 3), 100, np.float32) + np.float32([0, 30, 60])
    kinds = set()
    for seed in range(200):
        x = varied(square, np.random.default_rng(seed))
        assert x.min() >= 0
        assert x.max() <= 255
        assert np.array_equal(x, np.rint(x))
        kinds.add("plain" if np.array_equal(x, square) else "order" if x.std((0, 1)).max() == 0 else "noise")
    assert kinds == {"plain", "order", "noise"}


def test_luma_and_chroma_are_those_of_jfif():
    square = np.float32([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]]])
    assert np.array_equal(luma_and_chroma(square)[0], [[255, 76, 85], [21, 150, 44], [107, 29, 255], [128, 90, 128]])


def test_a_smaller_range_holds_luma_and_chroma():
    square = np.float32([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]])
    planes = luma_and_chroma(square, of_luma=219 / 255, of_chroma=224 / 255, low=16)
    assert np.array_equal(planes[0], [[128, 235, 128], [128, 16, 128], [240, 81, 90]])
