"""How to compress."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from dataclasses import dataclass

from vaezip.codec.select import AUTO
from vaezip.models.effort import DEFAULT_PRESET, Effort, chosen_effort
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS


@dataclass(frozen=True)
class Options:
    """Say how to compress.

    Attributes:
        model: a shipped model's name, the path of a model file, or ``auto``: whatever is smallest
            among the models that fit and the coders that need none; of many pictures, or a large one, whatever is
            smallest on some of it. Where a model was chosen, pictures with a palette or 16 bits, of which no model
            codes any, go to a coder that needs none.
        preset: 1 (fast) … 9 (small).
        steps: in the place of a preset, K: gradient steps on each posterior; or, by a model with a pixel network, what
            :func:`vaezip.models.effort.of_steps` makes of it. Repeated by the decoder.
        effort: in the place of both, each of its parts.
        embed_model: put the models that are used into the file, which then needs nothing else to be read;
            alpha goes without one.
        solid: blocks of 16 million pixels rather than one: a pixel network learns from all that is before.
        block: how many pictures of a set share a block at most, which is decoded as a whole to read one of them. None
            for so many that this takes less than a second.
        pixels: code the pixels of JPEG files, and not the files.
        strict: refuse a picture that had metadata which a ``.vz`` file does not keep.
        max_pixels: larger JPEG files are refused.
        memory: bytes that the process may take, of which 256 MiB are for the program itself: fewer blocks are coded at
            once where they take more, and what takes more alone is refused. None for as many as there are threads.
        verify: decode every block again and compare.
        device: ``cpu``, or ``cuda`` where PyTorch sees one.
        threads: how many to use, 0 for as many as there are cores; the bytes are the same.
        executor: does the work in the place of threads of our own: any of :mod:`concurrent.futures`, threads or
            processes, or one that keeps to its protocol. It stays open.
    """

    model: str | os.PathLike[str] = AUTO
    preset: int = DEFAULT_PRESET
    steps: int | None = None
    effort: Effort | None = None
    embed_model: bool = False
    solid: bool = False
    block: int | None = None
    pixels: bool = False
    strict: bool = False
    max_pixels: int = DEFAULT_MAX_PIXELS
    memory: int | None = None
    verify: bool = True
    device: str = "cpu"
    threads: int = 1
    executor: Executor | None = None

    def chosen_effort(self) -> Effort:
        """Return the effort that preset, steps or effort ask for.

        Raises:
            VaezipError: preset or steps are out of range.
        """
        return self.effort or chosen_effort(self.steps, self.preset)
