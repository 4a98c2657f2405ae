"""Keep the blocks that were decoded last, for whoever reads another of their pictures."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Condition, RLock
from typing import Any

from vaezip.codec.blocks import Samples


class DecodedBlocks:
    """Hold blocks up to a number of bytes, those that were asked for last.

    Any number of threads may ask: a block that one of them decodes, the others wait for. A process that was forked, or
    that a copy was sent to, begins with none.
    """

    def __init__(self, most: int) -> None:
        """Begin with none.

        Args:
            most: bytes that all take together; a larger block is not kept.
        """
        self.most = most
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._blocks: OrderedDict[Hashable, Samples] = OrderedDict()
        self._size = 0
        self._under_way: set[Hashable] = set()
        self._changed = Condition(RLock())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.most,)

    def get(self, key: Hashable, decode: Callable[[], Samples]) -> Samples:
        """Return a block, decoded by the function where it is not at hand; nobody may write to it.

        Raises:
            Exception: what the function raised.
        """
        if self._process != os.getpid():  # a lock of the other process may be held by a thread that is not here
            self._begin()
        with self._changed:
            self._changed.wait_for(lambda: key not in self._under_way)
            if key in self._blocks:
                self._blocks.move_to_end(key)
                return self._blocks[key]
            self._under_way.add(key)
        try:
            samples = decode()
            with self._changed:
                self._keep(key, samples)
            return samples
        finally:
            with self._changed:
                self._under_way.discard(key)
                self._changed.notify_all()

    def _keep(self, key: Hashable, samples: Samples) -> None:
        if samples.nbytes > self.most:
            return
        self._blocks[key] = samples
        self._size += samples.nbytes
        while self._size > self.most:
            self._size -= self._blocks.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Let all blocks go."""
        self._begin()
