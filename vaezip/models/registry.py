"""Architectures in plain data, and their two forms: float for training, integers for coding."""

from __future__ import annotations

import json

from vaezip.errors import ModelError
from vaezip.models.layers import TileArchitecture
from vaezip.models.pixel import architecture as local

AnyArchitecture = TileArchitecture | local.PixelArchitecture


def architecture_from_json(text: str) -> AnyArchitecture:
    """Of either kind, from its own JSON.

    Raises:
        ModelError: it is not understood.
    """
    try:
        kind = json.loads(text).get("kind")
    except (ValueError, AttributeError) as error:
        raise ModelError(f"the model's architecture is not understood ({error})") from error
    return local.PixelArchitecture.from_json(text) if kind == local.KIND else TileArchitecture.from_json(text)
