import json

import pytest

from vaezip.errors import ModelError
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.registry import architecture_from_json


def test_architecture_survives_json():
    for a in (pixel_architecture(1, hidden=64, latents=7), pixel_architecture(predictors=3)):
        assert architecture_from_json(a.to_json()) == a


def test_models_of_one_predictor_are_written_as_they_always_were():
    """Or their fingerprints would change."""
    assert "predictors" not in pixel_architecture(predictors=1).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": 33},
        {"hidden": 0},
        {"hidden": 1056},
        {"head": 0},
        {"head": 1025},
        {"mixture": 0},
        {"mixture": 1025},
        {"blocks": -1},
        {"blocks": 17},
        {"latent": [0]},
        {"latent": [1025]},
        {"latent": 16},
        {"offset": 127},
        {"exponent": 5},
        {"tiled": False},
        {"regressed": 1},
        {"kind": "global"},
        {"channels": 2},
        {"head": -1},
        {"mixture": 10**6},
        {"latent": [3, 3]},
        {"tile": [16, 16]},
        {"levels": 2},
        {"blocks": 99},
        {"surprise": 1},
        {"predictors": 3},
        {"regressed": True, "predictors": 2},
        {"regressed": True, "predictors": True},
        {"encoder": [{"kind": "magic"}]},
    ],
)
def test_architectures_out_of_range_are_refused(change):
    with pytest.raises(ModelError):
        architecture_from_json(json.dumps(json.loads(pixel_architecture().to_json()) | change))
