"""Tables in plain text."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from vaezip.cli.console import printable

_WIDEST = 200
"""Characters that a column is padded to at most: one long name must not make every line as long."""


def table(
    rows: Sequence[Sequence[str]], *, right: Container[str] = (), indent: str = "", width: int | None = None
) -> Iterator[str]:
    """Lines with aligned columns, two spaces between them.

    Args:
        rows: the first holds the heads of the columns.
        right: heads of the columns to be aligned to the right.
        indent: before every line.
        width: of the screen, for which the widest columns are shortened; None for none.

    >>> list(table([["name", "bytes"], ["a.png", "12"], ["b.png", "1,234"]], right=["bytes"]))
    ['name   bytes', 'a.png     12', 'b.png  1,234']
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(*cells)]
    if width is not None:
        _narrow(widths, width - len(indent), [len(head) for head in cells[0]])
        cells = [[shortened(cell, w) for cell, w in zip(row, widths)] for row in cells]
    for row in cells:
        padded = (c.rjust(w) if head in right else c.ljust(w) for c, w, head in zip(row, widths, cells[0]))
        yield (indent + "  ".join(padded)).rstrip()


def _narrow(widths: list[int], width: int, least: Sequence[int]) -> None:
    """Take from the widest columns what is too much, but leave each its head."""
    for _ in range(sum(widths) + 2 * (len(widths) - 1) - width):
        widest = max(range(len(widths)), key=lambda i: widths[i] if widths[i] > least[i] else 0)
        widths[widest] -= widths[widest] > least[widest]


def shortened(text: str, length: int) -> str:
    """Shorten a text to a length, in its middle.

    >>> shortened("holidays/0001.png", 9)
    'holi….png'
    """
    if len(text) <= length:
        return text
    return text[: length // 2] + "…" + text[len(text) - (length - length // 2 - 1) :] if length > 1 else "…"
