"""Say what a model that was just trained is worth: by a table beside other codecs and shipped models, and a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vaezip.cli.console import Console
from vaezip.cli.remedies import worded
from vaezip.cli.tables import table
from vaezip.errors import VaezipError

if TYPE_CHECKING:
    from vaezip.bench.peers import Peer
    from vaezip.pictures.picture import Picture
    from vaezip.training.trainer import Finished

_PEERS = ("png", "webp", "jxl-7")


def lines(finished: Finished, *, target: Path, shipped: Path | None, threads: int, console: Console) -> Iterator[str]:
    """Yield the lines: the pictures held out, as a set, by other codecs and by a shipped model, and what follows.

    Args:
        finished: the model.
        target: its file.
        shipped: the model that comes with vaezip and does best on such pictures; None where none codes them.
        threads: for coding.
        console: shows what is under way.
    """
    sizes, missing = [("vaezip", finished.size)], []
    beside = None
    if shipped:
        from vaezip.training.beginning import size_by

        console.progress(f"comparing with {shipped.stem}")
        beside = size_by(shipped, finished.held_out, threads)
        sizes.append((f"vaezip by {shipped.stem}", beside))
    for name in _PEERS:
        try:
            sizes.append(_by_peer(name, finished, threads, console))
        except VaezipError as error:
            missing.append(_left_out(name, error))
    rows = [["held out", "bytes", "bpd", "saved"]]
    rows += [
        [label, f"{size:,}", f"{8 * size / finished.values:.3f}", f"{100 * (1 - finished.size / size):.1f} %"]
        for label, size in sizes
    ]
    rows[1][-1] = ""
    yield from table(rows, right=rows[0][1:])
    yield from missing
    if shipped and beside is not None:
        yield verdict(shipped.stem, beside=beside, size=finished.size, target=target)


def verdict(shipped: str, *, beside: int, size: int, target: Path) -> str:
    """Say plainly whether the training pays, by the bytes that a shipped model and it take of the same pictures."""
    saved = 1 - size / beside
    if saved <= 0:
        return (
            f"The training does not pay: {shipped}, which comes with vaezip, takes {beside:,} bytes of them, and this "
            f"model {size:,}. Compress without --model."
        )
    model = target.stat().st_size
    pays = "pays" if saved >= _WORTHWHILE else "hardly pays"
    return (
        f"The training {pays}: {100 * saved:.1f} % fewer bytes than by {shipped}. The model itself takes {model:,} "
        f"bytes where it is embedded: from sets of about {_megabytes(model / saved)} on that is worth it."
    )


_WORTHWHILE = 0.005


def _megabytes(count: float) -> str:
    """Word a number of bytes in two digits or so.

    >>> _megabytes(356_123_456), _megabytes(1_240_000)
    ('360 MB', '1.2 MB')
    """
    megabytes = float(f"{count / 1e6:.2g}")
    return f"{megabytes:,.0f} MB" if megabytes >= 10 else f"{megabytes:g} MB"


def _by_peer(name: str, finished: Finished, threads: int, console: Console) -> tuple[str, int]:
    from vaezip.bench.peers import CODECS, Peer

    console.progress(f"comparing with {CODECS[name].label}")
    peer = Peer(name, threads)
    return peer.name, _size(peer, finished.held_out)


def _left_out(name: str, error: VaezipError) -> str:
    from vaezip.bench.peers import CODECS

    return f"{CODECS[name].label} is left out: {worded(error)}"


def _size(peer: Peer, pictures: list[tuple[str, Picture]]) -> int:
    """Measure the pictures as a set in bytes.

    Raises:
        UnavailableError: the codec cannot hold them.
    """
    from vaezip.bench.method import UnavailableError

    prepared = peer.prepare(pictures)
    reason = next(filter(None, map(peer.codec.refuses, prepared)), None)
    if reason:
        raise UnavailableError(reason)
    return sum(map(len, peer.encode(prepared, verify=False)))
