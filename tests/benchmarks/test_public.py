"""Sets of photographs are measured as the field does, on made pictures."""

import json
import sys

import numpy as np
import pytest

import vaezip
from vaezip.pictures.picture import Picture

from .conftest import script

PAQ8PX = """#!{python}
import sys, zlib
option, source, target = sys.argv[1:]
data = open(source, "rb").read()
open(target, "wb").write(zlib.decompress(data) if option == "-d" else zlib.compress(data))
"""


@pytest.fixture(scope="module")
def public():
    return script("public")


@pytest.fixture
def folder(tmp_path, discs):
    """Two sets, one of a grey picture and one in colours, and one of a picture with alpha."""
    for name, mode, channels in (("kodak/1", "RGB", 3), ("kodak/2", "L", 1), ("odd/1", "RGBA", 4)):
        file = tmp_path / "data" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        (samples,) = discs(1, 16, 24, channels)
        file.write_bytes(vaezip.pictures.write(Picture(mode, np.ascontiguousarray(samples)), ".png"))
    return tmp_path


@pytest.fixture
def paq8px(tmp_path):
    """A program that takes the options of paq8px."""
    program = tmp_path / "paq8px"
    program.write_text(PAQ8PX.format(python=sys.executable))
    program.chmod(0o755)
    return program


def run(public, folder, *more):
    result = folder / "public.json"
    public.main(["--data", str(folder / "data"), "--result", str(result), "--presets", "1", *more])
    return json.loads(result.read_text())["rows"], result.with_suffix(".md").read_text()


def test_each_folder_is_a_set_with_a_table(public, folder, paq8px, capsys):
    rows, page = run(public, folder, "--paq8px", str(paq8px))
    assert [(row["set"], row["name"]) for row in rows] == [("kodak", "1.png"), ("kodak", "2.png"), ("odd", "1.png")]
    assert {"vaezip-1", "jxl-9", "jxl-10", "webp", "png", "paq8px"} == {*rows[0]["bytes"]}
    assert rows[2]["bytes"]["paq8px"] is None
    assert "## kodak: 2 pictures, 0.00 megapixels" in page
    assert "Not measured on all of these pictures: paq8px, `-8`." in page
    assert capsys.readouterr().out == page + "\n"


def test_the_rates_follow_from_the_bytes(public, folder):
    rows, page = run(public, folder)
    size, pixels = rows[2]["bytes"]["png"], 16 * 24
    (line,) = [line for line in page.partition("## odd")[2].splitlines() if line.startswith("| PNG |")]
    rate = 8 * size / pixels
    against = 100 * size / rows[2]["bytes"]["jxl-9"] - 100
    assert line == f"| PNG | {size:,} | {rate:.4f} | {rate / 4:.4f} | {rate / 4:.4f} | {against:+.2f} % |"


def test_what_was_measured_is_measured_no_more(public, folder, monkeypatch):
    rows, page = run(public, folder)
    (folder / "data" / "odd" / "1.png").unlink()
    (folder / "data" / "odd").rmdir()

    def fail(*_, **__):
        raise AssertionError("measured again")

    monkeypatch.setattr(public, "by_peer", fail)
    monkeypatch.setattr(public, "by_vaezip", fail)
    assert run(public, folder) == (rows, page)
    public.main(["--draw", "--result", str(folder / "public.json")])


def test_a_folder_without_folders_is_one_set(public, folder):
    assert [*public.sets(folder / "data" / "kodak")] == ["kodak"]


def test_a_program_that_gives_another_picture_back_ends_the_run(public, folder, tmp_path):
    program = tmp_path / "broken"
    program.write_text(PAQ8PX.format(python=sys.executable).replace("zlib.decompress(data)", "bytes(9)"))
    program.chmod(0o755)
    with pytest.raises(Exception, match=r"damaged|another picture|not a picture"):
        run(public, folder, "--paq8px", str(program))


def test_cjxl_is_asked_for_large_groups(public, folder, tmp_path):
    """A program that writes what it is asked for, and the JPEG XL of our library."""
    program = tmp_path / "cjxl"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\nimport imagecodecs\nfrom PIL import Image\n"
        "import numpy\nsource, target, *options = sys.argv[1:]\n"
        "Path(__file__).with_suffix('.txt').write_text(' '.join(options))\n"
        "samples = numpy.asarray(Image.open(source))\n"
        "Path(target).write_bytes(imagecodecs.jpegxl_encode(samples, lossless=True))\n"
    )
    program.chmod(0o755)
    rows, _ = run(public, folder, "--limit", "1", "--cjxl", str(program))
    assert "-d 0 -e 9 -g 3" in program.with_suffix(".txt").read_text()
    assert all(row["bytes"]["jxl-9-g3"] for row in rows)
