"""Animations and files of pages at the command line."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaezip
from tests.pictures.fits.fits_files import fits
from vaezip.pictures.sequences import files as sequences
from vaezip.pictures.sequences.frame import frame_of

from .conftest import files

pytestmark = pytest.mark.usefixtures("few_models")


def gif(path, count=3, size=(16, 12)):
    """Frames of one colour, each shown a little longer."""
    images = [Image.new("RGB", size, (80 * i, 10, 200)) for i in range(count)]
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=[100 * (i + 1) for i in range(count)], loop=0
    )
    return Path(path).read_bytes()


def shown(data):
    with Image.open(io.BytesIO(data)) as image:
        found = []
        for i in range(image.n_frames):
            image.seek(i)
            found.append((image.convert("RGB").tobytes(), image.info["duration"]))
    return found


def test_an_animation_comes_back_as_one(run):
    data = gif("a.gif")
    assert run("compress", "-1", "a.gif") == (0, "", "")
    assert Path("a.gif.vz").stat().st_size <= len(data) + 32
    assert "  an animated GIF of 3 frames, 0.60 s\n" in run("info", "a.gif.vz").out
    assert run("verify", "a.gif", "a.gif.vz") == (0, "a.gif.vz: equal (3 pictures)\n", "")
    Path("a.gif").unlink()
    assert run("decompress", "a.gif.vz") == (0, "", "")
    assert shown(Path("a.gif").read_bytes()) == shown(data)
    assert run("decompress", "a.gif.vz").err == "vaezip: a.gif: exists already; use -f to overwrite it\n"


def test_frames_into_a_folder(run):
    gif("a.gif")
    run("compress", "-1", "a.gif")
    assert run("decompress", "a.gif.vz", "-o", "frames") == (0, "", "")
    assert files("frames") == ["0001.png", "0002.png", "0003.png"]
    assert frame_of(vaezip.pictures.read("frames/0003.png").boxes).delay == (30, 100)
    assert run("decompress", "a.gif.vz", "--only", "0002.png", "-o", "two.png") == (0, "", "")
    assert run("compress", "-1", "frames", "-o", "again.vz") == (0, "", "")
    assert run("decompress", "again.vz", "-o", "again.gif") == (0, "", "")
    assert shown(Path("again.gif").read_bytes()) == shown(Path("a.gif").read_bytes())


def test_an_animation_in_a_set_is_a_folder_of_frames(run, save):
    Path("p").mkdir()
    gif("p/a.gif")
    save("p/b.png")
    assert run("compress", "-1", "p", "-o", "p.vz") == (0, "", "")
    assert vaezip.open("p.vz").names == ["a.gif/0001.png", "a.gif/0002.png", "a.gif/0003.png", "b.png"]


def test_folders_that_mirror_hold_animations_too(run, save):
    Path("p").mkdir()
    data = gif("p/a.gif")
    save("p/b.png")
    assert run("compress", "-1", "p", "--output-dir-mirror", "m", "-q") == (0, "", "")
    assert run("decompress", "m", "-o", "back", "-q") == (0, "", "")
    assert shown(Path("back/a.gif").read_bytes()) == shown(data)
    assert [name for name in files("back") if not name.startswith(".")] == ["a.gif", "b.png"]


def test_a_form_that_cannot_hold_the_frames_is_refused(run):
    images = [Image.new("RGB", (16, 12), (80 * i, 10, 200)) for i in range(2)]
    images[0].save("a.png", save_all=True, append_images=images[1:], duration=40)
    assert run("compress", "-1", "a.png") == (0, "", "")
    assert run("decompress", "a.png.vz", "-o", "a.gif") == (
        1,
        "",
        "vaezip: a.gif: the pictures come from a PNG, and '.gif' is another format; "
        "name a folder with -o, for a file each\n",
    )
    assert run("decompress", "-f", "a.png.vz") == (0, "", "")


def test_pages(run):
    images = [Image.new(mode, (20, 10), 0) for mode in ("1", "L", "RGB")]
    images[0].save("a.tif", save_all=True, append_images=images[1:])
    assert run("compress", "-1", "a.tif") == (0, "", "")
    assert "  the 3 pages of a TIFF\n" in run("info", "a.tif.vz").out
    Path("a.tif").rename("b.tif")
    assert run("decompress", "a.tif.vz") == (0, "", "")
    assert run("verify", "a.tif", "a.tif.vz") == (0, "a.tif.vz: equal (3 pictures)\n", "")
    assert run("verify", "b.tif", "a.tif.vz") == (0, "a.tif.vz: equal (3 pictures)\n", "")


def test_an_animation_that_nothing_makes_smaller_is_kept_as_it_is(run):
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 255, (2, 2, 3), np.uint8)) for _ in range(2)]
    images[0].save("a.gif", save_all=True, append_images=images[1:])
    data = Path("a.gif").read_bytes()
    assert run("compress", "-1", "a.gif") == (0, "", "")
    assert Path("a.gif.vz").stat().st_size <= len(data) + 32
    Path("a.gif").unlink()
    assert run("decompress", "a.gif.vz") == (0, "", "")
    assert len(sequences.read_all(Path("a.gif").read_bytes(), 100)) == 2


@pytest.mark.parametrize("change", ["frame", "delay"])
def test_another_animation_differs(run, change):
    gif("a.gif")
    run("compress", "-1", "a.gif")
    images = [Image.new("RGB", (16, 12), (80 * i, 10 + (change == "frame"), 200)) for i in range(3)]
    times = [100, 200, 300 + 10 * (change == "delay")]
    images[0].save("b.gif", save_all=True, append_images=images[1:], duration=times, loop=0)
    status, out, err = run("verify", "b.gif", "a.gif.vz")
    assert (status, out) == (1, "")
    assert "vaezip: b.gif: is not what a.gif.vz gives: " in err
    gif("c.gif", 2)
    assert run("verify", "c.gif", "a.gif.vz").err == "vaezip: c.gif: holds 2 pictures, not 3\n"


def test_a_fits_cube_comes_back_byte_for_byte(run):
    planes = np.arange(2 * 6 * 9).reshape(2, 6, 9)
    data = fits(planes.astype("i2"), OBJECT="'sky'")
    Path("cube.fits").write_bytes(data)
    Path("one.fits").write_bytes(fits(planes[0].astype("i2")))
    assert run("compress", "-1", "cube.fits", "one.fits") == (0, "", "")
    Path("cube.fits").unlink()
    assert "  the 2 pages of a FITS\n" in run("info", "cube.fits.vz").out
    assert "fits-header" in run("info", "one.fits.vz").out
    assert run("decompress", "cube.fits.vz") == (0, "", "")
    assert Path("cube.fits").read_bytes() == data


def test_a_file_without_a_suffix_gets_that_of_the_format_that_it_was(run):
    data = fits(np.arange(54).reshape(6, 9).astype("i2"))
    Path("sky").write_bytes(data)
    run("compress", "-1", "sky")
    assert run("decompress", "sky.vz") == (0, "", "")
    assert Path("sky.fits").read_bytes() == data
    assert run("decompress", "sky.vz", "-o", "sky.png") == (0, "", "")
    assert run("compress", "-1", "sky.png") == (0, "", "")
    assert run("decompress", "sky.png.vz", "-o", "again.fits") == (0, "", "")
    assert Path("again.fits").read_bytes() == data
