import os

import pytest
from PIL import Image

from vaezip.cli import inputs
from vaezip.cli.console import Console
from vaezip.pictures import datasets
from vaezip.pictures.formats import BY_SUFFIX, FORMATS, READABLE, check_suffix
from vaezip.pictures.io import write

from .helpers import HOLDS, picture, refusal


def test_compressing_a_folder_and_training_on_it_see_the_same_pictures(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    pictures = [f"a{suffix}" for suffix in BY_SUFFIX] + ["b.PNG", "in/c.Heic"]
    for name in (*pictures, "notes.txt", ".hidden.png", "in/._c.heic", "png", ".png"):
        (tmp_path / name).touch()
    found = inputs.find([os.fspath(tmp_path)], Console(verbose=True))
    assert sorted(source.name for source in found) == sorted(pictures)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in datasets.files(tmp_path)) == sorted(pictures)
    skipped = [line.rpartition(os.sep)[2] for line in capsys.readouterr().err.splitlines()]
    assert skipped == [
        ".hidden.png: hidden, skipped",
        ".png: not a picture by its suffix, skipped",
        "._c.heic: hidden, skipped",
        "notes.txt: not a picture by its suffix, skipped",
        "png: not a picture by its suffix, skipped",
    ]


def test_every_suffix_stands_for_one_format():
    assert len(BY_SUFFIX) == sum(len(format.suffixes) for format in FORMATS)
    assert all(suffix == suffix.lower() for suffix in BY_SUFFIX)
    assert not any(format.written and (format.lossy or not format.read) for format in FORMATS)


@pytest.mark.parametrize("name", READABLE)
def test_pillow_knows_the_names_of_the_formats_and_their_suffixes(name):
    Image.init()
    if name.upper() not in Image.OPEN:
        pytest.skip(f"this Pillow has no {name}")
    known = {".dib": "DIB"}  # as Pillow calls a BMP without a header, which files of that suffix do not have to be
    for suffix in (suffix for suffix, format in BY_SUFFIX.items() if format.name == name):
        assert Image.EXTENSION.get(suffix, name.upper()) == known.get(suffix, name.upper())


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".jpg", "'.jpg' is lossy; choose .png"),
        (".JPEG", "'.jpeg' is lossy; choose .png"),
        (".avif", "'.avif' is lossy; choose .png"),
        (".heic", "'.heic' is lossy; choose .png"),
        (".jp2", "'.jp2' is lossy; choose .png"),
        (".J2C", "'.j2c' is lossy; choose .png"),
        (".gif", "'.gif' is not a picture format vaezip writes; choose .png"),
        (".xyz", "'.xyz' is not a picture format vaezip writes; choose .png"),
        ("", "'' is not a picture format vaezip writes; choose .png"),
    ],
)
def test_lossy_and_unknown_suffixes_are_refused(suffix, message):
    assert refusal(check_suffix, suffix) == message
    assert refusal(write, picture("RGB"), suffix) == message


def test_known_suffixes_pass_in_any_case():
    for suffix in HOLDS:
        check_suffix(suffix)
        check_suffix(suffix.upper())
    assert write(picture("L"), ".PNG") == write(picture("L"), ".png")
