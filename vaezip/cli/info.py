"""``vaezip info``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

import vaezip
from vaezip.cli import inputs, options, streams
from vaezip.cli.archives import open_archive, report_visible_damage
from vaezip.cli.console import Console, plural, printable, with_console
from vaezip.cli.tables import table
from vaezip.system.threads import Inline

_FEW = 10
_NO_LIMIT = 1 << 62


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...", type=streams.PATH, callback=streams.or_piped)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON: a list, with one object per FILE.")
@options.models
@with_console
def command(*, files: tuple[str, ...], as_json: bool, models: tuple[str, ...], console: Console) -> None:
    """Tell what .vz files hold.

    Of a set of many pictures only the first are listed; -v lists all. A folder stands for all .vz files
    below it. '-' is standard input.

    'raw' are the bytes that samples take as they are: two of 16 bits, an eighth of black and white, else
    one. How large the files were that pictures came in, a .vz file does not tell. 'bpd' is bits per
    dimension: bits of the file for each sample, pixels times channels. The bytes of pictures that share a
    block are an equal part of it each. 'steps' are the gradient steps that a decoder takes.

    Decodes no pixels, and so finds the damage of what has a checksum of its own: the directory, indices,
    models, files that are kept as they were. 'vaezip test' finds all.
    """
    options.check_models(models)
    found = []
    for path in inputs.results(files, console):
        with console.attempt(streams.source_label(path)):
            archive, size = _open(path, models)
            found.append(_describe(path, archive, size))
            if not as_json:
                most = len(found[-1]["pictures"]) if console.verbose else _FEW
                console.tell("\n".join(_lines(found[-1], most, console.width)))
            report_visible_damage(archive, streams.source_label(path), console)
    if as_json:
        console.tell(json.dumps(found, indent=2))


def _open(path: str, models: tuple[str, ...]) -> tuple[vaezip.Archive, int]:
    options = vaezip.ReadOptions(models, max_pixels=_NO_LIMIT, memory=_NO_LIMIT, executor=Inline())
    return open_archive(path, options)


def _describe(path: str, archive: vaezip.Archive, size: int) -> dict[str, Any]:
    from vaezip.codec.sequences import described

    found = archive.info()
    known = [_samples(picture) for picture in found["pictures"]]
    samples, raw = (sum(counts) for counts in zip(*known)) if all(known) else (None, None)
    rate = 8 * size / samples if samples else None
    head = {"file": path, "bytes": size, "raw_bytes": raw, "bits_per_dimension": rate}
    return {**head, "sequence": described(archive), **found}


def _samples(picture: dict[str, Any]) -> tuple[int, int] | None:
    """Return how many samples a picture has, and the bytes that they take as they are; None where a file is kept as it
    was, of which that is not known."""
    from vaezip.pictures.picture import MODES

    mode = MODES.get(picture["mode"])
    if mode is None:
        return None
    samples = picture["width"] * picture["height"] * mode.channels
    return samples, -(-samples * mode.bits // 8)


def _share(size: int, raw: int | None) -> str:
    """Word the share that bytes are of raw ones.

    >>> _share(1, 3), _share(7, None)
    ('33.3 %', '-')
    """
    return f"{100 * size / raw:.1f} %" if raw else "-"


def _lines(found: dict[str, Any], most: int, width: int | None) -> Iterator[str]:
    pictures = found["pictures"]
    size, raw = found["bytes"], found["raw_bytes"]
    rate = f", {_share(size, raw)} of {raw:,} raw, {found['bits_per_dimension']:.4f} bpd" if raw else ""
    head = f"{plural(len(pictures), 'picture')}, {size:,} bytes{rate}"
    yield printable(f"{streams.source_label(found['file'])}: {head}")
    if found["sequence"]:
        yield f"  {found['sequence']}"
    if len(pictures) > most:
        shapes = Counter((p["mode"], _size(p)) for p in pictures)
        rows = [[f"{n:,}", mode, size] for (mode, size), n in shapes.most_common()]
        yield from table([["pictures", "mode", "size"], *rows], right=["pictures"], indent="  ")
    columns = ["name", "mode", "size", "bytes", "of raw", "metadata", "modified (UTC)"]
    shown = len(columns) if any(p["modified"] for p in pictures) else len(columns) - 1
    rows = [columns, *map(_picture_row, pictures[:most])]
    yield from table([row[:shown] for row in rows], right=["bytes", "of raw"], indent="  ", width=width)
    if len(pictures) > most:
        yield f"  … and {len(pictures) - most:,} more; -v lists all"
    blocks = [["method", "model", "steps", "blocks", "bytes"], *_block_rows(found["blocks"])]
    yield from table(blocks, right=["steps", "blocks", "bytes"], indent="  ", width=width)
    yield from (f"  {words}" for words in origins(found["blocks"]))
    notes = Counter(block["note"] for block in found["blocks"] if "note" in block)
    yield from (f"  {note}" for note, _ in notes.most_common(most))
    if found["models"]:
        rows = [[m["name"], m["fingerprint"], f"{m['bytes']:,}"] for m in found["models"]]
        yield from table([["model in the file", "fingerprint", "bytes"], *rows], right=["bytes"], indent="  ")


def _picture_row(picture: dict[str, Any]) -> list[str]:
    name, metadata = picture["name"] or "(no name)", ", ".join(picture["metadata"]) or "-"
    _, raw = _samples(picture) or (None, None)
    sizes = _size(picture), f"{picture['bytes']:,}", _share(picture["bytes"], raw)
    return [name, picture["mode"], *sizes, metadata, _minute(picture["modified"])]


def _minute(time: str | None) -> str:
    """Word a time to the minute.

    >>> _minute("2026-11-30T15:37:24Z")
    '2026-11-30 15:37'
    """
    return time[:16].replace("T", " ") if time else "-"


def _size(picture: dict[str, Any]) -> str:
    """Word the size: in pixels, or of a file that is kept as it was, in bytes."""
    if "width" not in picture:
        return plural(picture["file_bytes"], "byte")
    return f"{picture['width']}×{picture['height']}"


def _block_rows(blocks: list[dict[str, Any]]) -> Iterator[list[str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    sizes: Counter[tuple[str, str, str]] = Counter()
    for block in blocks:
        key = block["method"], block["fingerprint"], _steps(block)
        counts[key] += 1
        sizes[key] += block["bytes"]
    for key, size in sizes.most_common():
        method, fingerprint, steps = key
        yield [coder(method), "-" if method in WITHOUT_MODELS else fingerprint, steps, f"{counts[key]:,}", f"{size:,}"]


def origins(blocks: list[dict[str, Any]]) -> Iterator[str]:
    """Word what pictures were before, and how much of them that explains."""
    pixels: Counter[str] = Counter()
    explained: Counter[str] = Counter()
    for origin in (block["origin"] for block in blocks if block["origin"]):
        name = origin["name"] + (f", chroma {origin['chroma']}" if origin.get("chroma", "4:4:4") != "4:4:4" else "")
        pixels[name] += origin["pixels"]
        explained[name] += origin["explained"]
    for name, count in pixels.most_common():
        share = 10_000 * explained[name] // count / 100  # never 100 where a pixel is missing
        yield f"{name}, {share:g} % explained"


def coder(method: str) -> str:
    """Word what coded a block, by its method."""
    return WITHOUT_MODELS.get(method) or f"model {method}"


WITHOUT_MODELS = {
    "graphic": "drawn picture (contexts and matches)",
    "verbatim": "the file as it was",
    "jpeg": "the file as it was (JPEG)",
    "jpeg pixels": "coefficients of a JPEG",
    "remade": "made of other pictures",
    "copy": "copy of an equal picture",
    "deep": "deep picture (regression and contexts)",
}


def _steps(block: dict[str, Any]) -> str:
    """Word the gradient steps that the decoder takes, and on what."""
    if block["method"] in WITHOUT_MODELS:
        return "-"
    return (
        f"{block['steps']} on the {block['steps_on']}" if block["steps"] and block["steps_on"] else str(block["steps"])
    )
