"""What desktops read to show thumbnails of .vz files."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import vaezip
from vaezip.pictures.picture import Picture

from .conftest import digit, noise, wrong

pytestmark = pytest.mark.usefixtures("few_models")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def thumbnailer():
    """The command of the entry, and the type that it is for."""
    entry = configparser.RawConfigParser()
    entry.optionxform = str
    entry.read(ROOT / "desktop" / "vaezip.thumbnailer")
    return entry["Thumbnailer Entry"]


def test_the_command_makes_a_png_of_the_size_that_is_asked_for(run, thumbnailer):
    Path("in.vz").write_bytes(vaezip.compress(Picture("RGB", np.zeros((90, 300, 3), np.uint8))))
    Path("out.XYZ123").write_bytes(b"")  # desktops make it first, by such a name
    words = {"%s": "128", "%o": "out.XYZ123", "%i": "in.vz"}
    program, *arguments = (words.get(word, word) for word in shlex.split(thumbnailer["Exec"]))
    assert program == thumbnailer["TryExec"] == "vaezip"
    assert run(*arguments) == (0, "", "")
    with Image.open("out.XYZ123") as image:
        assert (image.format, image.size) == ("PNG", (128, 38))


@pytest.mark.parametrize(("count", "size"), [(2, (128, 64)), (4, (128, 128)), (11, (126, 126))])
def test_a_set_shows_at_most_nine_pictures(run, count, size):
    pictures = [(f"{i}.png", noise("RGB", 20, 12, seed=i)) for i in range(count)]
    Path("set.vz").write_bytes(vaezip.compress(pictures, preset=1))
    assert run("view", "-f", "--size", "128", "-o", "a.png", "set.vz") == (0, "", "")
    assert Image.open("a.png").size == size


def test_a_size_needs_a_file(run):
    Path("a.vz").write_bytes(vaezip.compress(digit()))
    assert run("view", "--size", "128", "a.vz") == (2, "", wrong("--size is that of a PNG; name it with -o"))


def test_the_wheel_has_the_files():
    section = (ROOT / "pyproject.toml").read_text().split("wheel.shared-data]\n")[1].split("\n\n")[0]
    places = dict(re.findall(r'"(.+)" = "(.+)"', section))
    assert places["desktop/vaezip.xml"] == "share/mime/packages/vaezip.xml"
    assert places["desktop/vaezip.thumbnailer"] == "share/thumbnailers/vaezip.thumbnailer"
    assert all((ROOT / file).is_file() for file in places)


def test_the_type_is_that_of_the_thumbnailer(thumbnailer):
    names = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
    kind = ElementTree.parse(ROOT / "desktop" / "vaezip.xml").getroot().find("m:mime-type", names)
    assert thumbnailer["MimeType"] == f"{kind.get('type')};"
    outer = kind.find("m:magic/m:match", names)
    inner = outer.find("m:match", names)
    data = vaezip.compress(digit())
    assert data[0] & int(outer.get("mask"), 16) == int(outer.get("value"), 16)
    assert data[1:4] == inner.get("value").encode().decode("unicode_escape").encode()


@pytest.mark.skipif(not (shutil.which("update-mime-database") and shutil.which("gio")), reason="needs a desktop")
def test_a_desktop_knows_the_type(folder, monkeypatch):
    (folder / "mime" / "packages").mkdir(parents=True)
    shutil.copy(ROOT / "desktop" / "vaezip.xml", folder / "mime" / "packages")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    subprocess.run(["update-mime-database", folder / "mime"], check=True)
    for name in ("a.vz", "b"):
        Path(name).write_bytes(vaezip.compress(digit()))
        told = subprocess.run(["gio", "info", "-a", "standard::content-type", name], capture_output=True, text=True)
        assert "image/x-vaezip" in told.stdout
