"""Pictures in the terminal, and as contact sheets."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaezip
from vaezip.cli import contact
from vaezip.cli.contact import Entry, Screen
from vaezip.pictures.picture import Picture

from .conftest import digit, files, noise

pytestmark = pytest.mark.usefixtures("few_models")


def plain(width, height, colour=(255, 255, 255)):
    return Entry(Image.new("RGB", (width, height), colour), "a.png", f"{width}×{height}")


def test_letters_where_there_is_no_terminal(run, save, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    save("a.png", Picture("L", np.full((30, 30, 1), 255, np.uint8)))
    status, out, err = run("view", "a.png")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert "\x1b" not in out
    assert set(lines[0].strip()) == {"@"}
    assert [line.strip() for line in lines[-2:]] == ["a.png", "30×30"]
    assert max(map(len, lines)) <= 40


def test_a_set_is_one_sheet(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    pictures = [(f"{i}.png", digit(i)) for i in range(4)]
    Path("s.vz").write_bytes(vaezip.compress([*pictures, ("c.png", noise("RGB", 30, 20))], preset=1))
    lines = run("view", "s.vz").out.splitlines()
    assert [line.split() for line in lines if ".png" in line] == [["0.png", "1.png", "2.png"], ["3.png", "c.png"]]
    assert run("view", "s.vz", "--only", "3.png").out.split()[-2:] == ["3.png", "28×28"]
    status, out, err = run("view", "s.vz", "--most", "2")
    assert (status, err) == (0, "3 more pictures are not shown; raise --most\n")
    assert [line.split() for line in out.splitlines() if ".png" in line] == [["0.png", "1.png"]]


def test_a_sheet_as_a_picture(run, save):
    for i in range(3):
        save(f"{i}.png", noise("RGB", 40, 30, seed=i))
    assert run("view", "0.png", "1.png", "2.png", "-o", "sheet.png") == (0, "", "")
    made = Image.open("sheet.png")
    assert made.mode == "RGB"
    assert made.width > 2 * contact.THUMBNAIL
    assert run("view", "0.png", "-o", "sheet.png").status == 1
    assert run("view", "0.png", "-f", "-o", "sheet.png") == (0, "", "")
    assert run("view", "0.png", "-o", "-", stdin=b"").out.startswith(b"\x89PNG")


def test_what_cannot_be_shown(run, save):
    save("a.png")
    Path("b.png").write_bytes(b"no picture")
    status, out, err = run("view", "b.png", "a.png")
    assert (status, out.split()[-2]) == (1, "a.png")
    assert err.startswith("vaezip: b.png: not a picture that vaezip can read")
    assert run("view", "a.png", "-o", "a.jpg") == (
        1,
        "",
        "vaezip: a.jpg: is no name of a PNG; a contact sheet is one, so give it the suffix .png\n",
    )
    assert run("view", "a.png", "-f", "-o", "a.png").err == "vaezip: a.png: is the input; name another output\n"
    data = bytearray(vaezip.compress([("x.png", noise("RGB")), ("y.png", digit())], preset=1))
    data[-1] ^= 1
    Path("s.vz").write_bytes(data)
    assert run("view", "s.vz").status == 1
    assert files() == ["a.png", "b.png", "s.vz"]


def test_frames_of_an_animation(run):
    images = [Image.new("RGB", (8, 8), (i, 0, 0)) for i in (10, 200)]
    images[0].save("a.gif", save_all=True, append_images=images[1:])
    assert "0002.png" in run("view", "a.gif").out


@pytest.mark.parametrize(
    ("environment", "terminal", "colours"),
    [
        ({}, False, 0),
        ({}, True, 256),
        ({"COLORTERM": "truecolor"}, True, 1 << 24),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, True, 0),
        ({"TERM": "dumb"}, True, 0),
    ],
)
def test_colours_are_those_of_the_terminal(monkeypatch, environment, terminal, colours):
    for name in ("COLORTERM", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert contact.screen(terminal, 80) == Screen(80, colours)


@pytest.mark.parametrize("colours", [0, 256, 1 << 24])
@pytest.mark.parametrize(("width", "height"), [(600, 10), (10, 600), (1, 1), (300, 200)])
def test_no_line_is_wider_than_the_screen(colours, width, height):
    for entries in ([plain(width, height)], [plain(width, height)] * 7):
        for columns in (5, 24, 80):
            for line in contact.lines(entries, Screen(columns, colours)):
                assert len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= columns


def test_a_character_is_two_pixels():
    image = Image.new("RGB", (1, 2))
    image.putpixel((0, 0), (255, 0, 0))
    image.putpixel((0, 1), (0, 0, 255))
    (first, *_) = contact.lines([Entry(image.resize((2, 4), 0), "a", "")], Screen(2, 1 << 24))
    assert first.startswith("\x1b[38;2;255;0;0;48;2;0;0;255m▀")
    (first, *_) = contact.lines([Entry(image.resize((2, 4), 0), "a", "")], Screen(2, 256))
    assert first.startswith("\x1b[38;5;196;48;5;21m▀")


def test_names_that_would_steer_the_terminal_are_escaped():
    entry = Entry(Image.new("RGB", (4, 4)), "a\x1b[2Jb", "")
    assert "\x1b" not in "".join(contact.lines([entry], Screen(40, 0)))
    contact.sheet([entry]).save(io.BytesIO(), "PNG")
