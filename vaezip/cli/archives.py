"""Open ``.vz`` files for the commands that decode them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias, Union

import vaezip
from vaezip.cli import streams
from vaezip.cli.console import Console, LocatedError, plural
from vaezip.cli.progress import Progress
from vaezip.cli.remedies import worded
from vaezip.errors import FormatError, VaezipError
from vaezip.pictures.formats import has_picture_suffix
from vaezip.vz.archive import is_vz

Found: TypeAlias = tuple[str, Union["vaezip.Picture", bytes, VaezipError]]
"""The picture of a name in an archive, or the file that it came in, or the error that it met."""

_BOUND = streams.Bound(
    1 << 31, "has more than the 2 GiB that are read of a pipe", "as-a-file", files=False, begins=is_vz
)
"""A regular file is as large as its owner let it become; a pipe may never end."""


def open_archive(path: str, options: vaezip.ReadOptions) -> tuple[vaezip.Archive, int]:
    """Open the archive in a file or on standard input, and count its bytes.

    Raises:
        FormatError: it cannot be read, or is none.
    """
    data = streams.read(path, _BOUND)
    if has_picture_suffix(path) and data and not is_vz(data):
        raise FormatError("not a .vz file; 'vaezip compress' makes one of a picture")
    return vaezip.Archive(data, options), len(data)


def picture_size(found: Found) -> int:
    """Count the bytes of the samples of a picture, or of the file that it came in; an error has none."""
    _, picture = found
    if isinstance(picture, VaezipError):
        return 0
    return len(picture) if isinstance(picture, bytes) else picture.samples.nbytes


def require_models(archive: vaezip.Archive) -> None:
    """Fail once, and at the start, where a model is missing; one in the file that is damaged is told by its blocks.

    Raises:
        ModelError: a block was made with a model that is not here.
    """
    from vaezip.vz.records import has_model

    for fingerprint in {block.model for group in archive.file.groups for block in group.blocks}:
        if has_model(fingerprint):
            with suppress(FormatError):
                archive.model(fingerprint)


def weight(archive: vaezip.Archive) -> int:
    """Return what the pictures of an archive weigh to the meter of the decoder."""
    from vaezip.models.kinds import MODE_NAMES, channels

    groups = archive.file.groups
    return sum(len(g.names) * g.height * g.width * channels(MODE_NAMES[g.mode]) for g in groups)


@contextmanager
def progress(console: Console, archive: vaezip.Archive, label: str) -> Iterator[None]:
    """Show how much of an archive is decoded."""
    shown = Progress(console, 1)
    with shown.watched():
        shown.begin(label, 1, weight(archive))
        yield


def is_set(archive: vaezip.Archive) -> bool:
    """Tell whether an archive holds pictures with names, and not one without."""
    return archive.names != [""]


def report_damaged_indices(archive: vaezip.Archive, label: str, console: Console) -> None:
    """Report the indices of an archive that are damaged, which costs no picture as long as there is a directory."""
    for place in archive.file.damaged_indices:
        reason = f"the index at byte {place:,} is damaged, and no help once the directory is lost"
        console.report(LocatedError(label, reason))


def report_visible_damage(archive: vaezip.Archive, label: str, console: Console) -> None:
    """Report the damage of an archive that checksums show without decoding pixels."""
    from vaezip.models.kinds import COPY, MODE_NAMES, VERBATIM

    for model, embedded in archive.file.embedded.items():
        if not embedded.intact:
            name = archive.file.model_names[model]
            console.report(LocatedError(label, f"the model in the file ({name}, {model.hex()}) is damaged"))
    damage = Damage(console, label)
    modes = {name: MODE_NAMES[group.mode] for group in archive.file.groups for name in group.names}
    for name in archive.names:
        try:
            if modes[name] == VERBATIM:
                archive.original(name)
            elif modes[name] == COPY:
                archive.look(name)
            else:
                continue
            damage.end_run()
        except VaezipError as error:
            damage.add(name, error)
    damage.end_run()
    report_damaged_indices(archive, label, console)


class Damage:
    """The report of pictures that cannot be decoded: one line for a run of the same cause, or with -v one for each."""

    def __init__(self, console: Console, label: str) -> None:
        """``label`` is what messages call the file."""
        self.console, self.label = console, label
        self._run: list[str] = []
        self._reason = ""

    def add(self, name: str, error: VaezipError) -> None:
        """Take the next picture of the file, and the error that it met."""
        if self.console.verbose or worded(error) != self._reason:
            self.end_run()
        self._run.append(name)
        self._reason = worded(error)

    def end_run(self) -> None:
        """Report the run; the next picture is intact, or there is none."""
        if self._run:
            first, last, count = self._run[0], self._run[-1], len(self._run)
            names = first if count == 1 else f"{first} … {last} ({plural(count, 'picture')})"
            self.console.report(LocatedError(f"{self.label}: {names}" if names else self.label, self._reason))
            self._run.clear()
