"""One self-contained page of HTML: pictures, their bytes beside other codecs, and the rate over time."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from string import Template

from PIL import Image

import vaezip

_KEPT = "the file"
"""What the column of kept files is called."""


@dataclass(frozen=True)
class Row:
    """A picture of the page.

    Attributes:
        name: path of the .vz file, and name in a set.
        thumbnail: small, in RGB.
        shape: in words.
        samples: how many.
        size: bytes in the .vz file; of pictures that share a block, an equal part of it.
        others: bytes of the file that is kept, then of each codec; None where there are none.
        before: what the picture was before, or "".
        coder: what coded it.
        modified: when it was last changed, in seconds since 1970.
    """

    name: str
    thumbnail: Image.Image
    shape: str
    samples: int
    size: int
    others: list[int | None]
    before: str
    coder: str
    modified: float


def render(title: str, rows: Sequence[Row], *, labels: Sequence[str], missing: Sequence[str]) -> str:
    """Return the page.

    Args:
        title: of the page.
        rows: the pictures.
        labels: names of the codecs that were measured.
        missing: sentences on those that were not.
    """
    columns = [_KEPT, *labels]
    shown = [i for i in range(len(columns)) if any(row.others[i] is not None for row in rows)]
    return _PAGE.substitute(
        title=html.escape(title),
        version=html.escape(vaezip.__version__),
        cards="".join(_cards(rows, columns, shown)),
        missing="".join(f"<p class=note>{html.escape(line)}.</p>" for line in missing),
        chart=_chart(rows),
        heads="".join(_head(columns[i], number=True) for i in shown),
        rows="".join(_row(row, columns, shown) for row in rows),
    )


def _cards(rows: Sequence[Row], columns: Sequence[str], shown: Sequence[int]) -> list[str]:
    """Return the figures at the top: all bytes, and the share of them that each codec takes of the same pictures."""
    size, samples = sum(row.size for row in rows), sum(row.samples for row in rows)
    cards = [
        _card(f"{len(rows):,}", "picture" if len(rows) == 1 else "pictures"),
        _card(f"{size:,}", "bytes in .vz files"),
        _card(f"{8 * size / samples:.2f}", "bits a sample"),
    ]
    for i in shown:
        pairs = [(row.size, other) for row in rows if (other := row.others[i]) is not None]
        ours, theirs = (sum(pair[k] for pair in pairs) for k in (0, 1))
        of = "" if len(pairs) == len(rows) else f", {len(pairs):,} of the pictures"
        cards.append(_card(f"{100 * ours / theirs:.1f} %", f"of {columns[i]} ({theirs:,} bytes{of})"))
    return cards


def _card(figure: str, words: str) -> str:
    return f"<div class=card><b>{html.escape(figure)}</b><span>{html.escape(words)}</span></div>"


def _head(name: str, number: bool = False) -> str:
    kind = ' class="number"' if number else ""
    return f"<th scope=col{kind}><button type=button>{html.escape(name)}</button></th>"


def _row(row: Row, columns: Sequence[str], shown: Sequence[int]) -> str:
    """Return a line of the table; what a column is sorted by stands in ``data-v``."""
    file = io.BytesIO()
    row.thumbnail.save(file, "WEBP", quality=80)
    source = "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
    name, size = html.escape(row.name), f'width="{row.thumbnail.width}" height="{row.thumbnail.height}"'
    largest = max([row.size, *(other for i in shown if (other := row.others[i]) is not None)])
    cells = "".join(_bytes(row.others[i], columns[i], row.size, largest) for i in shown)
    return (
        f'<tr><td data-v="{name}"><figure><img src="{source}" {size} loading=lazy alt="">'
        f"<figcaption>{name}<small>{html.escape(row.shape)}</small></figcaption></figure></td>"
        + _bytes(row.size, "vaezip", None, largest)
        + cells
        + f'<td class="number" data-v="{8 * row.size / row.samples:.4f}">{8 * row.size / row.samples:.2f}</td>'
        + f"<td>{html.escape(row.before) or '–'}<small>{html.escape(row.coder)}</small></td>"
        + f'<td class="date" data-v="{row.modified:.0f}">{_day(row.modified)}</td></tr>'
    )


_BAR = 72
"""Pixels of the longest bar, the same in all columns."""


def _bytes(size: int | None, label: str, ours: int | None, largest: int) -> str:
    """Return a cell of bytes, with a bar, and the share of them that ours are."""
    if size is None:
        return '<td class="number" data-v="-1">–</td>'
    share = "" if ours is None else f"<small>{100 * ours / size:.0f} %</small>"
    kind = "ours" if ours is None else "theirs"
    bar = f'<i class="bar {kind}" style="width:{_BAR * size / largest:.1f}px"></i>'
    return f'<td class="number" data-v="{size}">{size:,}{share}{bar}</td>'


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")


# The chart: bits a sample of each picture over the time at which it was last changed

_WIDTH, _HEIGHT = 860, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 26
_MEAN = 9
"""Pictures that the line is the mean of."""


def _chart(rows: Sequence[Row]) -> str:
    if len(rows) < 2:
        return ""
    ordered = sorted(rows, key=lambda row: row.modified)
    first, last = ordered[0].modified, ordered[-1].modified
    by_time = last - first >= 1
    rates = [8 * row.size / row.samples for row in ordered]
    top = max(rates) * 1.08

    def place(i: int) -> float:
        share = (ordered[i].modified - first) / (last - first) if by_time else i / (len(ordered) - 1)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def height(rate: float) -> float:
        return _HEIGHT - _BOTTOM - rate / top * (_HEIGHT - _TOP - _BOTTOM)

    dots = "".join(
        f'<circle cx="{place(i):.1f}" cy="{height(rate):.1f}" r="4"><title>{html.escape(row.name)}: {rate:.2f} bits a '
        f"sample, {_day(row.modified)}</title></circle>"
        for i, (row, rate) in enumerate(zip(ordered, rates))
    )
    means = [(place(i), height(_mean(rates, i))) for i in range(len(rates))] if len(rates) > _MEAN else []
    line = f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in means)}"/>' if means else ""
    ends = (_day(first), _day(last)) if by_time else ("first", "last")
    title = "Rate over the time at which pictures were last changed" if by_time else "Rate of the pictures in turn"
    words = f"{title}: from {min(rates):.2f} to {max(rates):.2f} bits a sample"
    return (
        f"<h2>{title}</h2>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">'
        f"{''.join(_grid(top, height))}{line}{dots}"
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{ends[0]}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 6}" text-anchor="end">{ends[1]}</text></svg>'
    )


def _mean(rates: Sequence[float], i: int) -> float:
    near = rates[max(0, i - _MEAN // 2) : i + _MEAN // 2 + 1]
    return sum(near) / len(near)


def _grid(top: float, height: Callable[[float], float]) -> list[str]:
    """Return lines of the chart at whole numbers of bits, or at fewer or parts of them."""
    step = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10) if top / step <= 6)
    marks = [step * i for i in range(int(top / step) + 1)]
    return [
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height(m):.1f}" y2="{height(m):.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{height(m) + 4:.1f}" text-anchor="end">{m:g}</text>'
        for m in marks
    ]


_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>$title – vaezip</title>
<style>
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9dce1; --ground: #fff; --card: #f4f5f7;
  --ours: #0b6e99; --theirs: #b8bec7; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef0; --soft: #a0a6af; --line: #3a3f46; --ground: #16181b;
  --card: #212428; --ours: #4cb3dc; --theirs: #565c65; } }
body { margin: 0 auto; max-width: 1200px; padding: 24px; color: var(--ink); background: var(--ground);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 16px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 28px 0 8px; }
.cards { display: flex; flex-wrap: wrap; gap: 12px; }
.card { background: var(--card); border-radius: 8px; padding: 10px 16px; }
.card b { display: block; font-size: 22px; }
.card span, small, .note, footer { color: var(--soft); font-size: 13px; }
small { display: block; }
svg { width: 100%; height: auto; max-width: 1000px; }
svg line { stroke: var(--line); }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg circle { fill: var(--ours); fill-opacity: .7; }
svg polyline { fill: none; stroke: var(--ours); stroke-width: 2; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
table { font-size: 14px; }
th, td { padding: 8px 8px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid var(--ours); outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: " ↑"; }
th[aria-sort=descending] button::after { content: " ↓"; }
.number, .number button { text-align: right; }
.date { white-space: nowrap; }
.bar { display: block; height: 4px; margin: 4px 0 0 auto; border-radius: 2px; background: var(--theirs); }
.bar.ours { background: var(--ours); }
figure { margin: 0; display: flex; gap: 12px; min-width: 220px; }
figure img { width: 96px; height: 96px; object-fit: contain; flex: none; background: var(--card); }
figcaption { overflow-wrap: anywhere; }
footer { margin-top: 24px; }
</style>
</head>
<body>
<h1>$title</h1>
<div class="cards">$cards</div>
$missing
$chart
<h2>Pictures</h2>
<div class="wide"><table>
<thead><tr><th scope=col><button type=button>picture</button></th>
<th scope=col class="number"><button type=button>vaezip</button></th>$heads
<th scope=col class="number"><button type=button>bits a sample</button></th>
<th scope=col><button type=button>what it was before</button></th>
<th scope=col><button type=button>last changed</button></th></tr></thead>
<tbody>$rows</tbody>
</table></div>
<footer>Made by vaezip $version. Bytes of other codecs are those of the pixels alone, each picture in a file of its own;
the small figures are what vaezip takes of them. Of pictures that share a block of a set, each has an equal part of
its bytes.</footer>
<script>
const heads = [...document.querySelectorAll("th")], body = document.querySelector("tbody");
const key = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent;
heads.forEach((head, i) => head.firstElementChild.addEventListener("click", () => {
  const down = head.getAttribute("aria-sort") === "ascending";
  heads.forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...body.rows].sort((a, b) => key(a, i).localeCompare(key(b, i), undefined, {numeric: true}));
  body.append(...(down ? rows.reverse() : rows));
}));
</script>
</body>
</html>
""")
