"""Architectures in plain data, and their two forms: float for training, integers for coding."""

from __future__ import annotations

import json

from vaezip.errors import ModelError
from vaezip.networks.architecture import Architecture
from vaezip.networks.local import architecture as local

AnyArchitecture = Architecture | local.LocalArchitecture


def architecture_from_json(text: str) -> AnyArchitecture:
    """Of either kind, from its own JSON.

    Raises:
        ModelError: it is not understood.
    """
    try:
        kind = json.loads(text).get("kind")
    except (ValueError, AttributeError) as error:
        raise ModelError(f"the model's architecture is not understood ({error})") from error
    return local.LocalArchitecture.from_json(text) if kind == local.KIND else Architecture.from_json(text)
