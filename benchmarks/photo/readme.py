"""Write ``README.md`` from the JSON files of this folder: ``python benchmarks/photo/readme.py``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import page

from vaezip.bench.plots import duration
from vaezip.bench.report import Facts, ModelRow, PeerRow, Report

Found = dict[str, Any]

HEAD = """# The photograph models

Made by `python benchmarks/photo/readme.py` from the JSON files beside it; no figure here is typed by hand. Bits are
bits per dimension: of a channel of a pixel. What the parts of the models are worth is in
[experiments/photo](../../experiments/photo/README.md).
"""

PEERS = {"valid": "Photographs, each a file of its own", "cifar10": "CIFAR-10"}
"""Made by ``vaezip bench``."""

ORDERS = {"set": "one file", "single": "a file each"}
SETS = {"photographs": ("photographs", "each a file of its own"), "cifar10": ("CIFAR-10 test images", "one file")}


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the results")
    write(parser.parse_args().out)


def write(folder: Path) -> None:
    """The README of a folder, with what is there."""
    parts = [HEAD]
    parts += [beside_peers(name, found) for name in PEERS if (found := page.read(folder, name))]
    parts += [text(found) for name, text in PARTS.items() if (found := page.read(folder, name))]
    (folder / "README.md").write_text("\n".join(parts))


def beside_peers(name: str, found: Found) -> str:
    """A benchmark's figures."""
    report = Report.from_dict(found)
    presets = any(row.preset for row in report.models)
    text = (
        f"## {PEERS[name]}\n\nBy `vaezip bench`; all figures in [{name}.json]({name}.json). At K = 0 the pixel network "
        "stays as it is, and what it says is set right, or z is coded where that is shorter; at K = 1 it learns from "
        "each band of rows; from K = 2 on two networks learn from a picture, and more of its orientations are tried"
        f"{'; `-1` … `-9` are presets' * presets}.\n\n"
    )
    rows: list[ModelRow | PeerRow] = [*report.models, *report.peers]
    lines = [[_called(row), ORDERS[row.figures.order], *_rates(row), *_seconds(row)] for row in rows]
    head = ["", "", "bytes", "bits", "compress and verify an image", "decompress an image"]
    return text + _described(report) + page.table(head, lines) + "\n" + page.measured_on([_run(report)])


def steps(found: Found) -> str:
    """Rates over K."""
    reports = {name: Report.from_dict(fields) for name, fields in found["sets"].items()}
    about = f"""By `python benchmarks/photo/steps.py --photos FOLDER --data DIR{_steps_options(reports)}`, one thread.
        The pixel network stays as it is; what it gains when it learns is in
        [benchmarks/learning](../learning/README.md). Every file was decoded and compared bit for bit. Seconds to
        compress are without the codec's own verification, which takes as long as decompressing."""
    text = f"## K steps on the posteriors of z\n\n{page.paragraph(about)}\n\n![Bytes over K and over time](steps.png)\n"
    for name, report in reports.items():
        first = report.models[0]
        text += f"\n{_taken(name, report.facts)}, by `{first.model}` ({first.fingerprint}):\n\n"
        text += _described(report)
        head = ["K", "bytes", "bits", f"against K = {first.steps}", "compress an image", "decompress an image"]
        text += page.table(head, [_at(row, first) for row in report.models])
    runs = [_run(report) for report in reports.values()]
    return text + "\n" + page.measured_on(run for i, run in enumerate(runs) if run not in runs[:i])


def _steps_options(reports: dict[str, Report]) -> str:
    """Those of ``steps.py`` that the reports tell; each may be of a call of its own."""
    counts = {"limit": reports.get("photographs"), "cifar": reports.get("cifar10")}
    text = "".join(f" --{name} {report.facts.images}" for name, report in counts.items() if report)
    steps = sorted({row.steps for report in reports.values() for row in report.models if row.steps})
    return text + f" --steps {','.join(map(str, steps))}" * bool(steps)


def _taken(name: str, facts: Facts) -> str:
    """How many pictures of a set, which, and in how many files."""
    what, files = SETS[name]
    if facts.seed is None:
        return f"The first {facts.images:,} {what}, {files}"
    return f"{facts.images:,} {what} drawn at random, {files}"


PARTS = {"steps": steps}
"""What the other scripts of this folder made."""


def _run(report: Report) -> Found:
    return {"machine": report.machine, "versions": report.versions, "commit": report.commit}


def _described(report: Report) -> str:
    known = report.facts
    return f"{known.images:,} pictures, {known.dims:,} values; SHA-256 of the pixels {known.sha256[:16]}.\n\n"


def _called(row: ModelRow | PeerRow) -> str:
    return f"`{row.model}` ({row.fingerprint}), {row.called}" if isinstance(row, ModelRow) else row.label


def _rates(row: ModelRow | PeerRow) -> list[str]:
    return [f"{row.figures.bytes:,}", f"{row.figures.bpd:.4f}"]


def _seconds(row: ModelRow | PeerRow) -> list[str]:
    return [duration(row.figures.compress_s), duration(row.figures.decompress_s)]


def _at(row: ModelRow, first: ModelRow) -> list[str]:
    against = f"{100 * (row.figures.bytes / first.figures.bytes - 1):+.3f} %"
    return [str(row.steps), *_rates(row), against, *_seconds(row)]


if __name__ == "__main__":
    main()
