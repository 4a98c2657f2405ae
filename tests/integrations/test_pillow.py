"""``.vz`` files in Pillow, and in what reads pictures by Pillow."""

import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import vaezip
import vaezip.pillow
from vaezip.integrations import pillow as plugin
from vaezip.pictures.convert import PILLOW_MODES, as_picture
from vaezip.pictures.picture import MODES, same

from ..pictures.helpers import EXIF_BYTES, RESOLUTION, picture

INFO = {"icc_profile": b"profile" * 100, "exif": b"Exif\0\0" + EXIF_BYTES, "xmp": b"<x:xmpmeta/>", "dpi": (300, 200)}


def saved(image, **options):
    file = io.BytesIO()
    image.save(file, "VZ", **options)
    return file.getvalue()


def opened(data):
    return Image.open(io.BytesIO(data))


def photo(size=(24, 20), seed=0):
    x = np.arange(size[0] * size[1] * 3).reshape(size[1], size[0], 3) // 9
    noise = np.random.default_rng(seed).integers(0, 5, x.shape)
    return Image.fromarray(((x + noise) % 256).astype(np.uint8))


@pytest.mark.parametrize("mode", PILLOW_MODES)
def test_every_mode_comes_back(mode, tmp_path):
    image = picture(mode).to_pil()
    image.save(tmp_path / "a.vz", effort=1)
    with Image.open(tmp_path / "a.vz") as found:
        assert (found.format, found.mode, found.size) == ("VZ", mode, image.size)
        assert same(as_picture(found)[0], as_picture(image)[0])


@pytest.mark.parametrize("mode", ["I;16B", "I;16L"])
def test_other_byte_orders_are_saved_as_those_of_intel(mode):
    samples = picture("I;16").samples[..., 0]
    image = Image.frombytes(mode, samples.shape[::-1], samples.astype(">u2" if mode.endswith("B") else "<u2").tobytes())
    found = opened(saved(image))
    assert found.mode == "I;16"
    assert np.array_equal(np.asarray(found), samples)


def test_what_a_picture_cannot_hold_is_refused_as_pillow_does(tmp_path):
    with pytest.raises(OSError, match="cannot write mode F as VZ"):
        Image.new("F", (3, 3)).save(tmp_path / "a.vz")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="no mode for RGB;16"):
        opened(vaezip.compress(picture("RGB;16")))
    with pytest.raises(vaezip.ImageError, match="no mode for RGB;16"):
        picture("RGB;16").to_pil()


@pytest.mark.parametrize("options", [{"lossless": False}, {"quality": 90}])
def test_loss_is_refused(options):
    with pytest.raises(OSError, match="lossless and knows no quality"):
        saved(photo(), **options)


def test_settings_have_the_names_of_other_plugins(monkeypatch):
    taken = []
    monkeypatch.setattr(plugin, "Compressor", lambda options: taken.append(options) or vaezip.Compressor(options))
    saved(photo(), lossless=True, effort=2, num_threads=2, model="photo")
    saved(photo(), preset=1, num_threads=0)
    assert [(o.preset, o.threads, o.model) for o in taken] == [(2, 2, "photo"), (1, 1, "auto")]
    with pytest.raises(vaezip.VaezipError, match="preset"):
        saved(photo(), effort=40)


def test_metadata_are_those_of_the_image():
    image = photo()
    image.info = dict(INFO)
    found = opened(saved(image)).info
    assert found == {**INFO, "dpi": found["dpi"]}
    assert found["dpi"] == pytest.approx((300, 200), abs=0.02)
    assert opened(saved(image, icc_profile=None, exif=b"", xmp=None, dpi=None)).info == {}


def test_metadata_can_be_given():
    exif = Image.Exif()
    exif[0x010E] = "a title"
    found = opened(saved(photo(), exif=exif, icc_profile=b"other", xmp="<x/>", dpi=(72, 72)))
    assert found.getexif()[0x010E] == "a title"
    assert (found.info["icc_profile"], found.info["xmp"]) == (b"other", b"<x/>")
    assert found.info["dpi"] == pytest.approx((72, 72), abs=0.02)


def test_metadata_of_a_png_stay_what_they_are(tmp_path):
    one = picture("RGB", boxes=(("transparency", b"\0\1\0\2\0\3"), ("icc", b"icc"), ("resolution", RESOLUTION)))
    (tmp_path / "a.png").write_bytes(vaezip.pictures.write(one, ".png"))
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        found = opened(saved(image))
        assert found.info == image.info
    assert same(vaezip.decompress(saved(found)), one)


def test_a_palette_may_have_alpha():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 9, 4)).astype(np.uint8)
    image = Image.fromarray(pixels).quantize(40, method=Image.Quantize.FASTOCTREE)
    found = opened(saved(image))
    assert np.array_equal(np.asarray(found.convert("RGBA")), np.asarray(image.convert("RGBA")))


def test_nothing_is_decoded_before_it_is_asked_for(monkeypatch):
    data = saved(photo())
    monkeypatch.setattr("vaezip.codec.decoding.decode", None)
    found = opened(data)
    assert (found.size, found.mode, found.n_frames) == ((24, 20), "RGB", 1)


def test_frames_are_the_pictures_of_a_set():
    images = [photo(seed=1), Image.new("L", (5, 4), 255), photo(seed=2), Image.new("1", (3, 3))]
    data = saved(images[0], save_all=True, append_images=images[1:], effort=1)
    assert vaezip.Archive(data).keys() != ["0", "1", "2", "3"]  # sizes and modes stand together
    found = opened(data)
    assert (found.n_frames, found.is_animated, found.tell()) == (4, True, 0)
    for i in (2, 0, 3, 1):
        found.seek(i)
        assert (found.tell(), found.mode, found.size) == (i, images[i].mode, images[i].size)
        assert found.info["name"] == str(i)
        assert np.array_equal(np.asarray(found), np.asarray(images[i]))
    with pytest.raises(EOFError):
        found.seek(4)


def test_frames_of_an_animation_are_saved_and_it_stays_where_it_was(tmp_path):
    frames = [Image.new("L", (4, 4), 60 * i) for i in range(3)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.tif") as image:
        image.seek(1)
        assert np.asarray(opened(saved(image))).max() == 60  # the frame of the moment
        found = opened(saved(image, save_all=True))
        assert image.tell() == 1
    assert [int(np.asarray(frame)[0, 0]) for frame in frames_of(found)] == [0, 60, 120]
    assert opened(saved(frames[0], save_all=True)).n_frames == 1


def frames_of(image):
    for i in range(image.n_frames):
        image.seek(i)
        yield image


def test_a_jpeg_is_what_pillow_makes_of_it(tmp_path):
    file = io.BytesIO()
    photo().convert("CMYK").save(file, "JPEG", dpi=(100, 100), exif=INFO["exif"])
    found = opened(vaezip.compress(file.getvalue()))
    with Image.open(file) as image:
        assert (found.mode, found.size, found.info) == ("CMYK", image.size, image.info)
        assert np.array_equal(np.asarray(found), np.asarray(image))


def test_a_file_that_is_kept_as_it_was():
    rng = np.random.default_rng(0)
    data = b"P5\n40 30\n255\n" + rng.bytes(1200)
    kept = vaezip.compress(data)
    assert vaezip.Archive(kept).original() == data
    assert np.asarray(opened(kept)).tobytes() == data[-1200:]


def test_verify_finds_what_only_decoding_tells():
    data = bytearray(saved(photo()))
    opened(bytes(data)).verify()
    data[len(data) // 2] ^= 1
    with pytest.raises(OSError):  # noqa: PT011 (whichever part of the file it is)
        opened(bytes(data)).verify()
    with pytest.raises(OSError):  # noqa: PT011
        opened(bytes(data)).load()
    with pytest.raises(OSError, match=r"truncated|damaged"):
        opened(bytes(data[:9]))


def test_an_image_can_be_copied_pickled_and_changed():
    image = photo()
    for found in (opened(saved(image)).copy(), pickle.loads(pickle.dumps(opened(saved(image))))):
        assert np.array_equal(np.asarray(found), np.asarray(image))
        found.putpixel((0, 0), (1, 2, 3))
        assert found.getpixel((0, 0)) == (1, 2, 3)


def test_threads_may_decode_at_once():
    images = [photo(seed=i) for i in range(4)]
    files = [saved(image, effort=1) for image in images]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda data: np.asarray(opened(data)), files))
    assert all(np.array_equal(a, b) for a, b in zip(found, images))


def test_a_closed_image_is_closed(tmp_path):
    (tmp_path / "a.vz").write_bytes(saved(photo()))
    image = Image.open(tmp_path / "a.vz")
    image.close()
    with pytest.raises((OSError, ValueError), match="closed"):
        image.load()


def test_the_limit_of_pillow_holds(monkeypatch):
    data = saved(Image.new("L", (40, 40)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises((OSError, Image.DecompressionBombError), match="limit"):
        opened(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert opened(data).size == (40, 40)


def test_loaders_of_data_sets_read_it(tmp_path):
    """As those of torchvision and of Hugging Face do: by path, and by the bytes in a table."""
    image = photo()
    image.save(tmp_path / "a.vz", effort=1)
    with open(tmp_path / "a.vz", "rb") as file:
        assert np.array_equal(Image.open(file).convert("RGB"), image)
    assert np.array_equal(Image.open(io.BytesIO((tmp_path / "a.vz").read_bytes())), image)


def test_imageio_reads_and_writes_it(tmp_path):
    iio = pytest.importorskip("imageio.v3")
    image = np.asarray(photo())
    iio.imwrite(tmp_path / "a.vz", image, plugin="pillow", extension=".vz", effort=1)
    assert np.array_equal(iio.imread(tmp_path / "a.vz"), image)
    assert np.array_equal(vaezip.imread(tmp_path / "a.vz"), image)
    stack = np.stack([np.asarray(photo(seed=i)) for i in range(3)])
    (tmp_path / "b.vz").write_bytes(vaezip.compress({str(i): one for i, one in enumerate(stack)}, preset=1))
    assert np.array_equal(iio.imread(tmp_path / "b.vz", index=...), stack)
    assert np.array_equal(iio.imread(tmp_path / "b.vz", index=1), stack[1])
    assert iio.improps(tmp_path / "b.vz", index=0).shape == (20, 24, 3)


def test_all_modes_are_known():
    assert set(MODES) - set(PILLOW_MODES) == {"LA;16", "RGB;16", "RGBA;16"}
