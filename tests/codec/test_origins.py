"""Blocks whose colours were other planes before: chosen where they are shorter, and read by both readers."""

import sys
from pathlib import Path

import numpy as np
import pytest

import vaezip
from tests.origins.pictures import planes
from vaezip.codec import blocks, encoding, forms, jobs, payload
from vaezip.codec.jobs import BlockJob
from vaezip.errors import VaezipError
from vaezip.models import file
from vaezip.models.effort import Effort
from vaezip.models.library import Library, Reference
from vaezip.origins.colour import ColourMap, named
from vaezip.origins.search import Candidate
from vaezip.origins.upsampling import COPIED, LIBJPEG, TRIANGLE, Sampling

ROOT = Path(__file__).parents[2]
if str(ROOT / "docs") not in sys.path:
    sys.path.insert(0, str(ROOT / "docs"))

import reference_decoder  # noqa: E402

MODEL = ROOT / "tests" / "models" / "local-colour.safetensors"
JPEG = named()[0].map
EFFORT = Effort(1, 4, 4, turns=1)


def born(height=24, width=24, *, pasted=0, seed=0, pictures=1):
    """Colours that were planes, with some pasted pixels."""
    samples = JPEG.samples(planes(height, width, seed=seed, pictures=pictures))
    samples[:, :pasted, :pasted] = np.random.default_rng(seed).integers(0, 256, (pictures, pasted, pasted, 3))
    return samples


def compressed(samples, mode="RGB", **options):
    return vaezip.compress(vaezip.Picture(mode, samples), **{"model": MODEL, "effort": EFFORT, **options})


def origins(data):
    return [block["origin"] for block in vaezip.Archive(data, models=[MODEL]).info()["blocks"]]


def both(data, name=""):
    """What both readers make of a file."""
    ours = vaezip.Archive(data, models=[MODEL]).read(name)
    theirs = reference_decoder.decode(data, reference_decoder.load_models(MODEL.parent))[name]
    return ours.samples, theirs.samples


@pytest.mark.parametrize("pasted", [0, 6])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_both_readers_read_them(mode, pasted):
    samples = born(pasted=pasted)[0]
    if mode == "RGBA":
        alpha = np.arange(576, dtype=np.uint16).reshape(24, 24, 1) % 7
        samples = np.concatenate([samples, alpha.astype(np.uint8)], axis=2)
    data = compressed(samples, mode)
    (origin,) = origins(data)
    assert origin["name"] == "JPEG colours"
    assert origin["pixels"] == 576
    assert 0 <= 576 - origin["explained"] <= pasted * pasted
    assert (origin["explained"] < 576) == (pasted > 0)
    for found in both(data):
        assert np.array_equal(found, samples)


@pytest.mark.parametrize("number", range(13))
def test_both_readers_know_every_map(monkeypatch, number):
    """Also one whose coefficients are in the file; the map is all that matters, so the picture is small."""
    known = (
        named()[number - 1].map if number else ColourMap(tuple((*row[:3], row[3] + 9) for row in named()[2].map.rows))
    )
    samples = known.samples(planes(12, 12))
    monkeypatch.setattr(jobs.search, "find", lambda samples: Candidate(number, known))
    monkeypatch.setattr(forms, "_ways", lambda job, candidate: [forms._origin(job).as_sums()])
    data = compressed(samples[0])
    assert origins(data)[0]["explained"] == 144
    for found in both(data):
        assert np.array_equal(found, samples[0])


def test_they_are_shorter(monkeypatch):
    samples = born(48, 48)[0]
    data = compressed(samples)
    monkeypatch.setattr(jobs.search, "find", lambda samples: None)
    plain = compressed(samples)
    assert len(data) < len(plain)
    assert origins(plain) == [None]


def test_a_picture_without_an_origin_keeps_its_bytes(monkeypatch):
    samples = planes(24, 24)[0]
    data = compressed(samples)
    assert origins(data) == [None]
    monkeypatch.setattr(jobs.search, "find", lambda samples: None)
    assert compressed(samples) == data


@pytest.mark.parametrize("steps", [0, 2, 7])
def test_steps_stand_beside_the_mark(steps):
    data = compressed(born()[0], effort=Effort(steps, rows=0))
    (block,) = vaezip.Archive(data, models=[MODEL]).info()["blocks"]
    assert block["origin"]
    assert block["steps"] <= steps
    for found in both(data):
        assert np.array_equal(found, born()[0])


def test_a_set_and_the_bands_of_a_large_picture(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 64 * 20)
    several = {f"{i}.png": vaezip.Picture("RGB", born(seed=i)[0]) for i in range(2)}
    several["large.png"] = vaezip.Picture("RGB", born(150, 20)[0])
    data = vaezip.compress(several, model=MODEL, effort=EFFORT)
    found = origins(data)
    assert [origin["pixels"] for origin in found] == [2 * 576, 64 * 20, 64 * 20, 22 * 20]
    for name, picture in several.items():
        assert np.array_equal(vaezip.Archive(data, models=[MODEL]).read(name).samples, picture.samples)


def test_a_trial_on_a_part_tells_where_that_is_enough(monkeypatch):
    samples = born(80, 80)
    monkeypatch.setattr(forms, "trial_part", lambda samples: samples[:, :32, :32])
    library = Library((MODEL,))
    reference = Reference(MODEL, library.by_path(MODEL).fingerprint)
    job = jobs.prepared(BlockJob("RGB", samples, (reference,), None, library, EFFORT))
    block = encoding.code(job, reference)
    assert payload.origin_of(block.payload, "RGB", samples.shape[:3]).number == 1


def tried_by(monkeypatch, samples, names=("photo", "photo-planes")):
    """Which shipped models were tried, on what: True stands for planes."""
    tried, coded = set(), forms._coded

    def noted(job, candidate, checksum, found):
        if isinstance(candidate, Reference):
            tried.add((candidate.path.stem, found is not None and not found.origin.sums))
        return coded(job, candidate, checksum, found)

    monkeypatch.setattr(forms, "_coded", noted)
    library = Library()
    of_names = [Reference(file.find(name), file.fingerprint(file.find(name))) for name in names]
    (block,) = encoding.encode(BlockJob("RGB", samples, tuple(of_names), None, library, Effort(), planes=of_names[-1]))
    return tried, library.name_of(block.model, even_shipped=True)


def test_the_model_of_planes_is_tried_on_these_alone(monkeypatch):
    tried, best = tried_by(monkeypatch, born())
    assert tried == {("photo", False), ("photo-planes", True)}
    assert best == "photo-planes"


def test_the_model_of_planes_is_not_tried_where_there_are_none(monkeypatch):
    tried, best = tried_by(monkeypatch, planes(24, 24))
    assert tried == {("photo", False)}
    assert best == "photo"


def test_the_model_of_planes_is_tried_by_default():
    (block,) = vaezip.Archive(vaezip.compress(vaezip.Picture("RGB", born(48, 48)[0]))).info()["blocks"]
    assert block["method"] == "photo-planes"


def test_a_mode_that_has_no_origin_is_refused():
    data = vaezip.compress(vaezip.Picture("L", np.arange(1600, dtype=np.uint8).reshape(40, 40, 1)), model="photo-gray")
    archive = vaezip.Archive(data)
    block = archive.file.groups[0].blocks[0].payload
    forged = data[: -len(block)] + bytes([block[0] | 128]) + block[1:]
    with pytest.raises(VaezipError, match="no other colours"):
        vaezip.decompress(forged)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_damage_in_the_header_is_refused(place):
    data = compressed(born(pasted=5)[0])
    start = len(data) - len(vaezip.Archive(data, models=[MODEL]).file.groups[0].blocks[0].payload)
    for byte in (0, 1, 2, 4, 128, 130, 255):
        forged = bytearray(data)
        if forged[start + place] == byte:
            continue
        forged[start + place] = byte
        with pytest.raises(VaezipError):
            vaezip.Archive(bytes(forged), models=[MODEL]).read()
        with pytest.raises(reference_decoder.FormatError):
            reference_decoder.decode(bytes(forged), reference_decoder.load_models(MODEL.parent))


def test_the_mark_itself_is_protected():
    data = compressed(planes(24, 24)[0])
    start = len(data) - len(vaezip.Archive(data, models=[MODEL]).file.groups[0].blocks[0].payload)
    forged = bytearray(data)
    forged[start] |= 128
    with pytest.raises(VaezipError):
        vaezip.Archive(bytes(forged), models=[MODEL]).read()


def halved(sampling, size, mode="RGB"):
    """Colours of a WebP whose chroma was enlarged."""
    chroma = planes(*sampling.small(size))[..., 0::2].transpose(3, 0, 1, 2)
    chroma = chroma + np.random.default_rng(0).integers(0, 16, chroma.shape).astype(np.uint8)
    sheets = sampling.joined(planes(*size)[..., 1], chroma)
    return named()[1].map.samples(sampling.planes(sheets, size))[0]


HALVED = [Sampling(True, (0, 0), TRIANGLE), Sampling(True, (0, 0), COPIED), Sampling(False, (0, 0), LIBJPEG)]


@pytest.mark.parametrize("sampling", HALVED)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_both_readers_read_halved_chroma(mode, sampling):
    """The models that vaezip brings code it, for it takes one of grey where the others are of colours."""
    samples = halved(sampling, (23, 25))
    samples[3:5, 7:9] = 77
    if mode == "RGBA":
        samples = np.concatenate([samples, samples[..., :1] // 60], axis=2)
    data = vaezip.compress(vaezip.Picture(mode, samples), effort=Effort(rows=2))
    (block,) = vaezip.Archive(data).info()["blocks"]
    assert block["method"] == "photo-gray"
    assert block["origin"]["chroma"] == sampling.name
    assert 0 < block["origin"]["pixels"] - block["origin"]["explained"] < 60
    theirs = reference_decoder.decode(data, reference_decoder.load_models(ROOT / "models"))[""]
    for found in (vaezip.decompress(data).samples, theirs.samples):
        assert np.array_equal(found, samples)


def test_halved_chroma_in_bands_and_by_a_trial(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 40 * 24)
    monkeypatch.setattr(forms, "trial_part", lambda samples: samples[:, :24, :24])
    samples = halved(HALVED[1], (72, 40))
    data = vaezip.compress(vaezip.Picture("RGB", samples), effort=Effort(rows=2))
    assert [block["origin"]["chroma"] for block in vaezip.Archive(data).info()["blocks"]] == ["4:2:0"] * 3
    assert np.array_equal(vaezip.decompress(data).samples, samples)


def test_halved_chroma_is_shorter_than_whole(monkeypatch):
    samples = halved(HALVED[0], (48, 48))
    data = vaezip.compress(vaezip.Picture("RGB", samples), effort=Effort(rows=2))
    monkeypatch.setattr(jobs.halving, "find", lambda samples, origin: None)
    whole = vaezip.compress(vaezip.Picture("RGB", samples), effort=Effort(rows=2))
    assert len(data) < len(whole)
    assert origins(whole)[0]["chroma"] == "4:4:4"


@pytest.mark.parametrize("place", [1, 2, 3])
def test_damage_to_a_header_of_halved_chroma_is_refused(place):
    data = vaezip.compress(vaezip.Picture("RGB", halved(HALVED[1], (24, 24))), effort=Effort(rows=2))
    start = len(data) - len(vaezip.Archive(data).file.groups[0].blocks[0].payload)
    for byte in (0, 1, 2, 4, 8, 64, 65, 66, 67, 128, 194, 255):
        forged = bytearray(data)
        if forged[start + place] == byte:
            continue
        forged[start + place] = byte
        with pytest.raises(VaezipError):
            vaezip.decompress(bytes(forged))
        with pytest.raises(reference_decoder.FormatError):
            reference_decoder.decode(bytes(forged), reference_decoder.load_models(ROOT / "models"))


def test_a_chosen_model_codes_all_planes():
    assert origins(compressed(halved(HALVED[0], (24, 24))))[0]["chroma"] == "4:4:4"
