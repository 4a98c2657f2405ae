"""Opening ``.vz`` files, as the commands that decode them do."""

from __future__ import annotations

import vaezip
from vaezip.cli import streams


def open_archive(
    path: str, models: tuple[str, ...], device: str, threads: int, max_pixels: int
) -> tuple[vaezip.Archive, int]:
    """The archive in a file or on standard input, and its bytes."""
    data = streams.read(path)
    return vaezip.Archive(data, models, device, threads, max_pixels), len(data)


def require_models(archive: vaezip.Archive) -> None:
    """Fail once, and at the start, where a model is missing.

    Raises:
        ModelError: a block was made with a model that is not here.
        FormatError: the model in the file is damaged.
    """
    from vaezip.container import CLASSIC

    for fingerprint in {block.model for group in archive.file.groups for block in group.blocks}:
        if fingerprint != CLASSIC:
            archive.model(fingerprint)


def is_set(archive: vaezip.Archive) -> bool:
    """Whether it holds pictures with names, and not one without."""
    return archive.names != [""]
