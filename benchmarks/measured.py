"""Keep what was measured of pictures, so that a script goes on where it was cut."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vaezip

Found = dict[str, Any]


def digest_of(picture: vaezip.Picture) -> str:
    """Return what tells a picture from others."""
    found = hashlib.sha256(f"{picture.mode} {picture.samples.shape} {picture.samples.dtype}".encode())
    found.update(picture.samples.tobytes())
    for name, content in picture.boxes:
        found.update(f" {name} ".encode() + content)
    return found.hexdigest()[:32]


def digest_of_source() -> str:
    """Return what tells the running package, and the models beside it, from others."""
    package, found = Path(vaezip.__file__).parent, hashlib.sha256()
    for path in sorted([*package.rglob("*.py"), *(package.parent / "models").glob("*.safetensors")]):
        found.update(f"{path.relative_to(package.parent)}".encode() + path.read_bytes())
    return found.hexdigest()[:32]


class Kept:
    """What was measured: by picture, by what measured it, and by the state of that."""

    def __init__(self, path: Path) -> None:
        """Go on with a file, or begin it."""
        self._path = path
        self._found: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def get(self, digest: str, what: str) -> Any:
        """Return what was measured last of a picture, or None."""
        return self._found.get(digest, {}).get(what, {}).get("found")

    def is_new(self, digest: str, what: str, state: str) -> bool:
        """Tell whether a picture was measured, and in this state."""
        return bool(self._found.get(digest, {}).get(what, {}).get("state") == state)

    def measure(self, digest: str, what: str, state: str, measure: Callable[[], Any]) -> None:
        """Measure a picture, unless that has been done in this state, and keep what is found."""
        if not self.is_new(digest, what, state):
            self._found.setdefault(digest, {})[what] = {"state": state, "found": measure()}
            self._path.write_text(json.dumps(self._found), "utf-8")
