"""``vaezip test``."""

from __future__ import annotations

import click

import vaezip
from vaezip.cli import batches, inputs, options, streams
from vaezip.cli.archives import Damage, open_archive, progress, report_damaged_indices, require_models
from vaezip.cli.console import Console, plural, printable, with_console
from vaezip.errors import VaezipError


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...", type=streams.PATH, callback=streams.or_piped)
@options.reading
@batches.reading
@with_console
def command(files: tuple[str, ...], reading: options.Reading, console: Console, *, batch: batches.Batch) -> None:
    """Decode .vz files and write nothing.

    Says for each FILE that it is ok, or what is damaged in it. A folder stands for all .vz files below
    it. '-' is standard input.
    """
    if batch.asked_for(files):
        from vaezip.batch.calls import test

        found = batches.results(files, console)
        batches.run(test, found, reading.options(), batch=batch, console=console, threads=reading.threads)
        return
    with reading.opened() as how:
        for path in inputs.results(files, console):
            with console.attempt(streams.source_label(path)):
                _test(path, how.options, console)


def _test(path: str, how: vaezip.ReadOptions, console: Console) -> None:
    label = streams.source_label(path)
    archive, _ = open_archive(path, how)
    require_models(archive)
    failures, damage = console.failures, Damage(console, label)
    with progress(console, archive, label):
        for name, picture in archive.contents():
            if isinstance(picture, VaezipError):
                damage.add(name, picture)
            else:
                damage.end_run()
    damage.end_run()
    report_damaged_indices(archive, label, console)
    if console.failures == failures and not console.quiet:
        console.tell(f"{printable(label)}: ok ({plural(len(archive.names), 'picture')})")
