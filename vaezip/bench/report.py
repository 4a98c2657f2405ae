"""Hold the figures of a benchmark, and write and read their JSON, which ``docs/bench.md`` describes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from vaezip.bench.measure import Figures, ImageFigures
from vaezip.bench.plan import ORDERS, called

SCHEMA = 1
"""Raised when a field changes its meaning or goes."""

_DIGITS = 6


@dataclass(frozen=True)
class ModelRow:
    """Hold the figures of vaezip with a model and K steps, or a preset, in one order.

    Attributes:
        model: name, or ``auto``.
        fingerprint: of the model that coded all blocks, in hex; None where they were several, or none did.
        objective: how its encoder was trained; None if its file does not say.
        steps: K, a preset's own where there is one.
        elbo_bpd: the model's −ELBO in bits a value, None where no single model codes all planes.
        preset: ``-1`` … ``-9`` of the command line, or None.
    """

    model: str
    fingerprint: str | None
    objective: str | None
    steps: int
    elbo_bpd: float | None
    figures: Figures
    preset: int | None = None

    @property
    def called(self) -> str:
        """Name K, or the preset, for people."""
        return called(self.steps, self.preset)

    @property
    def overhead(self) -> float | None:
        """Return the overhead of the file over the ELBO, as a fraction of it."""
        return self.figures.bpd / self.elbo_bpd - 1 if self.elbo_bpd else None


@dataclass(frozen=True)
class PeerRow:
    """Hold the figures of another codec, in one order."""

    peer: str
    label: str
    version: str
    figures: Figures


@dataclass(frozen=True)
class Facts:
    """Describe the pictures of a benchmark.

    Attributes:
        dataset: its name, or the folder's.
        images: how many were measured.
        dims: their values: pixels · channels.
        raw_bytes: of their samples in memory.
        modes: such as ``L``, with how many pictures have each.
        shape: (height, width, channels) where all have the same.
        limit, seed: how they were chosen; see :class:`vaezip.bench.plan.Plan`.
        sha256: of all samples in order.
        verified: whether they are the published ones; None where that is not known.
    """

    dataset: str
    images: int
    dims: int
    raw_bytes: int
    modes: dict[str, int]
    shape: tuple[int, int, int] | None
    limit: int | None
    seed: int | None
    sha256: str
    verified: bool | None


@dataclass(frozen=True)
class Report:
    """Hold all that a benchmark found.

    Attributes:
        skipped: what could not be measured here, and why.
        created: date and time, ISO 8601 in UTC.
        commit: of the source that ran, with ``-dirty`` where files differ from it; None if unknown.
        solid: whether up to 16 million pixels were coded as one block.
    """

    facts: Facts
    models: list[ModelRow]
    peers: list[PeerRow]
    skipped: dict[str, str]
    device: str
    threads: int
    machine: dict[str, Any]
    versions: dict[str, str]
    commit: str | None
    created: str
    solid: bool = False

    def rows(self, order: str) -> list[ModelRow | PeerRow]:
        """Return the rows of one order, models first."""
        rows: list[ModelRow | PeerRow] = [*self.models, *self.peers]
        return [row for row in rows if row.figures.order == order]

    @property
    def orders(self) -> list[str]:
        """List the orders that were measured, ``set`` first."""
        return [order for order in ORDERS if self.rows(order)]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``docs/bench.md`` describes it."""
        return {
            "schema": SCHEMA,
            **asdict(self.facts),
            "device": self.device,
            "threads": self.threads,
            "solid": self.solid,
            "methods": [_flat(row) | {"overhead": _rounded(row.overhead)} for row in self.models],
            "peers": [_flat(row) for row in self.peers],
            "skipped": self.skipped,
            "machine": self.machine,
            "versions": self.versions,
            "commit": self.commit,
            "created": self.created,
        }

    def to_json(self) -> str:
        """Write the report as indented JSON, with a line feed at the end."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> Report:
        """Invert :meth:`to_dict`, but for rounding."""
        shape = fields["shape"]
        names = ("dataset", "images", "dims", "raw_bytes", "modes", "limit", "seed", "sha256", "verified")
        others = ("skipped", "device", "threads", "machine", "versions", "commit", "created")
        return Report(
            Facts(shape=tuple(shape) if shape else None, **{name: fields[name] for name in names}),
            [_model_row(row) for row in fields["methods"]],
            [_peer_row(row) for row in fields["peers"]],
            **{name: fields[name] for name in others},
            solid=fields.get("solid", False),  # older files do not tell, for nothing was
        )


def figures_from(fields: dict[str, Any]) -> Figures:
    """Read figures out of a row of JSON, whatever else it holds."""
    known = {name: fields[name] for name in Figures.__dataclass_fields__ if name in fields and name != "images"}
    return Figures(**known, images=[ImageFigures(**image) for image in fields.get("images", [])])


def _model_row(fields: dict[str, Any]) -> ModelRow:
    names = ("model", "fingerprint", "objective", "steps", "elbo_bpd")
    return ModelRow(**{name: fields[name] for name in names}, figures=figures_from(fields), preset=fields.get("preset"))


def _peer_row(fields: dict[str, Any]) -> PeerRow:
    return PeerRow(**{name: fields[name] for name in ("peer", "label", "version")}, figures=figures_from(fields))


def _flat(row: ModelRow | PeerRow) -> dict[str, Any]:
    fields = asdict(row)
    figures = fields.pop("figures")
    images = [{k: _rounded(v) for k, v in image.items()} for image in figures.pop("images")]
    flat = {name: _rounded(value) for name, value in (fields | figures).items()}
    return flat | ({"images": images} if images else {})


def _rounded(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
