"""Show the figures as tables for a terminal, or for plain text; the best in each column has a star."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from vaezip.bench.report import Facts, ModelRow, PeerRow, Report

Row = ModelRow | PeerRow

_PLAIN_WIDTH = 140
_TITLES = {
    "set": "Set: {images:,} images in one {solid}file (other codecs: one contact sheet)",
    "single": "Single: each of {images:,} images in a {solid}file of its own",
}


@dataclass(frozen=True)
class _Column:
    """Describe a column of figures.

    Attributes:
        title: heading, of two lines.
        value: what it shows of a row; None for nothing.
        form: a format specification, or "3" for three significant digits.
        less_is_better: whether the least value is the best.
        rank: columns of the highest rank go first where the terminal is narrow.
        starred: whether the best has a star; what models alone have, and no codec is chosen by, has none.
    """

    title: str
    value: Callable[[Row], float | None]
    form: str
    less_is_better: bool = True
    rank: int = 0
    starred: bool = True

    def cells(self, rows: Sequence[Row]) -> list[Text]:
        """Write the column, the best of several figures with a star. What looks equal is equally good."""
        cells = [self._show(self.value(row)) for row in rows]
        known = [float(text) for text in cells if text]
        best = (min if self.less_is_better else max)(known) if self.starred and len(known) > 1 else None
        return [_cell(text, bool(text) and float(text) == best) for text in cells]

    def _show(self, value: float | None) -> str:
        if value is None:
            return ""
        return three_digits(value) if self.form == "3" else format(value, self.form)


_COLUMNS = (
    _Column("\nBPD", lambda r: r.figures.bpd, ".4f"),
    _Column("\nELBO", lambda r: r.elbo_bpd if isinstance(r, ModelRow) else None, ".4f", starred=False),
    _Column(
        "over\n%", lambda r: _percent(r.overhead) if isinstance(r, ModelRow) else None, ".2f", rank=1, starred=False
    ),
    _Column("compress\nms/image", lambda r: 1e3 * r.figures.compress_s, "3"),
    _Column("\nMB/s", lambda r: r.figures.compress_mb_s, "3", less_is_better=False, rank=3),
    _Column("decompress\nms/image", lambda r: 1e3 * r.figures.decompress_s, "3"),
    _Column("\nMB/s", lambda r: r.figures.decompress_mb_s, "3", less_is_better=False, rank=3),
    _Column("peak\nMB", lambda r: r.figures.peak_mb, ".0f", rank=2),
)


def show(report: Report, out: TextIO, per_image: bool = False) -> None:
    """Print a report; in its width where ``out`` is a terminal, and there with colours unless NO_COLOR is set."""
    console = Console(file=out, highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
    if console.is_terminal:
        _print(report, console, per_image)
        return
    buffer = io.StringIO()
    _print(report, Console(file=buffer, highlight=False, width=_PLAIN_WIDTH, color_system=None), per_image)
    out.write("".join(line.rstrip() + "\n" for line in buffer.getvalue().splitlines()))


def _print(report: Report, console: Console, per_image: bool) -> None:
    console.print(_headline(report.facts), markup=False)
    for order in report.orders:
        console.print(_fitting_table(report, order, console))
        if per_image and order == "single":
            console.print(images_table(report))
    for name, reason in report.skipped.items():
        console.print(f"skipped: {name}: {reason}", markup=False)
    console.print(_footnote(report), markup=False)


def _fitting_table(report: Report, order: str, console: Console) -> Table:
    """Make the table with as many columns as the terminal is wide enough for."""
    for rank in (3, 2, 1, 0):
        table = figures_table(report, order, rank)
        wide = console.options.update(max_width=10 * _PLAIN_WIDTH)
        if Measurement.get(console, wide, table).maximum <= console.width:
            break
    left_out = [" ".join(column.title.split()) for column in _COLUMNS if column.rank > rank]
    if left_out:
        table.caption = f"too wide for this terminal, and in the figures as JSON: {', '.join(dict.fromkeys(left_out))}"
        table.caption_justify = "left"
    return table


def figures_table(report: Report, order: str, rank: int = 3) -> Table:
    """Make a table with a row for each method, and a column for each figure of at most this rank."""
    rows = report.rows(order)
    title = _TITLES[order].format(images=report.facts.images, solid="solid " if report.solid else "")
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, collapse_padding=True)
    for heading in ("\nmethod", "\nencoder"):
        table.add_column(heading, no_wrap=True)
    presets = any(row.preset for row in report.models)
    table.add_column("K or\npreset" if presets else "\nK", justify="right", no_wrap=True)
    columns = [column for column in _COLUMNS if column.rank <= rank]
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    figures = zip(*(column.cells(rows) for column in columns))
    for i, (row, cells) in enumerate(zip(rows, figures)):
        last_model = isinstance(row, ModelRow) and i + 1 < len(rows) and isinstance(rows[i + 1], PeerRow)
        table.add_row(*_name(row), *cells, end_section=last_model)
    return table


def images_table(report: Report) -> Table:
    """Make a table with a row for each image, and a column for each method: bits a value in a file of its own."""
    rows = report.rows("single")
    table = Table(title="Bits per dimension of each image", title_justify="left", title_style="bold", box=box.SIMPLE)
    table.add_column("image")
    for row in rows:
        name = _name(row)[0]
        table.add_column(f"{name}\n{row.called}" if isinstance(row, ModelRow) else name, justify="right")
    for images in zip(*(row.figures.images for row in rows)):
        best = min(image.bpd for image in images)
        table.add_row(images[0].name, *(f"{i.bpd:.4f}" + ("*" if i.bpd == best else " ") for i in images))
    return table


def three_digits(value: float) -> str:
    """Write a number with three significant digits, never with an exponent.

    >>> three_digits(0.01234), three_digits(1.2), three_digits(45678.0)
    ('0.0123', '1.20', '45700')
    """
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:.{max(2 - math.floor(math.log10(abs(rounded))), 0)}f}"


def _cell(text: str, best: bool) -> Text:
    return Text(f"{text}*", "bold green") if best else Text(f"{text} " if text else "")


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def _name(row: Row) -> tuple[str, str, str]:
    if isinstance(row, PeerRow):
        return row.label, "", ""
    return f"vaezip {row.model}", row.objective or "", row.called.removeprefix("K = ")


def _headline(facts: Facts) -> str:
    choice = (
        "the first" if facts.limit and facts.seed is None else "drawn at random" if facts.seed is not None else "all"
    )
    size = "×".join(str(n) for n in facts.shape) if facts.shape else "of several sizes"
    return f"{facts.dataset}: {facts.images:,} images ({choice}), {size}, {facts.dims:,} values\n"


def _footnote(report: Report) -> str:
    machine = report.machine
    threads = f"{report.threads} thread" + ("s" if report.threads > 1 else "")
    where = machine["gpu"] or machine["cpu"]
    return (
        "* best of its column. BPD: bits of the files per value, headers included. ELBO: the model's own bound.\n"
        "Every image was decoded and compared: all are identical. compress includes vaezip's own verification.\n"
        f"{where}, {threads}."
    )
