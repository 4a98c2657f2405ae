"""The targets of fuzzing without a fuzzer: the files that it begins with, and some hundred that are made of them."""

from __future__ import annotations

import contextlib
import functools
import random
import struct
import zlib

import pytest

from tests.fuzz import corpus, mutators, targets
from vaezip.codec.archive import Archive
from vaezip.errors import FormatError, ImageError
from vaezip.pictures.formats import READABLE
from vaezip.vz import archive as vz

pytestmark = pytest.mark.filterwarnings("ignore")  # of Pillow, about damaged files

PICTURE_FORMATS = {"JPEG2000": "jpeg2000", "PPM": "pnm"}

MUTATED = 40
"""Files that are made of those of a target here."""


@functools.cache
def files(name: str) -> corpus.Files:
    return corpus.MAKERS[name]()


def mutated(name: str, seed: int, mutate: mutators.Mutator | None = None) -> bytes:
    """Make another file of one of a target."""
    draw = random.Random(seed)
    data = draw.choice(list(files(name).values()))
    target = targets.TARGETS[name]
    return (mutate or target.mutate)(data, target.most, draw, mutators.plain(draw))


@pytest.mark.parametrize("name", targets.TARGETS)
def test_the_files_of_the_corpus_keep_all_promises(name):
    """None is refused but those of kinds that vaezip does not read."""
    refused = [title for title, data in files(name).items() if targets.run(targets.TARGETS[name], data)]
    assert name in targets.PICTURES or refused == []


@pytest.mark.parametrize("name", targets.TARGETS)
def test_mutated_files_keep_all_promises(name):
    for seed in range(MUTATED):
        targets.run(targets.TARGETS[name], mutated(name, seed))


def test_every_target_has_a_corpus_and_every_format_a_target():
    assert list(corpus.MAKERS) == list(targets.TARGETS)
    assert {PICTURE_FORMATS.get(name, name.lower()) for name in READABLE} <= {*targets.PICTURES}


def test_the_corpus_is_small_and_the_same_each_time():
    for name in ("png", "tiff", "model"):
        assert sum(map(len, files(name).values())) < 1 << 16
        assert corpus.MAKERS[name]() == files(name)


def target(read, **changes):
    return targets.Target("made", read, lambda _: None, (ImageError,), **changes)


def test_an_error_that_is_not_of_the_list_is_a_crash():
    def read(data):
        raise KeyError(data)

    with pytest.raises(KeyError):
        targets.run(target(read), b"x")
    with pytest.raises(FormatError):
        targets.run(targets.Target("made", vz.parse, lambda _: None, (ImageError,)), b"x")


def test_an_error_of_the_list_hides_no_other(monkeypatch):
    def read(data):
        try:
            return {}[data]
        except KeyError as error:
            raise ImageError("damaged") from error

    monkeypatch.setattr(targets, "PACKAGE", str(__file__))
    with pytest.raises(targets.Broken, match="hides KeyError"):
        targets.run(target(read), b"x")
    assert targets.run(target(read, causes=(LookupError,)), b"x") == "ImageError: damaged"


def test_an_error_in_what_was_read_is_a_crash():
    def check(_):
        raise ImageError("cannot be written")

    with pytest.raises(ImageError):
        targets.run(targets.Target("made", bytes, check, (ImageError,)), b"x")


def test_reasons_that_differ_in_numbers_are_one():
    assert targets.general("12×3 pixels of 'a' at 0x1f, f00d12ab") == "N×N pixels of … at N N"


class Repairing(random.Random):
    """Draw so that chunks are changed, and not any bytes."""

    def random(self) -> float:
        return max(super().random(), 0.1)


def test_png_chunks_have_their_checksums_again():
    original, found = files("png")["boxes"], set()
    for seed in range(40):
        draw = Repairing(seed)
        data = mutators.of_png(original, 1 << 16, draw, mutators.plain(draw))
        place = 8
        for name, content in mutators._chunks(data):
            place += 12 + len(content)
            assert data[place - 4 : place] == struct.pack(">I", zlib.crc32(name + content))
        found.add(data)
    assert len(found) > 30


def test_archives_have_their_checksum_and_lengths_again():
    """So that most of them come past the first look."""
    refused = [targets.run(targets.TARGETS["vz"], mutated("vz", seed, mutators.of_vz)) for seed in range(300)]
    assert sum("at the end is damaged" in reason for reason in refused) < 90
    assert len(set(refused)) > 10


def test_payloads_of_files_have_their_checksum_again():
    data, done = files("decompress")["verbatim"], 0
    for seed in range(20):
        draw = random.Random(seed)
        changed = mutators._payload(data, draw, lambda content, _: content[::-1])
        if changed != data and targets.run(targets.TARGETS["decompress"], changed) == "":
            done += 1
    reason = targets.run(targets.TARGETS["decompress"], changed)
    assert done or "checksum" not in reason


def test_a_model_in_an_archive_has_its_fingerprint_again():
    data, found = files("decompress")["held-logistic"], set()
    for seed in range(40):
        draw = random.Random(seed)
        found.add(targets.run(targets.TARGETS["decompress"], mutators._model(data, draw, mutators.plain(draw))))
    assert any("fails" in reason or "damaged" in reason for reason in found)
    assert not any("by which the file names it" in reason for reason in found)


def test_some_mutated_jpeg_files_are_coded_as_jpegs_and_some_are_not():
    target, found = targets.TARGETS["jpeg-file"], set()
    for seed in range(30):
        with contextlib.suppress(ImageError):
            _, coded = target.read(mutated("jpeg-file", seed))
            found.add(Archive(coded).info()["blocks"][0]["method"])
    assert found == {"jpeg", "verbatim"}


def test_what_is_beside_the_coefficients_of_a_jpeg_is_changed_so_that_it_is_read():
    data, found = files("decompress")["jpeg-scans"], set()
    for seed in range(40):
        draw = random.Random(seed)
        found.add(targets.run(targets.TARGETS["decompress"], mutators._payload(data, draw, mutators.plain(draw))))
    assert len(found) > 1


def test_a_webp_has_its_length_again():
    out = mutators.of_riff(files("webp")["lossy"], 4096, random.Random(1), lambda data, _: data + b"more")
    assert int.from_bytes(out[4:8], "little") == len(out) - 8
