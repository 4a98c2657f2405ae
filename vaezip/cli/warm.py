"""``vaezip warm``."""

from __future__ import annotations

import click

from vaezip.cli.console import Console, with_console


@click.command()
@click.option("--processes", type=click.IntRange(min=1), help="How many share the work.  [default: one for each core]")
@with_console
def command(processes: int | None, console: Console) -> None:
    """Compile everything now, for an image of a container or a cluster.

    Else each function is compiled when a command first needs it. What is compiled is kept in the folder of the user for
    caches, or in that which NUMBA_CACHE_DIR names, and serves every environment of the same versions on the same kind
    of processor.
    """
    import vaezip

    with console.attempt():
        vaezip.warm(processes)
