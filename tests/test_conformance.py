"""The conformance set is that of the golden files, and both readers refuse what must be refused."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

import vaezip
from vaezip.errors import VaezipError

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GOLDEN = Path(__file__).parent / "golden"
if str(DOCS) not in sys.path:
    sys.path.insert(0, str(DOCS))

import reference_decoder  # noqa: E402
from conformance import run  # noqa: E402

ACCEPTED = json.loads((run.HERE / "accepted.json").read_text(encoding="utf-8"))
REFUSED = json.loads((run.HERE / "refused.json").read_text(encoding="utf-8"))
SLOW = {"archive", "deep-linked", "deep", "graphic-rgba", "remade-repeated"}
"""Files of a second or more by the reference decoder, with a bit flipped: the sum of what is decoded is wrong, as of
others."""

DECODER = [sys.executable, "-m", "reference_decoder", "--models", str(ROOT / "models"), "--digests"]


@pytest.fixture(scope="module")
def models():
    return reference_decoder.load_models(ROOT / "models")


def test_it_tells_of_every_golden_file():
    """Where this fails, run docs/make_conformance.py."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in GOLDEN.glob("*.vz")}
    assert {name: told["sha256"] for name, told in ACCEPTED.items()} == found


def test_every_file_that_must_be_refused_has_a_reason():
    assert sorted(REFUSED) == sorted(path.name for path in (run.HERE / "refused").iterdir())
    assert all(REFUSED.values())


def file(name):
    """A file that must be refused."""
    return pytest.param(name, marks=pytest.mark.slow if name.removesuffix("-flipped.vz") in SLOW else ())


@pytest.mark.parametrize("name", [file(name) for name in REFUSED])
def test_both_readers_refuse(name, models):
    data = (run.HERE / "refused" / name).read_bytes()
    with pytest.raises(reference_decoder.FormatError):
        reference_decoder.decode(data, models)
    with pytest.raises(VaezipError):
        read_all(data)


def read_all(data):
    """Read all that a file holds."""
    for _, picture in vaezip.Archive(data).pictures():
        if isinstance(picture, VaezipError):
            raise picture


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A set of two files, and the folder from which the reference decoder is run."""
    (tmp_path / "refused").mkdir()
    (tmp_path / "refused" / "empty.vz").write_bytes(b"")
    told = {"accepted": {"metadata.vz": ACCEPTED["metadata.vz"]}, "refused": {"empty.vz": "no bytes"}}
    for name, content in told.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.chdir(DOCS)
    return tmp_path


def test_a_decoder_that_is_right_passes(small, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run.py", *DECODER])
    assert run.main() == 0
    assert capsys.readouterr().out == "2 files, 0 of them wrong\n"


def test_a_decoder_that_takes_all_is_wrong(small, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run.py", sys.executable, "-c", "print('picture')"])
    assert run.main() == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines == ["metadata.vz: holds something else", "empty.vz: must be refused (no bytes)"]
    assert last == "2 files, 2 of them wrong"
