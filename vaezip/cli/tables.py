"""Tables in plain text."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from vaezip.cli.console import printable

_WIDEST = 200
"""Characters that a column is padded to at most: one long name must not make every line as long."""


def table(rows: Sequence[Sequence[str]], right: Container[str] = (), indent: str = "") -> Iterator[str]:
    """Lines with aligned columns, two spaces between them.

    Args:
        rows: the first holds the heads of the columns.
        right: heads of the columns to be aligned to the right.
        indent: before every line.

    >>> list(table([["name", "bytes"], ["a.png", "12"], ["b.png", "1,234"]], right=["bytes"]))
    ['name   bytes', 'a.png     12', 'b.png  1,234']
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(*cells)]
    for row in cells:
        padded = (c.rjust(w) if head in right else c.ljust(w) for c, w, head in zip(row, widths, cells[0]))
        yield (indent + "  ".join(padded)).rstrip()
