import sys
from dataclasses import replace

import numpy as np
import pytest

from vaezip.bench import peers
from vaezip.bench.method import UnavailableError
from vaezip.pictures import read
from vaezip.pictures.datasets import INSTALL
from vaezip.pictures.picture import MODES, Picture, same

from ..pictures.jpeg.jpegs import jpeg

OF_FILES = [name for name, codec in peers.CODECS.items() if codec.of_files]
OF_PIXELS = [name for name in peers.CODECS if name not in OF_FILES]
CANNOT = {("webp", mode) for mode in MODES if "16" in mode} | {("jpegls", "LA"), ("jpegls", "LA;16")}


def picture(mode, height=13, width=9, seed=0):
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, 1 << MODES[mode].bits, (height, width, MODES[mode].channels)).astype(MODES[mode].dtype)
    if mode == "P":
        return Picture(mode, samples % 20, (("palette", bytes(range(60))), ("transparency", bytes([0, 100, 255]))))
    return Picture(mode, samples)


def peer(name):
    try:
        return peers.Peer(name)
    except UnavailableError as reason:
        pytest.skip(str(reason))


def round_trip(method, named):
    prepared = method.prepare(named)
    files = method.encode(prepared, verify=False)
    return files, method.restore(method.decode(files, prepared), named)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", OF_PIXELS)
def test_round_trip(name, mode):
    method = peer(name)
    named = [
        ("a", picture(mode)),
        ("b", picture(mode, seed=1)),
        ("c", picture(mode, 7, 30)),
        ("d", picture(mode, seed=2)),
    ]
    reason = method.codec.refuses(picture(mode))
    assert (reason is not None) == ((name, mode) in CANNOT)
    if reason:
        return
    files, back = round_trip(method, named)
    assert len(files) == 2
    assert all(same(a, b) for (_, a), b in zip(named, back, strict=True))


@pytest.mark.parametrize("name", OF_PIXELS)
def test_grey_of_black_and_white_comes_back_as_grey(name):
    black_and_white = Picture("L", np.random.default_rng(0).integers(0, 2, (9, 8, 1), np.uint8) * np.uint8(255))
    _, (back,) = round_trip(peer(name), [("", black_and_white)])
    assert same(back, black_and_white)


def test_black_and_white_is_one_bit_of_png():
    (file,), _ = round_trip(peers.Peer("png"), [("", picture("1", 100, 100))])
    assert file[24:26] == b"\x01\x00"  # depth and colour type of IHDR


@pytest.mark.parametrize("mode", MODES)
def test_what_differs_stays_different(mode):
    given = picture(mode)
    samples = given.samples.copy()
    samples[3, 4, 0] ^= 1
    other = peers.true_colour(Picture(mode, samples, given.boxes))
    assert same(peers.as_given(peers.true_colour(given), given), given)
    assert not same(peers.as_given(other, given), given)


def test_jpeg_ls_subtracts_green():
    pytest.importorskip("imagecodecs")
    grey = np.repeat(picture("L", 64, 64).samples, 3, axis=2)
    (coloured,), _ = round_trip(peers.Peer("jpegls"), [("", Picture("RGB", grey))])
    (plain,), _ = round_trip(peers.Peer("jpegls"), [("", picture("L", 64, 64))])
    assert len(coloured) < 1.5 * len(plain)  # without it, three times


@pytest.mark.parametrize(
    ("name", "module", "reason"),
    [
        ("jxl-7", "imagecodecs", f"imagecodecs is not installed; {INSTALL}"),
        ("jpegls", "imagecodecs", f"imagecodecs is not installed; {INSTALL}"),
        ("oxipng", "oxipng", "neither the package pyoxipng nor the program oxipng is installed"),
        ("zopfli", "zopfli.png", "neither the package zopfli nor the program zopflipng is installed"),
    ],
)
def test_a_missing_codec_says_so(monkeypatch, name, module, reason):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError) as caught:
        peers.Peer(name)
    assert str(caught.value) == reason


@pytest.mark.parametrize(("name", "program"), [("oxipng", "oxipng"), ("zopfli", "zopflipng")])
def test_a_program_stands_in_for_its_module(monkeypatch, tmp_path, name, program):
    module = {"oxipng": "oxipng", "zopfli": "zopfli.png"}[name]
    monkeypatch.setitem(sys.modules, module, None)
    fake = tmp_path / program
    script = "import shutil, sys\na = sys.argv\nout = a[a.index('--out') + 1] if '--out' in a else a[-1]\n"
    source = "a[-1]" if name == "oxipng" else "a[-2]"
    fake.write_text(f"#!{sys.executable}\n{script}shutil.copy({source}, out)\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    given = picture("RGB")
    _, (back,) = round_trip(peers.Peer(name), [("", given)])
    assert same(back, given)


@pytest.mark.parametrize(("end", "said"), [("raise SystemExit(3)", "exit status 3"), ("exit('no PNG')", "no PNG")])
def test_a_failing_program_says_why(end, said):
    with pytest.raises(UnavailableError) as caught:
        peers._by_program(b"", sys.executable, "-c", end)
    assert str(caught.value) == f"the program {sys.executable} failed: {said}"


def test_webp_holds_no_side_that_its_format_has_no_number_for():
    refuses = peers.CODECS["webp"].refuses
    assert refuses(Picture("L", np.zeros((1, 16383, 1), np.uint8))) is None
    wide = Picture("L", np.zeros((1, 16384, 1), np.uint8))
    assert refuses(wide) == "WebP holds no pictures of more than 16,383 pixels a side"


@pytest.mark.parametrize("name", OF_PIXELS)
def test_versions(name):
    peer(name)
    assert any(c.isdigit() for c in peers.CODECS[name].version())


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("name", OF_FILES)
def test_files_come_back(name, mode):
    pictures = [replace(read(data), original=data) for data in (jpeg(mode), jpeg(mode, progressive=True))]
    files, back = round_trip(peer(name), [("a", pictures[0]), ("b", pictures[1])])
    assert all(same(a, b) for a, b in zip(pictures, back, strict=True))
    assert len(files) == 2
    assert name != "jpeg" or files == [picture.original for picture in pictures]


@pytest.mark.parametrize("name", OF_FILES)
def test_pixels_without_a_file_are_refused(name):
    assert peers.CODECS[name].refuses(picture("RGB")) == "is no JPEG file"
