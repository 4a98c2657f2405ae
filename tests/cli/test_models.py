import json

import vaezip
from vaezip.models import file as model_file

from .test_info import documented


def test_table(run):
    status, out, err = run("models")
    head, *rows = out.splitlines()
    assert (status, err) == (0, "")
    assert head.split() == ["name", "fingerprint", "codes", "latents", "parameters", "bytes", "bpd"]
    shipped = {name: model_file.fingerprint(path).hex() for name, path in model_file.shipped().items()}
    assert [tuple(row.split()[:2]) for row in rows] == sorted(shipped.items())


def test_table_tells_what_a_model_codes(run):
    rows = {row.split()[0]: row for row in run("models").out.splitlines()}
    assert "  grey, 28×28  " in rows["mnist"]
    assert "  black and white, 28×28  " in rows["mnist-binary"]
    assert "  black and white, any size  " in rows["mnist-binary-best"]
    assert "  grey, any size  " in rows["photo-gray"]
    assert "  RGB, any size  " in rows["photo"]


def test_json(run):
    status, out, err = run("models", "--json")
    assert (status, err) == (0, "")
    found = {model["name"]: model for model in json.loads(out)}
    assert list(found) == sorted(model_file.shipped())
    path = model_file.find("mnist-binary")
    model = vaezip.load_model(path)
    weighted = [t.size for name, t in model.tensors.items() if name.endswith((".weight", ".bias"))]
    assert found["mnist-binary"] == {
        "name": "mnist-binary",
        "fingerprint": model.fingerprint.hex(),
        "channels": 1,
        "levels": 2,
        "tile": [28, 28],
        "tiled": False,
        "latents": 10,
        "parameters": sum(weighted),
        "bytes": path.stat().st_size,
        "information": model.information,
    }


def test_rate_is_what_the_model_says_of_itself(run, monkeypatch, other_model):
    model = vaezip.load_model(other_model)
    path = other_model.with_name("rated.safetensors")
    model_file.save(
        path, model.architecture, settings=model.settings, tensors=model.tensors, information={"integer_bpd": 1.23456}
    )
    monkeypatch.setattr(model_file, "shipped", lambda: {"rated": path, "other": other_model})
    rows = run("models").out.splitlines()[1:]
    assert [row.split()[-1] for row in rows] == ["-", "1.2346"]


def test_damaged_model_does_not_hide_the_others(run, monkeypatch, other_model):
    damaged = other_model.with_name("damaged.safetensors")
    damaged.write_bytes(b"")
    monkeypatch.setattr(model_file, "shipped", lambda: {"damaged": damaged, "other": other_model})
    status, out, err = run("models")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith(f"vaezip: {damaged}: ")
    assert [row.split()[0] for row in out.splitlines()] == ["name", "other"]


def test_every_field_is_documented_and_there(run):
    assert all(set(model) == documented("models") for model in json.loads(run("models", "--json").out))
