"""``vaezip report``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

import vaezip
from vaezip.cli import inputs, options, streams
from vaezip.cli.ahead import ahead
from vaezip.cli.archives import is_set, open_archive, require_models
from vaezip.cli.console import Console, LocatedError, blame, plural, with_console
from vaezip.cli.remedies import worded
from vaezip.cli.streams import PATH
from vaezip.errors import OutputError, VaezipError

if TYPE_CHECKING:
    from vaezip.bench.peers import Peer
    from vaezip.cli.page import Row

_PEERS = ("png", "webp", "jxl-7")

_THUMBNAIL = 160
"""Pixels of the longer side of a thumbnail."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("-o", "--output", metavar="OUT.html", type=PATH, required=True, help="The page; '-' for stdout.")
@click.option("--fast", is_flag=True, help="Leave the other codecs out, which take most of the time.")
@options.force
@options.reading
@with_console
def command(*, folder: str, output: str, fast: bool, force: bool, reading: options.Reading, console: Console) -> None:
    """Make a page of what .vz files hold, beside other codecs.

    DIR is a folder, of which all .vz files are taken, also those below it, or one .vz file. The page is
    one HTML file that needs nothing else: thumbnails, the bytes of each picture beside those that PNG,
    lossless WebP and JPEG XL (effort 7) take for it, what it was before, and the rate over the time at
    which pictures were last changed. JPEG XL needs the extra 'bench' and is left out without it. A file
    that is kept as it was, such as a JPEG, stands beside its own bytes.
    """
    with blame(streams.target_label(output)):
        if output != streams.STDIO and not output.lower().endswith((".html", ".htm")):
            raise OutputError("is no name of a page; give it the suffix .html")
        streams.check(output, force)
    files = inputs.results((folder,), console)
    if not files:
        return
    with reading.opened() as how:
        maker = _Maker(how, console, () if fast else _PEERS)
        rows = maker.rows(files)
    if not rows:
        raise LocatedError(folder, "holds no picture that can be decoded")
    from vaezip.cli import page

    with blame(streams.target_label(output)):
        data = page.render(os.path.basename(os.path.abspath(folder)), rows, labels=maker.labels, missing=maker.missing)
        streams.write(output, data.encode("utf-8"), force=force, sources=files)
    console.summary(f"{streams.target_label(output)}: {plural(len(rows), 'picture')}")


@dataclass(frozen=True)
class _Found:
    """A picture of a file: what is known of it without its pixels, and these."""

    file: str
    about: dict[str, Any]
    blocks: list[dict[str, Any]]
    size: int
    picture: vaezip.Picture


class _Maker:
    """The measurement of pictures.

    Attributes:
        labels: names of the codecs that are measured.
        missing: why others are not, one line each.
    """

    def __init__(self, how: options.Opened, console: Console, peers: tuple[str, ...]) -> None:
        self.how, self.console = how, console
        self.peers: list[Peer] = []
        self.missing: list[str] = []
        for name in peers:
            self._add(name)
        self.labels = [peer.name for peer in self.peers]

    def _add(self, name: str) -> None:
        from vaezip.bench.peers import CODECS, Peer

        try:
            self.peers.append(Peer(name))
        except VaezipError as error:
            self.missing.append(f"{CODECS[name].label} is left out: {worded(error)}")

    def rows(self, files: list[str]) -> list[Row]:
        """Decode and measure all pictures of some files; report what cannot be decoded."""
        rows: list[Row] = []
        for i, file in enumerate(files):
            with self.console.attempt(file):
                archive, size = open_archive(file, self.how.options)
                require_models(archive)
                found = self._found(file, archive, size)
                for one, job in ahead(self._measured, found, self.how.workers, size=_bytes_of):
                    self.console.progress(f"{i + 1:,} of {len(files):,}: {file}: {one.about['name']}")
                    rows.append(job.result())
        return rows

    def _found(self, file: str, archive: vaezip.Archive, size: int) -> Iterator[_Found]:
        info = archive.info()
        blocks, single = info["blocks"], not is_set(archive)
        by_name = {about["name"]: about for about in info["pictures"]}
        for name, picture in archive.pictures():
            with self.console.attempt(f"{file}: {name}" if name else file):
                if isinstance(picture, VaezipError):
                    raise picture
                about = by_name[name]
                taken = size if single else about["bytes"]
                yield _Found(file, about, [blocks[i] for i in about["blocks"]], taken, picture)

    def _measured(self, found: _Found) -> Row:
        from vaezip.cli.info import coder, origins
        from vaezip.cli.page import Row
        from vaezip.pictures.thumbnail import thumbnail

        picture, about, kept = found.picture, found.about, "file_bytes" in found.about
        notes = [*origins(found.blocks), *dict.fromkeys(b["note"] for b in found.blocks if "note" in b)]
        height, width, _ = picture.samples.shape
        return Row(
            name=f"{found.file}: {about['name']}" if about["name"] else found.file,
            thumbnail=thumbnail(picture, _THUMBNAIL, _THUMBNAIL),
            shape=f"{width}×{height} {about['mode']}",
            samples=picture.samples.size,
            size=found.size,
            others=[about["file_bytes"] if kept else None, *(None if kept else _size(p, picture) for p in self.peers)],
            before="; ".join(notes),
            coder=" + ".join(dict.fromkeys(coder(block["method"]) for block in found.blocks)),
            modified=_date(found),
        )


def _size(peer: Peer, picture: vaezip.Picture) -> int | None:
    """Return the bytes that a codec takes for the pixels of a picture; None where it cannot hold them."""
    bare = vaezip.Picture(picture.mode, picture.samples, tuple(b for b in picture.boxes if b[0] in _OF_PIXELS))
    (prepared,) = peer.prepare([("", bare)])
    if peer.codec.refuses(prepared):
        return None
    return len(peer.encode([prepared], verify=False)[0])


_OF_PIXELS = ("palette", "transparency")
"""Metadata without which the samples mean nothing."""


def _date(found: _Found) -> float:
    """Return when a picture was last changed, in seconds since 1970: as its set tells it, or as its file does."""
    if found.about["modified"]:
        told = datetime.fromisoformat(found.about["modified"].removesuffix("Z"))
        return told.replace(tzinfo=timezone.utc).timestamp()
    return os.stat(found.file).st_mtime


def _bytes_of(found: _Found) -> int:
    return found.picture.samples.nbytes
