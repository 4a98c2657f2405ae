import numpy as np
import pytest

from vaezip.bench import ours
from vaezip.codec.archive import Archive
from vaezip.codec.compress_options import Options
from vaezip.codec.compressor import compress
from vaezip.errors import ModelError
from vaezip.models import file as model_file
from vaezip.models.effort import NONE, PRESETS, Effort
from vaezip.models.tile import bitsback, search
from vaezip.models.tile.bitsback import Tiles
from vaezip.pictures.picture import Picture, same


@pytest.fixture
def named(discs):
    return [(f"{i:05d}", Picture("L", x)) for i, x in enumerate(discs(6, 28, 28))]


@pytest.fixture
def method(small_models):
    return ours.Ours(Options(model=str(small_models["logistic"].path), effort=Effort(1)))


def round_trip(method, named):
    files = method.encode(method.prepare(named), verify=False)
    return files, method.restore(method.decode(files), named)


@pytest.mark.parametrize("count", [1, 6])
def test_round_trip(method, named, count):
    some = named[:count] if count > 1 else [("", named[0][1])]
    (file,), back = round_trip(method, some)
    assert file[1:4] == b"z\r\n"
    assert all(same(a, b) for (_, a), b in zip(some, back, strict=True))


def test_order_is_kept_where_sizes_are_mixed():
    rng = np.random.default_rng(0)
    shapes = [(3, 4, 1), (5, 5, 1), (3, 4, 1)]
    palette = (("palette", bytes(768)),)
    named = [(f"p{i}", Picture("P", rng.integers(0, 256, shape, np.uint8), palette)) for i, shape in enumerate(shapes)]
    method = ours.Ours(Options(model="auto", effort=NONE))
    _, back = round_trip(method, named)
    assert all(same(a, b) for (_, a), b in zip(named, back, strict=True))
    assert method.take_model() is None  # all of it are drawn pictures


def test_model_and_its_elbo(method, named, small_models):
    round_trip(method, named)
    model = method.take_model()
    assert model.fingerprint == small_models["logistic"].model.fingerprint
    x = np.stack([picture.samples for _, picture in named])
    once = bitsback.elbo_bits(model, Tiles(x, np.ones(x.shape[:3], np.bool_)), steps=1) / x.size
    assert method.elbo_bpd(model, named) == pytest.approx(once, rel=0.05)
    assert method.elbo_bpd(None, named) is None


@pytest.mark.parametrize(("pictures", "draws"), [(1, 8), (1000, 8), (4096, 2), (10000, 1)])
def test_the_elbo_of_few_digits_is_a_mean_over_draws(small_models, monkeypatch, pictures, draws):
    asked = []
    monkeypatch.setattr(search, "bound_bits", lambda model, x, effort, draws: asked.append((len(x), draws)) or 1.0)
    digit = Picture("L", np.full((28, 28, 1), 9, np.uint8))
    ours._elbo_bpd(small_models["logistic"].model, [("", digit)] * pictures, NONE)
    assert asked == [(pictures, draws)]


def test_draws_of_any_sizes_go_by_all_values(small_models, monkeypatch):
    asked = []
    monkeypatch.setattr(search, "bound_bits", lambda model, x, effort, draws: asked.append(draws) or 1.0)
    named = [("", Picture("RGB", np.full((1000, 1000 + i, 3), 9, np.uint8))) for i in range(2)]
    ours._elbo_bpd(small_models["colour"].model, named, NONE)
    assert asked == [1, 1]


def test_elbo_of_tiles(small_models, discs):
    model = small_models["colour"].model
    pictures = [("a", Picture("RGB", discs(1, 20, 13, 3)[0])), ("b", Picture("RGB", discs(1, 8, 8, 3)[0]))]
    method = ours.Ours(Options(model=str(small_models["colour"].path), effort=NONE))
    (file,), _ = round_trip(method, pictures)
    bits = method.elbo_bpd(model, pictures) * (20 * 13 + 64) * 3
    assert 0.5 * bits < 8 * len(file) < 3 * bits


def test_planes_that_a_model_codes(small_models):
    grey, bits, colour = (small_models[n].model for n in ("logistic", "bernoulli", "colour"))
    noise = np.random.default_rng(0).integers(0, 256, (28, 28, 4), np.uint8)
    black = Picture("L", np.zeros((28, 28, 1), np.uint8))
    assert ours.coded_planes(grey, Picture("L", noise[..., :1].copy())) is not None
    assert ours.coded_planes(bits, Picture("L", noise[..., :1].copy())) is None
    assert ours.coded_planes(bits, black).max() == 0
    assert ours.coded_planes(bits, Picture("1", noise[..., :1] >> 7)).max() == 1
    assert set(ours.coded_planes(grey, Picture("1", noise[..., :1] >> 7)).ravel()) == {0, 255}
    assert ours.coded_planes(colour, Picture("RGB", noise[..., :3].copy())) is not None
    assert ours.coded_planes(colour, Picture("RGBA", noise)) is None
    assert ours.coded_planes(grey, Picture("I;16", noise[..., :1].astype(np.uint16))) is None


def test_information(small_models):
    model = small_models["logistic"].model
    assert ours.information(model) == {"fingerprint": model.fingerprint.hex(), "objective": None}
    assert ours.information(None) == {"fingerprint": None, "objective": None}


def test_default_model_is_the_data_sets_own(monkeypatch, tmp_path):
    monkeypatch.setattr(model_file, "shipped", lambda: {"mnist": tmp_path / "mnist.safetensors"})
    assert ours.default_models("mnist") == ("mnist",)
    assert ours.default_models("cifar100") == ours.default_models("./mnist") == ("auto",)


def test_a_preset_does_all_that_the_command_line_does_by_it(local_models):
    small = local_models["grey"]
    named = [(f"{i}", Picture("L", x)) for i, x in enumerate(small.images[:2])]
    for preset in (1, 3, 6):
        method = ours.Ours(Options(model=str(small.path), effort=PRESETS[preset]), preset=preset)
        assert method.name == f"{small.path.stem} with -{preset}"
        assert method.encode(named, False) == [compress(named, model=small.path, preset=preset)]


def test_solid_sets_stand_in_one_block(small_models):
    dark, grey = (Picture("L", np.full((1000, 1000, 1), value, np.uint8)) for value in (8, 9))
    model = str(small_models["logistic"].path)
    named = [(f"{i}", Picture("L", np.full((28, 28, 1), i % 200, np.uint8))) for i in range(3)]
    for solid in (False, True):
        (file,) = ours.Ours(Options(model="auto", effort=NONE, solid=solid)).encode([("a", dark), ("b", grey)], False)
        assert len(Archive(file).file.groups[0].blocks) == 2 - solid
    assert ours.Ours(Options(model=model, effort=NONE, solid=True)).encode(named, False) == [
        compress(named, model=model, steps=0, solid=True)
    ]


def test_unknown_model():
    with pytest.raises(ModelError, match="no model is called 'nope'"):
        ours.Ours(Options(model="nope", effort=NONE))


def test_no_elbo_of_a_model_that_adapts(local_models):
    small = local_models["grey"]
    named = [("a", Picture("L", small.images[0]))]
    for effort, known in ((Effort(0, rows=0), True), (Effort(0), False), (Effort(1), False)):
        method = ours.Ours(Options(model=str(small.path), effort=effort))
        round_trip(method, named)
        assert (method.elbo_bpd(method.take_model(), named) is not None) == known
