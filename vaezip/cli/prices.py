"""Tell what each candidate of ``auto`` took: bytes, and seconds of a core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from vaezip.cli.console import Console
from vaezip.system import prices
from vaezip.system.prices import CHECK, ON_ALL, ON_PARTS, ORIGINS, Price


class Prices:
    """The prices of one file, those of its blocks together."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._found: dict[str, dict[str, list[Price]]] = {}
        self._lock = Lock()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Listen to what is priced, where somebody wants to know."""
        if not self.console.verbose:
            yield
            return
        with prices.listening(self._add):
            yield

    def tell(self, where: str) -> None:
        """Report them, the fewest bytes first, and begin anew."""
        with self._lock:
            found, self._found = self._found, {}
        for stage, words in ((ON_PARTS, "tried on parts"), (ON_ALL, "coded by")):
            totals = [_total(name, some) for name, some in found.get(stage, {}).items()]
            if totals:
                totals.sort(key=lambda total: total.bytes)
                listed = ", ".join(f"{one.name} {one.bytes:,} bytes in {one.seconds:.2f} s" for one in totals)
                self.console.note(f"{where}: {words} {listed}")
        beside = ((ORIGINS, "looked for origins"), (CHECK, "decoded again"))
        spent = [
            f"{words} in {sum(price.seconds for some in found[stage].values() for price in some):.2f} s"
            for stage, words in beside
            if stage in found
        ]
        if spent:
            self.console.note(f"{where}: {', '.join(spent)}")

    def _add(self, price: Price) -> None:
        with self._lock:
            self._found.setdefault(price.stage, {}).setdefault(price.name, []).append(price)


def _total(name: str, some: list[Price]) -> Price:
    """Add up the prices of one candidate."""
    count = f" ({len(some):,} times)" if len(some) > 1 else ""
    return Price("", name + count, sum(price.bytes for price in some), sum(price.seconds for price in some))
