"""The page: what it says, that it needs nothing else, and what a browser makes of it."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import vaezip
from tests.origins.pictures import planes
from vaezip.bench import peers
from vaezip.bench.method import UnavailableError
from vaezip.cli import page
from vaezip.origins.colour import named
from vaezip.pictures.picture import Picture

from .conftest import digit, files, noise

pytestmark = pytest.mark.usefixtures("few_models")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def folder_of_pictures(folder):
    """Two files: a set with times, and a picture that was something else; with a name that HTML must escape."""
    (folder / "p" / "sub").mkdir(parents=True)
    with vaezip.Compressor(preset=1) as compressor:
        compressor.add("a.png", digit(0), modified=1_600_000_000)
        compressor.add("b<i>.png", digit(1), modified=1_700_000_000)
        (folder / "p" / "set.vz").write_bytes(compressor.close())
    samples = named()[0].map.samples(planes(24, 24))[0]
    (folder / "p" / "sub" / "jpeg.vz").write_bytes(vaezip.compress(Picture("RGB", samples), model="photo", preset=1))
    os.utime(folder / "p" / "sub" / "jpeg.vz", (1_650_000_000, 1_650_000_000))
    return "p"


def text(page):
    return html.unescape(re.sub(r"<[^>]*>", " ", page.split("<body>")[1].split("<script>")[0]))


def test_pictures_stand_beside_other_codecs(run, folder_of_pictures):
    assert run("report", "p", "-o", "r.html") == (0, "", "")
    made = Path("r.html").read_text(encoding="utf-8")
    words = text(made)
    for expected in ("PNG", "WebP lossless", "JPEG XL effort 7", "p/set.vz: b<i>.png", "JPEG colours", "2020-09-13"):
        assert expected in words
    assert "b<i>" not in made
    size = (Path("p/sub/jpeg.vz").stat().st_size, len(vaezip.pictures.write(digit(), ".png")))
    assert f"{size[0]:,}" in words
    assert made.count("data:image/webp;base64,") == 3
    assert made.count("<circle") == 3


def test_the_page_needs_nothing_else(run, folder_of_pictures):
    run("report", "p", "-o", "r.html", "--fast")
    made = Path("r.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in made
    assert re.findall(r"(?:https?:)?//[a-z]", re.sub(r'"data:[^"]*"', "", made)) == []
    assert set(re.findall(r'(?:src|href)="([a-z]+:)', made)) == {"data:"}
    assert "WebP lossless" not in text(made)


def test_one_file_and_a_file_that_is_kept(run):
    data = vaezip.pictures.write(noise("L", 40, 40), ".pgm")
    Path("a.pgm").write_bytes(data)
    assert run("compress", "a.pgm") == (0, "", "")
    assert run("report", "a.pgm.vz", "-o", "r.html") == (0, "", "")
    made = Path("r.html").read_text(encoding="utf-8")
    assert "the file as it was" in text(made)
    assert f"of the file ( {len(data):,} bytes )".replace("( ", "(").replace(" )", ")") in text(made)
    assert "<svg" not in made


def test_a_codec_that_is_missing_is_named(run, folder_of_pictures, monkeypatch):
    def fail():
        raise UnavailableError("is not installed")

    monkeypatch.setitem(
        peers.CODECS, "jxl-7", peers.CODECS["jxl-7"].__class__(**{**vars(peers.CODECS["jxl-7"]), "check": fail})
    )
    assert run("report", "p", "-o", "r.html") == (0, "", "")
    assert "JPEG XL effort 7 is left out: is not installed." in text(Path("r.html").read_text(encoding="utf-8"))


def test_what_goes_wrong(run, folder_of_pictures):
    assert run("report", "p", "-o", "r.txt").err == "vaezip: r.txt: is no name of a page; give it the suffix .html\n"
    Path("empty").mkdir()
    expected = "vaezip: empty: holds no .vz files\n"
    assert run("report", "empty", "-o", "r.html") == (1, "", expected)
    Path("p/bad.vz").write_bytes(b"no such file")
    Path("p/._bad.vz").write_bytes(b"hidden, as some systems leave beside files")
    status, out, err = run("report", "p", "-o", "r.html", "--fast")
    assert (status, out) == (1, "")
    assert err.startswith("vaezip: p/bad.vz: ")
    assert text(Path("r.html").read_text(encoding="utf-8")).split()[1:3] == ["3", "pictures"]
    assert run("report", "p/bad.vz", "-o", "s.html").status == 1
    assert "s.html" not in files()


def rows(count):
    from PIL import Image

    image = Image.new("RGB", (4, 4))
    return [
        page.Row(f"{i}.vz", image, "4×4 L", 16, 10 + i, [None, 20], "", "graphic", 1e9 + i * (count > 3))
        for i in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 30])
def test_charts_of_few_and_many(count):
    made = page.render("x", rows(count), labels=["PNG"], missing=[])
    assert made.count("<circle") == (count if count > 1 else 0)
    assert ("<polyline" in made) == (count > 9)
    assert ("in turn" in made) == (count == 2)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_and_sorts_it(run, folder_of_pictures):
    """Headless Chromium runs the page's own script, finds no fault, and asks for nothing."""
    run("report", "p", "-o", "r.html", "--fast")
    probe = """<script>
    const faults = []; addEventListener("error", event => faults.push(event.message));
    addEventListener("securitypolicyviolation", event => faults.push(event.blockedURI));
    addEventListener("load", () => setTimeout(() => {
      const names = () => [...document.querySelectorAll("tbody figcaption")].map(c => c.firstChild.textContent);
      const dates = document.querySelectorAll("th button")[document.querySelectorAll("th").length - 1];
      dates.click(); const up = names(); dates.click();
      const shown = [...document.images].every(image => image.naturalWidth > 0);
      const wide = document.documentElement.scrollWidth <= innerWidth;
      document.title = JSON.stringify({up, down: names(), shown, wide, faults,
        sort: dates.parentElement.getAttribute("aria-sort"),
        asked: performance.getEntriesByType("resource").filter(e => !e.name.startsWith("data:")).length});
    }, 0));
    </script>"""
    Path("probe.html").write_text(
        Path("r.html").read_text(encoding="utf-8").replace("<body>", "<body>" + probe), "utf-8"
    )
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--window-size=900,700"]
    url = Path("probe.html").resolve().as_uri()
    done = subprocess.run([CHROMIUM, *flags, "--dump-dom", url], capture_output=True, timeout=120, check=True)
    found = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", done.stdout.decode())[1]))
    names = ["p/set.vz: a.png", "p/sub/jpeg.vz", "p/set.vz: b<i>.png"]
    assert found == {
        "up": names,
        "down": names[::-1],
        "shown": True,
        "wide": True,
        "faults": [],
        "sort": "descending",
        "asked": 0,
    }
