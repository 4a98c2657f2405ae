import dataclasses
import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from safetensors.numpy import save_file

from vaezip.errors import ModelError
from vaezip.models import file as model_file
from vaezip.models.posterior import Settings
from vaezip.models.tile.mlp import mlp

MODELS = Path(__file__).parents[2] / "models"


def save(path, model, architecture=None, settings=None, information=None, **tensors):
    model_file.save(
        path,
        architecture or model.architecture,
        settings=settings or model.settings,
        tensors=dict(model.tensors) | tensors,
        information={} if information is None else information,
    )
    return path


def test_what_is_saved_is_loaded(small, tmp_path):
    model = small.model
    path = save(tmp_path / "copy.safetensors", model, information={"a": [1, "ü"]})
    copy = model_file.load(path)
    assert copy.name == "copy"
    assert copy.architecture == model.architecture
    assert copy.settings == model.settings
    assert copy.information == {"a": [1, "ü"]}
    assert copy.fingerprint == model.fingerprint
    for name, tensor in model.tensors.items():
        assert copy.tensors[name].dtype == tensor.dtype
        assert np.array_equal(copy.tensors[name], tensor)
    assert path.stat().st_mode & 0o777 == 0o644


def test_fingerprint_covers_what_moves_a_coded_bit(small, tmp_path):
    model = small.model
    original = model_file.fingerprint(save(tmp_path / "0.safetensors", model))
    assert len(original) == model_file.FINGERPRINT_BYTES
    found = {original}
    for i, name in enumerate(sorted(model.tensors)):
        changed = model.tensors[name].copy()
        changed.ravel()[-1] ^= 1
        found.add(model_file.fingerprint(save(tmp_path / f"t{i}.safetensors", model, **{name: changed})))
    assert len(found) == len(model.tensors) + 1
    settings = dataclasses.replace(model.settings, beta1=0.25)
    architecture = dataclasses.replace(model.architecture, offset=model.architecture.offset + 1)
    found.add(model_file.fingerprint(save(tmp_path / "s.safetensors", model, settings=settings)))
    found.add(model_file.fingerprint(save(tmp_path / "a.safetensors", model, architecture=architecture)))
    assert len(found) == len(model.tensors) + 3


def test_fingerprint_leaves_free_information_out(small, tmp_path):
    paths = [save(tmp_path / f"{i}.safetensors", small.model, information={"epochs": i}) for i in range(2)]
    assert model_file.fingerprint(paths[0]) == model_file.fingerprint(paths[1])


def test_fingerprint_is_pinned(tmp_path):
    """It names models in files that exist."""
    path = tmp_path / "m.safetensors"
    tensors = {"coarse": np.array([1, 2, 3], np.uint8), "a.weight": np.array([[-5, 700]], np.int16)}
    model_file.save(path, mlp("bernoulli", 1, 2), settings=Settings(), tensors=tensors, information={})
    metadata, _ = model_file._read(path)
    save_file(tensors, path, metadata | {"settings": "{}", "architecture": "x"})
    assert model_file.fingerprint(path).hex() == "d287a77d"


def test_a_model_that_is_trained_again_under_its_name_gets_another_fingerprint(small_models, tmp_path):
    """In one process: files made with the new weights must not bear the name of the old."""
    path = tmp_path / "mine.safetensors"
    small = small_models["bernoulli"]
    before = model_file.load(save(path, small.model))
    changed = dict(small.model.tensors)["coarse"] + 1
    after = model_file.load(save(path, small.model, coarse=changed.astype(np.uint8)))
    elsewhere = shutil.copy(path, tmp_path / "copy.safetensors")
    assert after.fingerprint != before.fingerprint
    assert after.fingerprint == model_file.load(elsewhere).fingerprint
    assert model_file.by_fingerprint(after.fingerprint, (path,)) == path


def test_find(small_models):
    for name, path in model_file.shipped().items():
        assert model_file.find(name) == path
        assert model_file.by_fingerprint(model_file.fingerprint(path)) == path
    path = small_models["logistic"].path
    assert model_file.find(str(path)) == path
    assert model_file.by_fingerprint(model_file.fingerprint(path), (path,)) == path
    with pytest.raises(ModelError, match=r"no model is called 'phto'; 'photo' may be meant, or give the path"):
        model_file.find("phto")
    with pytest.raises(ModelError, match=r"there is no model file 'short.safetensors'"):
        model_file.find("short.safetensors")
    with pytest.raises(ModelError, match=r"no model is called 'nonsense'; shipped are .*mnist"):
        model_file.find("nonsense")


def test_shipped_models_have_fingerprints_of_their_own():
    fingerprints = {model_file.fingerprint(p) for p in model_file.shipped().values()}
    assert len(fingerprints) == len(model_file.shipped()) >= 3
    assert {"mnist", "mnist-binary", "cifar10"} <= set(model_file.shipped())
    assert sum(p.stat().st_size for p in model_file.shipped().values()) < 20e6


@pytest.mark.parametrize("name", ["photo", "photo-gray", "photo-small"])
def test_integers_of_photograph_models_cost_what_floats_cost(name):
    """By the figures that their cards are made of."""
    figures = json.loads((MODELS / f"{name}.json").read_text())
    assert figures["fingerprint"] == model_file.fingerprint(model_file.find(name)).hex()
    assert figures["quantization_loss_percent"] < 0.1


def test_an_unknown_fingerprint_is_named_with_the_remedy():
    with pytest.raises(ModelError, match=r"fingerprint 01020304") as raised:
        model_file.by_fingerprint(b"\1\2\3\4")
    assert raised.value.remedy == "model-file"


def test_architecture_without_weights(small):
    assert model_file.architecture(small.path) == small.architecture


@pytest.mark.parametrize("content", [b"", b"hello", bytes(100), b"\x08\0\0\0\0\0\0\0{}      "])
@pytest.mark.parametrize("function", [model_file.load, model_file.architecture])
def test_what_is_no_model_is_refused_by_name(tmp_path, content, function):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.safetensors: not a vaezip model"):
        function(path)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [({"format": "pt"}, "it has no 'architecture'"), ({"architecture": "x", "settings": "{}"}, ".*bfloat16.*")],
)
@pytest.mark.parametrize("function", [model_file.load, model_file.fingerprint])
def test_a_file_of_others_with_types_that_numpy_lacks_is_refused(tmp_path, metadata, said, function):
    tensors = {"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}
    header = json.dumps(tensors | {"__metadata__": metadata}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(ModelError, match=rf"x\.safetensors: not a vaezip model \({said}\); give a file that vaezip"):
        function(path)


def test_a_missing_file_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(ModelError):
            model_file.load(path)


@pytest.mark.parametrize("length", [0.3, 0.9, 0.999])
def test_a_truncated_model_is_refused(small, tmp_path, length):
    data = small.path.read_bytes()
    path = tmp_path / "x.safetensors"
    path.write_bytes(data[: int(len(data) * length)])
    with pytest.raises(ModelError):
        model_file.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"settings": None},
        {"settings": "{"},
        {"settings": '{"momentum": 1}'},
        {"settings": "[]"},
        {"settings": '{"beta1": "x"}'},
        {"settings": '{"beta1": NaN}'},
        {"settings": '{"noise": 0}'},
        {"settings": '{"noise": 0.0009}'},
        {"settings": '{"mean_rate": 100.5}'},
        {"settings": '{"decay": -0.5}'},
        {"settings": '{"mean_rate": 1}'},
        {"settings": '{"beta2": 1.0}'},
        {"information": "{"},
        {"architecture": None},
        {"architecture": "{}"},
    ],
)
def test_metadata_that_cannot_be_is_refused(small_models, tmp_path, change):
    small = small_models["bernoulli"]
    metadata, tensors = model_file._read(small.path)
    metadata = {k: v for k, v in (metadata | change).items() if v is not None}
    path = tmp_path / "x.safetensors"
    save_file(tensors, path, metadata)
    with pytest.raises(ModelError):
        model_file.load(path)


def test_settings_are_kept_to_the_last_bit(small_models, tmp_path):
    settings = dataclasses.replace(Settings(), beta1=0.1 + 0.2)
    path = save(tmp_path / "x.safetensors", small_models["bernoulli"].model, settings=settings)
    assert model_file.load(path).settings.beta1 == 0.1 + 0.2
    assert json.loads(model_file._read(path)[0]["settings"])["beta1"] == 0.1 + 0.2


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bernoulli", {"channels": True}),
        ("bernoulli", {"levels": 2.0}),
        ("bernoulli", {"offset": 0.0}),
        ("bernoulli", {"tiled": 1}),
        ("bernoulli", {"tile": [28, 28.0]}),
        ("bernoulli", {"latent": []}),
        ("local-grey", {"channels": True}),
        ("local-grey", {"blocks": True}),
        ("local-grey", {"tile": [32.0, 32]}),
        ("local-grey", {"tiled": 1}),
    ],
)
def test_what_equals_a_number_but_is_of_another_type_is_refused(name, change):
    data = (Path(__file__).parent / f"{name}.safetensors").read_bytes()
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    metadata["architecture"] = json.dumps(json.loads(metadata["architecture"]) | change)
    with pytest.raises(ModelError):
        model_file.loads(save_tensors(load_tensors(data), metadata), name)


@pytest.mark.parametrize("latent", [[4096, 4096, "x"], [1 << 40, "x"], [1 << 30, [0]], [4096] * 3, [-1, -1]])
@pytest.mark.parametrize("key", ["latent", "tile"])
def test_a_shape_is_looked_at_before_it_is_multiplied(key, latent):
    """The product of a number and a text, or a list, is as long as the number says."""
    data = (Path(__file__).parent / "logistic.safetensors").read_bytes()
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    metadata["architecture"] = json.dumps(json.loads(metadata["architecture"]) | {key: latent})
    tracemalloc.start()
    with pytest.raises(ModelError):
        model_file.loads(save_tensors(load_tensors(data), metadata), "x")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 22
