"""Blocks that are made of others: chosen where they are shorter, and read by both readers."""

import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import vaezip
from tests.origins.pictures import frame
from vaezip.cli import main
from vaezip.codec import choice, coders, encoding, payload, remade, remaking
from vaezip.codec.jobs import BlockJob
from vaezip.errors import VaezipError
from vaezip.models import file as model_file
from vaezip.models.effort import PRESETS, Effort
from vaezip.models.library import Library, Reference
from vaezip.origins import cutting, ranking
from vaezip.origins.bayer import Layout

ROOT = Path(__file__).parents[2]
if str(ROOT / "docs") not in sys.path:
    sys.path.insert(0, str(ROOT / "docs"))

import reference_decoder  # noqa: E402

MODELS = ROOT / "models"
EFFORT = Effort(1, 4, 4, turns=1)


def smooth(channels, *, height=24, width=32, seed=0, pictures=1):
    """Draw waves with noise: (pictures, height, width, channels)."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).integers(-9, 10, (pictures, height, width, channels))
    found = 128 + 70 * np.sin(x / 7)[..., None] + 40 * np.cos(y / 9)[..., None] + noise
    return np.clip(found, 0, 255).astype(np.uint8)


def spread(samples, mode):
    """Give samples holes: every sixth value of 8 bits, or 8 bits of 16, or 12."""
    if not mode.endswith("16"):
        return samples // 6 * 6
    return samples.astype(np.uint16) * 257


def tinted(grey):
    """Give grey pictures (pictures, height, width, 1) the colours of a sepia print."""
    return (grey * np.array([1.0, 0.84, 0.66])).astype(np.uint8)


def compressed(samples, mode, **options):
    return vaezip.compress(vaezip.Picture(mode, samples), **{"effort": EFFORT, **options})


def blocks(data):
    return vaezip.Archive(data).info()["blocks"]


def both(data, name=""):
    """What both readers make of a file."""
    ours = vaezip.Archive(data).read(name)
    theirs = reference_decoder.decode(data, reference_decoder.load_models(MODELS))[name]
    return ours.samples, theirs.samples


@pytest.fixture
def remade_alone(monkeypatch):
    """Nothing else is tried, and parts are coded without models, which takes no time."""
    monkeypatch.setattr(choice, "promising", _promising)
    monkeypatch.setattr(ranking, "promises", lambda samples, mode: mode in ranking.NARROW)


def _promising(job):
    own = [one for one in job.candidates if one == coders.REMADE]
    return own or [coders.of_any(job.mode)]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "LA;16", "RGB;16", "RGBA;16"])
def test_both_readers_read_values_of_every_mode(remade_alone, mode):
    channels = {"I": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode.split(";")[0]]
    samples = spread(smooth(channels, height=16, width=20), mode)[0]
    data = compressed(samples, mode)
    (block,) = blocks(data)
    assert block["method"] == "remade"
    assert block["origin"]["name"].startswith("values with holes (")
    assert [part["mode"] for part in block["origin"]["parts"]] == [ranking.NARROW[mode]]
    for found in both(data):
        assert np.array_equal(found, samples)


def test_ranks_may_have_more_than_8_bits(remade_alone):
    samples = (smooth(1)[0].astype(np.uint16) * 16 + np.arange(32, dtype=np.uint16)[:, None] % 16) * 9
    data = compressed(samples, "I;16")
    assert [part["mode"] for part in blocks(data)[0]["origin"]["parts"]] == ["I;16"]
    for found in both(data):
        assert np.array_equal(found, samples)


def test_values_with_holes_are_shorter_by_a_model(monkeypatch):
    samples = spread(smooth(1, height=40, width=40)[0], "L")
    data = compressed(samples, "L")
    (block,) = blocks(data)
    assert block["method"] == "remade"
    assert block["origin"]["parts"][0]["fingerprint"] == model_file.fingerprint(model_file.find("photo-gray")).hex()
    for found in both(data):
        assert np.array_equal(found, samples)
    monkeypatch.setattr(remaking, "with_kind", lambda job: job)
    assert len(data) < len(compressed(samples, "L"))


def scanned(height, width):
    """Draw what a scan of ink looks like: soft grains, mostly black or white, in 16 greys."""
    grains = np.random.default_rng(0).integers(0, 64, (height + 2, width + 2))
    for _ in range(2):
        grains = grains[:-1] + grains[1:]
        grains = grains[:, :-1] + grains[:, 1:]
    return (((grains - 504) // 8 + 8).clip(0, 15) * 17).astype(np.uint8)[..., None]


def test_ranks_of_few_greys_are_shorter_as_samples(monkeypatch):
    samples = scanned(96, 128)
    data = compressed(samples, "L")
    assert all(np.array_equal(found, samples) for found in both(data))
    monkeypatch.setattr(remaking, "_FEW_RANKS", 0)
    assert len(data) < 0.97 * len(compressed(samples, "L"))


def test_a_trial_on_a_part_tells_where_that_is_enough(monkeypatch):
    tried, coded = [], payload.encode
    monkeypatch.setattr(choice, "trial_part", lambda samples: samples[:, :16, :16])
    monkeypatch.setattr(remaking, "settles", lambda job, *, drawn: False)
    monkeypatch.setattr(
        payload, "encode", lambda samples, *a, **o: tried.append(samples.shape[1]) or coded(samples, *a, **o)
    )
    samples = spread(smooth(1, height=40, width=40)[0], "L")
    assert blocks(compressed(samples, "L"))[0]["method"] == "remade"
    assert 16 in tried


def test_a_picture_without_holes_keeps_its_bytes(monkeypatch):
    samples = smooth(1)[0]
    data = compressed(samples, "L")
    monkeypatch.setattr(remaking, "with_kind", lambda job: job)
    assert compressed(samples, "L") == data


def test_a_set_with_models_in_it_needs_no_others():
    pictures = {f"{i}.png": vaezip.Picture("L", spread(smooth(1, seed=i, height=40, width=40)[0], "L")) for i in (0, 1)}
    data = vaezip.compress(pictures, embed_model=True, effort=EFFORT)
    for block in blocks(data):
        for part in (block["origin"] or {}).get("parts", []):
            assert part["fingerprint"].startswith("000000")
    for name, picture in pictures.items():
        assert np.array_equal(vaezip.Archive(data).read(name).samples, picture.samples)


def test_info_says_it_in_words(remade_alone, tmp_path):
    path = tmp_path / "a.vz"
    path.write_bytes(compressed(spread(smooth(1)[0], "L"), "L"))
    out = CliRunner().invoke(main, ["info", str(path)]).stdout
    assert "made of other pictures" in out
    assert "values with holes (" in out


def test_damage_is_refused_by_both_readers(remade_alone):
    data = compressed(spread(smooth(1)[0], "L"), "L")
    start = len(data) - len(vaezip.Archive(data).file.groups[0].blocks[0].payload)
    known = reference_decoder.load_models(MODELS)
    for place in range(start, start + 24):
        for byte in (0, 2, 3, 255):
            if data[place] == byte:
                continue
            forged = data[:place] + bytes([byte]) + data[place + 1 :]
            with pytest.raises(VaezipError):
                vaezip.decompress(forged)
            with pytest.raises(reference_decoder.FormatError):
                reference_decoder.decode(forged, known)


def test_a_part_is_made_of_no_others(remade_alone):
    data = compressed(spread(smooth(1)[0], "L"), "L")
    payload = vaezip.Archive(data).file.groups[0].blocks[0].payload
    found = remade.read(payload, "L", (1, 24, 32, 1))
    forged = data[: -len(payload)] + found.head + coders.REMADE + payload
    with pytest.raises(VaezipError):
        vaezip.decompress(forged)
    with pytest.raises(reference_decoder.FormatError):
        reference_decoder.decode(forged, reference_decoder.load_models(MODELS))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "RGB;16"])
def test_both_readers_read_repeated_pixels(mode, monkeypatch):
    monkeypatch.setattr(choice, "promising", _promising)
    channels, most = {"1": (1, 2), "L": (1, 256), "P": (1, 3), "RGBA": (4, 256), "RGB;16": (3, 9999)}[mode]
    samples = np.random.default_rng(0).integers(0, most, (20, 21, channels)).repeat(3, axis=0).repeat(2, axis=1)[1:, 1:]
    boxes = (("palette", bytes(9)),) if mode == "P" else ()
    samples = samples.astype(np.uint16 if mode.endswith("16") else np.uint8)
    data = vaezip.compress(vaezip.Picture(mode, samples, boxes), effort=EFFORT)
    (block,) = blocks(data)
    assert (block["method"], block["origin"]["name"]) == ("remade", "pixels repeated 2×3")
    for found in both(data):
        assert np.array_equal(found, samples)


def test_repeated_pixels_are_settled():
    samples = smooth(1, height=40, width=40)[0].repeat(2, axis=0).repeat(2, axis=1)
    data = compressed(samples, "L")
    assert blocks(data)[0]["origin"]["name"] == "pixels repeated 2×2"
    assert np.array_equal(vaezip.decompress(data).samples, samples)
    small = compressed(samples[::2, ::2], "L")
    assert len(data) <= len(small) + 16


@pytest.mark.parametrize("pasted", [0, 3])
@pytest.mark.parametrize("layout", [Layout(0, 0, 0, 0), Layout(1, 0, 1, 0), Layout(0, 1, 1, 1), Layout(1, 1, 0, 1)])
def test_both_readers_read_mosaics(layout, pasted, monkeypatch):
    monkeypatch.setattr(choice, "promising", _promising)
    samples = frame(layout, 23, 24)[0]
    samples[9 : 9 + pasted, 9 : 9 + pasted] = 7
    data = compressed(samples, "RGB")
    (block,) = blocks(data)
    assert block["origin"]["name"].startswith("Bayer mosaic")
    assert [part["mode"] for part in block["origin"]["parts"]] == ["RGB", "L"]
    for found in both(data):
        assert np.array_equal(found, samples)


def test_a_mosaic_is_shorter_by_models(monkeypatch):
    samples = frame(Layout(0, 1, 1, 1), 64, 64)[0]
    samples[:16, :20] = smooth(3, height=16, width=20)[0]
    data = compressed(samples, "RGB")
    assert blocks(data)[0]["method"] == "remade"
    assert np.array_equal(vaezip.decompress(data).samples, samples)
    monkeypatch.setattr(remaking, "with_kind", lambda job: job)
    assert len(data) < len(compressed(samples, "RGB"))


def test_parts_of_fewer_pixels_are_learned_from_more_closely():
    """As far as one network goes; what learns nothing does not begin to."""
    chosen = {preset: remaking._closer(PRESETS[preset]) for preset in PRESETS}
    assert chosen == {1: PRESETS[1], 2: PRESETS[2], 3: PRESETS[5], 4: PRESETS[6], 5: PRESETS[6], **chosen}
    assert [chosen[preset] for preset in (6, 7, 8, 9)] == [PRESETS[preset] for preset in (6, 7, 8, 9)]
    assert remaking._closer(Effort(1, 7)) == Effort(1, 7)


def test_parts_of_another_size_have_models_of_their_own():
    """A model that codes pictures of 32 × 32 alone does not code those of half the size."""
    samples = smooth(3, height=16, width=16)[0].repeat(2, axis=0).repeat(2, axis=1)
    data = compressed(samples, "RGB")
    assert blocks(data)[0]["origin"]["name"] == "pixels repeated 2×2"
    assert np.array_equal(vaezip.decompress(data).samples, samples)


def in_a_drawing(piece, *, height=90, width=110):
    """Put a picture (height, width, channels) into a drawn one."""
    found = np.full((height, width, piece.shape[2]), 200, np.uint8)
    found[4::9, 5:-5] = 60
    found[11 : 11 + piece.shape[0], 13 : 13 + piece.shape[1]] = piece
    return found


@pytest.mark.parametrize("mode", ["L", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("LA", "RGB", "RGBA"))])
def test_both_readers_read_pieces(monkeypatch, mode):
    monkeypatch.setattr(choice, "promising", _promising)
    channels = len(mode)
    samples = in_a_drawing(np.random.default_rng(2).integers(0, 256, (66, 70, channels)).astype(np.uint8))
    data = compressed(samples, mode)
    (block,) = blocks(data)
    assert block["origin"]["rectangles"] == [{"top": 11, "left": 13, "height": 66, "width": 70}]
    assert [part["mode"] for part in block["origin"]["parts"]] == [mode, mode]
    for found in both(data):
        assert np.array_equal(found, samples)


def test_a_photograph_in_a_drawing_is_coded_by_a_model(monkeypatch):
    samples = in_a_drawing(smooth(3, height=70, width=72)[0])
    data = compressed(samples, "RGB")
    (block,) = blocks(data)
    drawn, photograph = block["origin"]["parts"]
    assert drawn["fingerprint"] == coders.GRAPHIC.hex()
    assert photograph["fingerprint"] in {one.fingerprint.hex() for one in Library().fitting("RGB", 70, 72)}
    assert np.array_equal(vaezip.decompress(data).samples, samples)
    monkeypatch.setattr(remaking, "with_kind", lambda job: job)
    assert len(data) < len(compressed(samples, "RGB"))


def test_the_models_of_the_largest_piece_code_the_others(monkeypatch):
    asked = []
    samples = in_a_drawing(smooth(3, height=70, width=72)[0], width=260)
    samples[11:80, 160:230] = smooth(3, height=69, width=70, seed=3)[0]
    coded = choice.shortest
    monkeypatch.setattr(choice, "shortest", lambda job, one, sum: asked.append((job, one)) or coded(job, one, sum))
    data = compressed(samples, "RGB")
    assert len(blocks(data)[0]["origin"]["rectangles"]) == 2
    tried = [{one for job, one in asked if job.samples.shape[1] == height} for height in (70, 69)]
    models = [{one for one in some if isinstance(one, Reference)} for some in tried]
    assert len(models[0]) > len(models[1]) == 1


@pytest.mark.parametrize("where", ["everywhere", "in it"])
def test_a_picture_that_was_a_jpeg_as_a_whole_is_not_cut(monkeypatch, where):
    samples = in_a_drawing(smooth(3, height=70, width=72)[0])[None]
    monkeypatch.setattr(choice, "_promises", lambda job, one: one == coders.JPEG_PIXELS and promises(job))
    fitting = tuple(coders.fitting("RGB", samples.shape[1:3]))

    def promises(job):
        return where == "everywhere" or np.array_equal(job.samples, samples)

    rectangles = cutting.rectangles_of(samples, "RGB")
    job = BlockJob("RGB", samples, fitting, None, Library(), EFFORT, made_of=4, rectangles=rectangles)
    found = choice.promising(job)
    assert (found[0], coders.REMADE in found) == (coders.JPEG_PIXELS, where == "in it")


def test_each_of_many_large_pictures_is_cut_where_it_has_photographs_in_it():
    """Which all of them together have not."""
    drawn = in_a_drawing(np.zeros((1, 1, 3), np.uint8))
    samples = np.stack([drawn, in_a_drawing(smooth(3, height=70, width=72)[0])])
    candidates = (*Library().fitting("RGB", 90, 110), *coders.fitting("RGB", (90, 110)))
    found = encoding.encode_run(BlockJob("RGB", samples, candidates, None, Library(), EFFORT), 1)
    assert [block.model for (block,) in found] == [coders.GRAPHIC, coders.REMADE]


def test_what_is_mostly_a_photograph_is_also_coded_as_a_whole(monkeypatch):
    monkeypatch.setattr(choice, "_promises", lambda job, one: isinstance(one, Reference))
    samples = in_a_drawing(smooth(3, height=78, width=96)[0])
    models = tuple(Library().fitting("RGB", *samples.shape[:2]))
    job = BlockJob("RGB", samples[None], (*models, coders.REMADE), None, Library(), EFFORT, made_of=4)
    assert choice.promising(job) == [*models, coders.REMADE]


def test_both_readers_read_tones(monkeypatch):
    monkeypatch.setattr(choice, "promising", _promising)
    samples = tinted(smooth(1, pictures=2))
    pictures = {f"{i}.png": vaezip.Picture("RGB", samples[i]) for i in range(2)}
    data = vaezip.compress(pictures, effort=EFFORT)
    (block,) = blocks(data)
    assert block["origin"]["name"].startswith("grey in ")
    assert [part["mode"] for part in block["origin"]["parts"]] == ["RGB", "L"]
    for name, picture in pictures.items():
        for found in both(data, name):
            assert np.array_equal(found, picture.samples)


def test_tones_are_shorter_as_grey(monkeypatch):
    samples = tinted(smooth(1, height=72, width=72))[0]
    data = compressed(samples, "RGB")
    assert blocks(data)[0]["method"] == "remade"
    assert np.array_equal(vaezip.decompress(data).samples, samples)
    monkeypatch.setattr(remaking, "with_kind", lambda job: job)
    assert len(data) < len(compressed(samples, "RGB"))


def test_damaged_tones_are_refused_by_both_readers(monkeypatch):
    monkeypatch.setattr(choice, "promising", _promising)
    data = compressed(tinted(smooth(1))[0], "RGB")
    start = len(data) - len(vaezip.Archive(data).file.groups[0].blocks[0].payload)
    known = reference_decoder.load_models(MODELS)
    for byte in (0, data[start + 1] - 1, data[start + 1] + 1):  # tones, of which the table then has others
        forged = data[: start + 1] + bytes([byte]) + data[start + 2 :]
        with pytest.raises(VaezipError):
            vaezip.decompress(forged)
        with pytest.raises(reference_decoder.FormatError):
            reference_decoder.decode(forged, known)
