import json

import pytest

from vaezip.errors import ModelError
from vaezip.models.layers import Conv, Dense, Residual, weighted_layers
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet

ARCHITECTURES = [
    mlp("bernoulli"),
    mlp("logistic", latents=3, hidden=7),
    resnet(),
    resnet(2, hidden=8, blocks=1, size=16),
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_json_and_back(architecture):
    text = architecture.to_json()
    assert TileArchitecture.from_json(text) == architecture
    assert TileArchitecture.from_json(text).to_json() == text
    assert TileArchitecture.from_json(json.dumps(json.loads(text), indent=3)).to_json() == text


def test_json_is_canonical():
    """It is hashed into the fingerprint: its bytes are pinned."""
    assert mlp("bernoulli", 1, 2).to_json() == (
        '{"channels":1,"decoder":[{"inputs":1,"kind":"dense","name":"decoder.0","outputs":2,"relu":true},'
        '{"inputs":2,"kind":"dense","name":"decoder.1","outputs":2,"relu":true},'
        '{"inputs":2,"kind":"dense","name":"decoder.out","outputs":784,"relu":false}],'
        '"encoder":[{"kind":"flatten"},{"inputs":784,"kind":"dense","name":"encoder.0","outputs":2,"relu":true},'
        '{"inputs":2,"kind":"dense","name":"encoder.1","outputs":2,"relu":true},'
        '{"inputs":2,"kind":"dense","name":"encoder.out","outputs":2,"relu":false}],"exponent":0,"latent":[1],'
        '"levels":2,"likelihood":"bernoulli","offset":0,"tile":[28,28],"tiled":false}'
    )


def changed(**fields):
    return json.dumps(json.loads(mlp("bernoulli").to_json()) | fields)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (changed(decoder=[{"kind": "attention", "name": "x"}]), "unknown kind 'attention'"),
        (changed(decoder=[{"kind": "dense", "name": "x", "inputs": 1, "outputs": 1, "dropout": 0.5}]), "dropout"),
        (changed(temperature=1), "temperature"),
        (changed(decoder=[{"name": "x"}]), "kind"),
        (changed(tile=3), "not understood"),
        ("{", "not understood"),
        ("[]", "not understood"),
        ('"text"', "not understood"),
        ("{}", "not understood"),
    ],
)
def test_what_is_not_known_is_refused_by_name(text, reason):
    with pytest.raises(ModelError, match=reason):
        TileArchitecture.from_json(text)


def test_sizes():
    a = resnet(latent_channels=4, size=32)
    assert (a.latents, a.dims) == (256, 32 * 32 * 3)
    assert (mlp("logistic").latents, mlp("logistic").dims) == (10, 784)


def test_weighted_layers_in_their_order():
    inner, outer = Conv("a", 1, 1), Conv("b", 1, 1)
    assert weighted_layers((Dense("d", 1, 1), Residual(inner, outer))) == [Dense("d", 1, 1), inner, outer]
    names = [layer.name for layer in weighted_layers(resnet(blocks=1).decoder)]
    assert names == ["decoder.in", "decoder.0.first", "decoder.0.second", "decoder.out"]
