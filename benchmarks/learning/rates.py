"""What learning while coding gains: ``python benchmarks/learning/rates.py --photos FOLDER --data DIR``.

* ``photographs``: the RGB pictures of a folder, each a file of its own.
* ``unlike``: the same, made unlike what the model was trained on: grain, another tone curve, another sampling.
* ``cifar10``: test images of CIFAR-10 in one file, whose blocks can be decoded alone; ``solid``: by ``--solid``, so
  that the network learns from all that is before. Fewer than all are drawn at random, because the first may all be of
  one class.
* ``speed``: one picture of crops of the photographs, timed several times.

Sizes are those of ``.vz`` files of pixels alone, without the pictures' metadata; each is decoded and compared,
and the first that differs ends the script. Times are sums over the set, on one thread. Writes ``rates.json`` as
figures come, then ``rates.png`` and ``README.md``; a call that was cut is gone on with by the same call.
``--readme`` measures nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import script
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from vaezip.bench import machine
from vaezip.bench.method import Method, Named, UnavailableError
from vaezip.bench.ours import Ours
from vaezip.bench.peers import Peer
from vaezip.bench.plots import COLOURS, GREY, MARKERS, Label, frame, limits_with_margin, name_lines, seconds_axis
from vaezip.codec.compress_options import Options
from vaezip.models.effort import PRESETS
from vaezip.pictures import datasets
from vaezip.pictures.datasets import Collection
from vaezip.pictures.picture import Picture, same

Pixels = NDArray[np.uint8]
Found = dict[str, Any]

DEFAULT_PRESETS = tuple(PRESETS)
PEERS = ("jxl-9", "jxl-7", "webp")
NOTHING, STILL, YARDSTICK = "1", "2", "jxl-9"
"""The presets that adapt to nothing and that do not train the network, and the peer that all are held against."""

SEED = 20240611
DRAW = 0
"""Seed by which images of CIFAR-10 are drawn, as in ``benchmarks/photo/steps.py``."""

SPEED = "speed"
SPEED_HEIGHT, SPEED_WIDTH, CROP = 512, 768, 256
SPEED_THREADS, SPEED_RUNS = 2, 3
_WARM_UP_SIDE = 64
_WARM_UP_PICTURES = 4

_NEAR = 1.2
"""Of points whose times are in a smaller ratio, every other name stands below, where it does not touch the others."""

TITLES = {
    "photographs": "Photographs, each a file of its own",
    "unlike": "The same, made unlike the training set",
    "cifar10": "CIFAR-10 test images in one file",
    "solid": "The same by `--solid`",
}
HEAD = """# What learning while coding gains

Made by `python benchmarks/learning/rates.py --photos FOLDER --data DIR` from `rates.json`; no figure here is typed by
hand. Sizes are those of `.vz` files, pixels alone without the pictures' metadata, each decoded and compared bit for
bit; seconds are sums over the set in one pass, on one thread, and such times move by up to a third on a machine that
does other things. `-1` adapts to nothing: it codes z, by bits-back, and each mixture as the network gives it. `-2` sets
mixtures right by how far they have been off, and leaves the network as it is. The others train it, too, and say how
many networks learn side by side (one where pictures are coded together, whatever the preset), after bands of how many
rows, looking at one pixel in how many. Last come the orientations: how many the encoder tries a part of the picture in,
and how many of these the whole; where that is 1, the part has told. Under each heading stand the options that give its
rows. What else was tried is in [experiments/learning](../../experiments/learning/README.md).
"""

Result = TypeVar("Result")


# Command line


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    script.carried_out(parsed(arguments), "rates.json", measure, publish)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = script.parser(__doc__, results="rates.json", folder=Path(__file__).parent)
    parser.add_argument("--photos", metavar="FOLDER", help="folder with photographs; those of mode RGB are taken")
    parser.add_argument("--data", metavar="DIR", help="folder with the data sets")
    parser.add_argument("--presets", type=_presets, default=DEFAULT_PRESETS, help="such as 1,5,8")
    parser.add_argument("--limit", type=int, help="the first N photographs only")
    parser.add_argument("--cifar", type=int, default=1000, metavar="N", help="images of CIFAR-10; 0 leaves them out")
    parser.add_argument("--only", action="append", choices=[*TITLES, SPEED], help="this part, and no others")
    return script.parsed(parser, arguments)


def _presets(text: str) -> tuple[int, ...]:
    found = tuple(sorted({int(part) for part in text.split(",")}))
    if not set(found) <= set(PRESETS):
        raise argparse.ArgumentTypeError(f"presets lie between {min(PRESETS)} and {max(PRESETS)}")
    return found


# The pictures


class File(NamedTuple):
    """Pictures that make a file together, and what was done to them."""

    kind: str
    pictures: list[Named]


Files = Callable[[], Iterator[File]]
"""The files of a set; pictures are read, and changed, when their turn comes."""


def photographs(chosen: Collection) -> Iterator[File]:
    """Each as it is, without metadata."""
    return (File("", [("", Picture("RGB", picture.samples))]) for _, picture in chosen)


def unlike(chosen: Collection) -> Iterator[File]:
    """Each changed in one of the ways of :data:`KINDS`, in turn."""
    for i, (_, picture) in enumerate(chosen):
        kind = list(KINDS)[i % len(KINDS)]
        rng = np.random.default_rng([SEED, i])
        yield File(kind, [("", Picture("RGB", KINDS[kind](picture.samples.astype(np.uint8), rng)))])


def in_one_file(chosen: Collection) -> Iterator[File]:
    """Pictures of a data set together."""
    yield File("", [(f"{i:05d}", picture) for i, (_, picture) in enumerate(chosen)])


def drawn(whole: Collection, count: int) -> Collection:
    """So many pictures at random; all of them in their order."""
    return whole.select(count, DRAW if count < len(whole) else None)


def grain(samples: Pixels, rng: np.random.Generator) -> Pixels:
    """Gaussian noise of σ = 6, half of its variance the same in all channels."""
    shared, own = rng.standard_normal((*samples.shape[:2], 1)), rng.standard_normal(samples.shape)
    return _rounded(samples + 6 * np.sqrt(0.5) * (shared + own))


def tone(samples: Pixels, rng: np.random.Generator) -> Pixels:
    """x^0.6 with dither of ±½, sharpened."""
    curve = 255 * (np.arange(256) / 255) ** 0.6
    dithered = _rounded(curve[samples] + rng.uniform(-0.5, 0.5, samples.shape))
    return np.asarray(Image.fromarray(dithered).filter(ImageFilter.UnsharpMask(1.5, 80, 0)))


def resampled(samples: Pixels, _: np.random.Generator) -> Pixels:
    """The middle of the picture, 1.5 times as large by cubic interpolation."""
    height, width = samples.shape[:2]
    large = Image.fromarray(samples).resize((round(1.5 * width), round(1.5 * height)), Image.Resampling.BICUBIC)
    left, top = (large.width - width) // 2, (large.height - height) // 2
    return np.asarray(large.crop((left, top, left + width, top + height)))


KINDS: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "film grain": grain,
    "gamma, sharpened": tone,
    "resampled": resampled,
}


def patchwork(chosen: Collection) -> Picture:
    """The middles of photographs from all over the folder, side by side."""
    rows, columns = -(-SPEED_HEIGHT // CROP), -(-SPEED_WIDTH // CROP)
    places = np.linspace(0, len(chosen) - 1, rows * columns).astype(int)
    middles = [_middle(chosen[int(i)][1].samples.astype(np.uint8)) for i in places]
    whole = np.concatenate([np.concatenate(middles[r * columns :][:columns], axis=1) for r in range(rows)])
    return Picture("RGB", np.ascontiguousarray(whole[:SPEED_HEIGHT, :SPEED_WIDTH]))


def _middle(samples: Pixels) -> Pixels:
    """A square of :data:`CROP`; a smaller picture is repeated."""
    height, width = samples.shape[:2]
    tiled = np.tile(samples, (-(-CROP // height), -(-CROP // width), 1))
    top, left = (tiled.shape[0] - CROP) // 2, (tiled.shape[1] - CROP) // 2
    return tiled[top : top + CROP, left : left + CROP]


def _rounded(values: NDArray[np.float64]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _chosen(folder: str, limit: int | None) -> Collection:
    """The first RGB pictures of a folder."""
    whole = datasets.collection(Path(folder))
    found = replace(whole, indices=tuple(islice((i for i in whole.indices if whole.fetch(i).mode == "RGB"), limit)))
    if not len(found):
        sys.exit(f"{folder} holds no RGB picture")
    return found


def facts(files: Files) -> Found:
    """What a set is; with a checksum of its pixels, by which a later call knows it again."""
    checksum, sums, kinds = hashlib.sha256(), Counter[str](), Counter[str]()
    for file in files():
        sums["files"] += 1
        for _, picture in file.pictures:
            height, width, channels = picture.samples.shape
            checksum.update(repr(picture.samples.shape).encode() + picture.samples.tobytes())
            sums.update({"pictures": 1, "pixels": height * width, "values": height * width * channels})
            kinds[file.kind] += picture.samples.size
    found = {**sums, "sha256": checksum.hexdigest()}
    return {**found, "kinds": dict(kinds)} if len(kinds) > 1 else found


# Measuring


@dataclass(frozen=True)
class Once:
    """One file, there and back; seconds."""

    bytes: int
    compress_s: float
    encode_s: float | None
    decompress_s: float


def once(method: Method, pictures: list[Named]) -> Once:
    """Code and decode; the script ends where a picture comes back changed."""
    prepared = method.prepare(pictures)
    files, compress_s = _timed(partial(method.encode, prepared, True))
    encode_s = None
    if method.verifies:
        again, encode_s = _timed(partial(method.encode, prepared, False))
        if again != files:
            sys.exit(f"{method.name} made different files of the same pictures")
    decoded, decompress_s = _timed(partial(method.decode, files, prepared))
    back = method.restore(decoded, pictures)
    if not all(same(a, b) for (_, a), b in zip(pictures, back, strict=True)):
        sys.exit(f"a picture did not come back bit for bit from {method.name}")
    return Once(sum(map(len, files)), compress_s, encode_s, decompress_s)


def measured(method: Method, files: Files, values: int) -> Found:
    """Sums over a set."""
    once(method, [(name, _small(picture)) for name, picture in next(files()).pictures[:_WARM_UP_PICTURES]])
    kinds, found = Counter[str](), []
    for file in files():
        found.append(once(method, file.pictures))
        kinds[file.kind] += found[-1].bytes
    row = _row(sum(f.bytes for f in found), values, found, sum)
    return {**row, "kinds": dict(kinds)} if len(kinds) > 1 else row


def measured_often(method: Method, picture: Picture) -> Found:
    """Medians over a few runs after one that warms up."""
    found = [once(method, [("", picture)]) for _ in range(1 + SPEED_RUNS)][1:]
    return _row(found[0].bytes, picture.samples.size, found, statistics.median)


def _row(size: int, values: int, found: list[Once], over: Callable[[list[float]], float]) -> Found:
    encode = [f.encode_s for f in found if f.encode_s is not None]
    return {
        "bytes": size,
        "bpd": 8 * size / values,
        "compress_s": round(over([f.compress_s for f in found]), 4),
        "encode_s": round(over(encode), 4) if encode else None,
        "decompress_s": round(over([f.decompress_s for f in found]), 4),
        "lossless": True,
    }


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _small(picture: Picture) -> Picture:
    corner: NDArray[Any] = np.ascontiguousarray(picture.samples[:_WARM_UP_SIDE, :_WARM_UP_SIDE])
    return Picture(picture.mode, corner)


# The results, kept as they come


def measure(options: argparse.Namespace, path: Path) -> None:
    """All that the command line asks for and that is not there yet."""
    chosen = _chosen(options.photos, options.limit)
    wanted = options.only or [*TITLES, SPEED]
    sets: dict[str, Files] = {"photographs": partial(photographs, chosen), "unlike": partial(unlike, chosen)}
    if options.cifar and {"cifar10", "solid"} & set(wanted):
        images = drawn(datasets.collection("cifar10", "test", options.data), options.cifar)
        sets["cifar10"] = partial(in_one_file, images)
        sets["solid"] = sets["cifar10"]
    results = Results(path, options)
    for name, files in sets.items():
        if name in wanted:
            known = facts(files)
            part = results.part(("sets", name), known)
            results.fill(name, part, 1, partial(measured, files=files, values=known["values"]))
    if SPEED in wanted:
        picture = patchwork(_chosen(options.photos, None))  # of a few photographs it would repeat parts
        known = facts(lambda: iter([File("", [("", picture)])]))
        known |= {"width": SPEED_WIDTH, "height": SPEED_HEIGHT, "threads": SPEED_THREADS, "runs": SPEED_RUNS}
        part = results.part((SPEED,), known)
        results.fill(SPEED, part, SPEED_THREADS, partial(measured_often, picture=picture))


class Results:
    """What ``rates.json`` holds."""

    def __init__(self, path: Path, options: argparse.Namespace) -> None:
        """Begin, or go on with what is there, if it is of the same model."""
        self.path, self.options = path, options
        model = Ours(Options(model=options.model, effort=PRESETS[1])).chosen
        known = {"model": Path(options.model).stem, "fingerprint": model.fingerprint.hex() if model else None}
        self.found: Found = json.loads(path.read_text()) if path.exists() else {}
        if any(self.found.get(key) != value for key, value in known.items()):
            self._refuse_unless_new(self.found, "another model")
            self.found = {**known, "skipped": {}, "runs": [], "sets": {}, SPEED: {}}
        self.run = machine.this_run()

    def part(self, keys: tuple[str, ...], known: Found) -> Found:
        """The part of a set, if it is of the same pictures, or a new one."""
        holder = self.found
        for key in keys[:-1]:
            holder = holder[key]
        old = holder.get(keys[-1], {})
        if old.get("facts") != known:
            self._refuse_unless_new(old, "other pictures")
            holder[keys[-1]] = {"facts": known, "presets": {}, "peers": {}}
        found: Found = holder[keys[-1]]
        return found

    def fill(self, name: str, part: Found, threads: int, work: Callable[[Method], Found]) -> None:
        """Measure peers, where the set has each picture in a file, and presets; keep each as it comes."""
        if part["facts"]["files"] == part["facts"]["pictures"]:
            for peer in PEERS:
                self._fill_peer(name, part["peers"], peer, threads, work)
        for preset in self.options.presets:
            method = Ours(
                Options(model=self.options.model, effort=PRESETS[preset], threads=threads, solid=name == "solid"),
                preset=preset,
            )
            row = {"effort": asdict(method.effort)}
            self._fill_row(name, part["presets"], str(preset), method, row, work)

    def _fill_peer(self, name: str, rows: Found, key: str, threads: int, work: Callable[[Method], Found]) -> None:
        """Name a peer that is not installed."""
        try:
            peer = Peer(key, threads)
        except UnavailableError as reason:
            self.found["skipped"][key] = str(reason)
            self.save()
            print(f"{name}: {key} is skipped: {reason}", flush=True)
            return
        self.found["skipped"].pop(key, None)
        row = {"label": peer.codec.label, "version": peer.codec.version()}
        self._fill_row(name, rows, key, peer, row, work)

    def _fill_row(
        self, name: str, rows: Found, key: str, method: Method, settings: Found, work: Callable[[Method], Found]
    ) -> None:
        """Measure a method, unless its row is there, of the same settings."""
        if key in rows and not self.options.again and rows[key].items() >= settings.items():
            return
        rows[key] = {**settings, **work(method), "run": script.number(self.found, self.run)}
        self.save()
        print(name, method.name, json.dumps(rows[key]), flush=True)

    def save(self) -> None:
        """Write the file, the ratios made anew."""
        for part in parts(self.found).values():
            rows = {f"of_preset_{key}": part["presets"].get(key) for key in (NOTHING, STILL)}
            rows["of_jxl_9"] = part["peers"].get(YARDSTICK)
            for row in (*part["presets"].values(), *part["peers"].values()):
                row |= {key: row["bytes"] / base["bytes"] if base else None for key, base in rows.items()}
        self.path.write_text(json.dumps(self.found, indent=1, ensure_ascii=False) + "\n")

    def _refuse_unless_new(self, old: Found, what: str) -> None:
        if old and not self.options.again:
            sys.exit(f"{self.path} holds figures of {what}; give --again to measure anew, or another --out")


def parts(found: Found) -> dict[str, Found]:
    """The sets, and the picture that was timed, by name."""
    return {**found["sets"], **({SPEED: found[SPEED]} if found[SPEED] else {})}


# What is shown of them


def publish(path: Path) -> None:
    """Plot and README from the JSON, beside it."""
    found = json.loads(path.read_text())
    panels = [name for name in ("photographs", "unlike") if YARDSTICK in found["sets"].get(name, {}).get("peers", {})]
    if panels:
        draw(found, panels).savefig(path.with_suffix(".png"), dpi=150)
    path.with_name("README.md").write_text(document(found, bool(panels)))


def document(found: Found, plot: bool) -> str:
    """The whole README."""
    text = HEAD + f"\nThe model is `{found['model']}` ({found['fingerprint']}).\n"
    text += "\n![Bytes over time to decompress](rates.png)\n" if plot else ""
    for name, part in found["sets"].items():
        text += f"\n## {TITLES[name]}\n\n{_described(part['facts'])} {_called(name, part)}\n\n{table(part)}"
        for kind, values in part["facts"].get("kinds", {}).items():
            text += f"\nOf these, {kind} ({values:,} values):\n\n{table(part, kind)}"
    if found[SPEED]:
        about = f"{_speed_described(found[SPEED]['facts'])} {_called(SPEED, found[SPEED])}"
        text += f"\n## Time of one picture\n\n{about}\n\n{table(found[SPEED])}"
    return text + _run_on(found)


def table(part: Found, kind: str | None = None) -> str:
    """Presets, then peers; with times, unless of one kind of pictures alone."""
    head = [
        "",
        "networks, rows, one in, orientations, whole",
        "bytes",
        "bits per value",
        f"against `-{NOTHING}`",
        f"against `-{STILL}`",
        "against JPEG XL effort 9",
    ]
    times = ["compress and verify, s", "compress, s", "decompress, s", "decompress, s per megapixel"]
    rows = []
    for label, row in _rows(part):
        rates = [f"{_size(row, kind):,}", f"{8 * _size(row, kind) / _values(part, kind):.4f}"]
        bases = part["presets"].get(NOTHING), part["presets"].get(STILL), part["peers"].get(YARDSTICK)
        rates += [_against(_size(row, kind), _size(base, kind) if base else None) for base in bases]
        effort = _effort(row, together=part["facts"]["files"] < part["facts"]["pictures"])
        rows.append([label, effort, *rates, *([] if kind else _times(row, part["facts"]["pixels"]))])
    lines = [head + ([] if kind else times)]
    lines += [["-"] * len(lines[0]), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def draw(found: Found, names: list[str]) -> Figure:
    """A panel a set: bytes over time to decompress, peers as lines."""
    figure = Figure(figsize=(7.4 * len(names), 4.8), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
        _panel(axes, TITLES[name], found["sets"][name], found["model"])
    return figure


def _panel(axes: Axes, title: str, part: Found, model: str) -> None:
    frame(
        axes,
        title=title,
        below="time to decompress a megapixel, one thread",
        beside="bytes relative to JPEG XL effort 9 (less is better)",
    )
    seconds_axis(axes)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    labels = []
    points = [
        (preset, row["decompress_s"] / part["facts"]["pixels"] * 1e6, row["of_jxl_9"]) for preset, row in _sorted(part)
    ]
    if points:
        _, x, y = zip(*points)
        axes.plot(x, y, color=COLOURS[0], marker=MARKERS[0], lw=2, ms=6)
        labels.append(Label(y[-1], f"{model}, -{points[0][0]} … -{points[-1][0]}", COLOURS[0], x[-1]))
    below = False
    for number, (preset, x0, y0) in enumerate(points):
        below = number > 0 and not below and 1 / _NEAR < x0 / points[number - 1][1] < _NEAR
        place, side = ((0, -8), "top") if below else ((0, 8), "bottom")
        axes.annotate(f"-{preset}", (x0, y0), place, textcoords="offset points", ha="center", va=side, fontsize=9)
    for row in part["peers"].values():
        axes.axhline(row["of_jxl_9"], color=GREY, lw=1, ls=(0, (5, 3)))
        labels.append(Label(row["of_jxl_9"], row["label"], GREY))
    limits_with_margin(axes)
    name_lines(axes, labels, lambda ratio: f"{ratio:.3f}")


def _sorted(part: Found) -> list[tuple[str, Found]]:
    return sorted(part["presets"].items(), key=lambda item: int(item[0]))


def _rows(part: Found) -> list[tuple[str, Found]]:
    """With what they are called."""
    peers = [(part["peers"][name]["label"], part["peers"][name]) for name in PEERS if name in part["peers"]]
    return [(f"`-{key}`", row) for key, row in _sorted(part)] + peers


def _size(row: Found, kind: str | None) -> int:
    size: int = row["kinds"].get(kind, 0) if kind else row["bytes"]
    return size


def _values(part: Found, kind: str | None) -> int:
    values: int = part["facts"]["kinds"][kind] if kind else part["facts"]["values"]
    return values


def _against(size: int, base: int | None) -> str:
    return f"{100 * (size / base - 1):+.2f} %" if base else "–"


def _effort(row: Found, together: bool) -> str:
    """What a preset does; from pictures that are coded together one network learns."""
    effort = row.get("effort")
    if not effort or not effort["rows"]:
        return "–"
    if not effort["steps"]:
        return f"–, –, –, {effort['turns']}"
    known = effort | ({"networks": 1} if together else {})
    return ", ".join(str(known[key]) for key in ("networks", "rows", "thin", "turns", "whole"))


def _times(row: Found, pixels: int) -> list[str]:
    """A peer has no verification of its own: what it takes is the time to compress."""
    verifies = row["encode_s"] is not None
    compress = [row["compress_s"], row["encode_s"]] if verifies else [None, row["compress_s"]]
    seconds = [*compress, row["decompress_s"], row["decompress_s"] / pixels * 1e6]
    return ["–" if s is None else f"{s:,.2f}" for s in seconds]


def _described(known: Found) -> str:
    each = " each" if known["files"] == known["pictures"] else " together"
    return (
        f"{known['pictures']:,} pictures, {known['pixels'] / 1e6:.2f} megapixels, coded{each}; "
        f"SHA-256 of the pixels {known['sha256'][:16]}."
    )


def _called(name: str, part: Found) -> str:
    """The options that give the rows of a part."""
    counts = {"photographs": "limit", "unlike": "limit", "cifar10": "cifar", "solid": "cifar"}
    count = f" --{counts[name]} {part['facts']['pictures']}" if name in counts else ""
    return f"By `--only {name}{count} --presets {','.join(preset for preset, _ in _sorted(part))}`."


def _speed_described(known: Found) -> str:
    return (
        f"A picture of {known['width']}×{known['height']} pixels, put together from crops of the photographs; "
        f"{known['threads']} threads, medians of {known['runs']} runs after one more."
    )


def _run_on(found: Found) -> str:
    """Machines, versions and commits of the figures that stand here."""
    rows = [row for part in parts(found).values() for _, row in _rows(part)]
    text = "\n## Measured on\n\n"
    for number in sorted({row["run"] for row in rows}):
        run = found["runs"][number]
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        cores = f"{run['machine']['cores']} cores, {run['machine']['memory_gb']} GB"
        text += f"- {run['machine']['cpu']}, {cores}; {versions}; commit {run['commit'] or 'unknown'}.\n"
    for version in dict.fromkeys(f"{row['label']}: {row['version']}" for row in rows if "label" in row):
        text += f"- {version}.\n"
    return text + "".join(f"- Skipped: `{name}`: {reason}.\n" for name, reason in found["skipped"].items())


if __name__ == "__main__":
    main()
