"""The benchmark of 16 bits and alpha: that what is made is what its name says, all forms decode, and are shown."""

import json

import numpy as np
import pytest

import vaezip
from vaezip.models.pixel.model import PixelModel
from vaezip.pictures.picture import Picture


@pytest.fixture
def script(photo_script):
    return photo_script("planes")


@pytest.fixture
def pixels(discs):
    return discs(1, 46, 51, 3)[0]


def test_pictures_of_16_bits(script, pixels):
    made = {kind: make(pixels) for kind, make in script.DEEP.items()}
    assert all(picture.dtype == np.uint16 and picture.shape[2] == 3 for picture in made.values())
    assert np.array_equal(made["8 bits, times 257"], pixels.astype(np.uint16) * 257)
    assert len(np.unique(made["8 bits in linear light"])) == len(np.unique(pixels))
    assert made["means of 4×4"].shape == (11, 12, 3)
    assert made["60 % in size"].shape == (28, 31, 3)
    assert (made["60 % in size, upper 12 bits"] >> 4 == made["60 % in size, lower 12 bits"]).all()
    assert made["300 % in size"].shape == (45, 51, 3)


def test_masks(script, pixels):
    made = {kind: make(pixels) for kind, make in script.MASKS.items()}
    assert all(mask.dtype == np.uint8 and mask.shape == (46, 51, 1) for mask in made.values())
    assert made["opaque"].min() == 255
    assert set(np.unique(made["shape, hard edge"])) == {0, 255}
    soft = ("smooth edge", "feathered", "shadow", "hair", "matte")
    assert all(len(np.unique(mask)) > 5 for kind, mask in made.items() if any(word in kind for word in soft))


def test_what_does_not_decode_to_itself_ends_the_script(script, pixels, monkeypatch):
    honest = PixelModel.decode
    monkeypatch.setattr(PixelModel, "decode", lambda *a: (honest(*a)[0] ^ 1, 0))
    model = script.model_file.load(script.model_file.find("photo"))
    with pytest.raises(SystemExit, match="does not decode to itself"):
        script.by_model(model, "-1", pixels[None])


def test_rows_are_shown(script, discs, tmp_path, monkeypatch):
    for i, samples in enumerate(discs(3, 24, 24, 3)):
        (tmp_path / f"{i}.png").write_bytes(vaezip.pictures.write(Picture("RGB", samples), ".png"))
    for made in ("DEEP", "MASKS"):
        monkeypatch.setattr(script, made, dict(list(getattr(script, made).items())[:2]))
    monkeypatch.setattr(script, "by_jpeg_xl", lambda samples: 99)
    script.main(["--photos", str(tmp_path), "--limit", "2", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "planes.json").read_text())
    assert found["photographs"] == 2
    assert [row["mode"] for row in found["deep"]] == ["RGB", "RGB", "L", "L"]
    assert found["deep"][0]["values"] == 2 * 24 * 24 * 3
    text = (tmp_path / "README.md").read_text()
    assert f"{found['deep'][0]['bytes']['bytes, webp']:,}" in text
    assert f"{found['alpha'][1]['bytes']['-4']:,}" in text
