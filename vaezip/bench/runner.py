"""Run a benchmark: every method in turn, each in a process of its own."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vaezip.bench import machine, ours, peers, worker
from vaezip.bench.method import MismatchError, Named, UnavailableError
from vaezip.bench.plan import Plan, called
from vaezip.bench.report import Facts, ModelRow, PeerRow, Report, figures_from
from vaezip.codec.select import AUTO
from vaezip.errors import DataError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.base import Architecture
from vaezip.models.kinds import coded_mode, misfit
from vaezip.pictures.datasets import Collection

Progress = Callable[[str], None]
Job = dict[str, Any]


def run(plan: Plan, progress: Progress = lambda text: None) -> Report:
    """Measure all that a plan asks for.

    Args:
        plan: what to measure.
        progress: told what is being measured.

    Raises:
        MismatchError: a picture did not come back bit for bit; the message names it and the method.
        VaezipError: the data set or a model is missing or unfit, or vaezip itself fails; a peer that fails is
            skipped.
    """
    models = plan.models or ours.default_models(plan.dataset)
    paths = [model_file.find(model) for model in models if model != AUTO]
    codecs = [variant for peer in plan.peers for variant in peers.variants(peer)]
    progress(f"reading {plan.dataset}")
    pictures, skipped = worker.select(plan), dict[str, str]()
    facts = _facts(pictures, _fitting(pictures, paths, codecs, skipped), plan)
    jobs: list[Job] = [{"model": model, **asdict(choice)} for model in models for choice in plan.choices]
    jobs += [{"peer": codec} for codec in codecs if peers.CODECS[codec].label not in skipped]
    model_rows: list[ModelRow] = []
    peer_rows: list[PeerRow] = []
    for i, job in enumerate(jobs):
        progress(f"{i + 1} of {len(jobs)}: {_title(job)}")
        try:
            answer = _measure(plan, job)
        except MismatchError:
            raise
        except Exception as error:
            if "model" in job:
                raise VaezipError(f"{_title(job)} could not be measured: {_reason(error)}") from error
            skipped[_title(job)] = _reason(error)
            continue
        for row in answer["rows"]:
            row["figures"] = figures_from(row["figures"])
            if "peer" in job:
                peer_rows.append(PeerRow(**row))
            else:
                model_rows.append(ModelRow(**row))
    return Report(
        facts,
        model_rows,
        peer_rows,
        skipped,
        plan.device,
        plan.threads,
        machine.describe(plan.device),
        machine.versions(plan.device),
        machine.commit(),
        datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        plan.solid,
    )


def _fitting(
    pictures: Collection, models: Iterable[Path], codecs: Iterable[str], skipped: dict[str, str]
) -> Iterator[Named]:
    """Yield the pictures in turn, each looked at before a method meets it, maybe hours later.

    Args:
        models: all must be able to code each picture.
        codecs: those that cannot hold one get into ``skipped``, with the first.

    Raises:
        DataError: a model cannot code a picture.
    """
    architectures: list[tuple[str, Architecture]] = [(path.stem, model_file.architecture(path)) for path in models]
    for name, picture in pictures:
        for model, a in architectures:
            reason = misfit(model, a, picture, coded=coded_mode(picture, a))
            if reason:
                raise DataError(f"{name}: {reason}", "other-model")
        for codec in (peers.CODECS[codec] for codec in codecs):
            reason = codec.refuses(picture)
            if reason:
                skipped.setdefault(codec.label, f"{name}: {reason}")
        yield name, picture


def _reason(error: Exception) -> str:
    """Say in one line why a method failed."""
    said = str(error) if isinstance(error, VaezipError) else f"{type(error).__name__}: {error}"
    return " ".join(said.split())


def _title(job: Job) -> str:
    if "peer" in job:
        return peers.CODECS[job["peer"]].label
    return f"{Path(job['model']).stem}, {called(job['effort']['steps'], job['preset'])}"


def _measure(plan: Plan, job: Job) -> dict[str, Any]:
    if not plan.isolated:
        with tempfile.TemporaryDirectory(prefix="vaezip-bench-") as folder:
            return worker.run(plan, job, Path(folder))
    answer = _ask_worker(plan, job)
    if "error" in answer:
        kind = {k.__name__: k for k in (MismatchError, UnavailableError)}.get(answer["error"], VaezipError)
        raise kind(answer["reason"])
    return answer


def _ask_worker(plan: Plan, job: Job) -> dict[str, Any]:
    """Run a job in a fresh process. The open pipe to its standard input keeps it alive."""
    command = [sys.executable, "-m", "vaezip.bench.worker", json.dumps({"plan": asdict(plan), **job})]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "RAYON_NUM_THREADS": str(plan.threads),  # pyoxipng takes no number, and all cores unless told by this
    }
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, env=environment
        ) as process,
    ):
        assert process.stdout
        lines = process.stdout.read().decode().splitlines()
        if process.wait() != 0 or not lines:
            complaints.seek(0)
            last = complaints.read().decode(errors="replace").strip().rpartition("\n")[2]
            reason = last or f"exit status {process.returncode}"
            raise UnavailableError(reason)
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def _facts(pictures: Collection, seen: Iterable[Named], plan: Plan) -> Facts:
    """Collect the facts of the pictures, which ``seen`` gives."""
    digest = hashlib.sha256()
    dims = raw = 0
    modes: Counter[str] = Counter()
    shapes = set()
    for _, picture in seen:
        digest.update(picture.samples.tobytes())
        dims, raw = dims + picture.samples.size, raw + picture.samples.nbytes
        modes[picture.mode] += 1
        height, width, channels = picture.samples.shape
        shapes.add((height, width, channels))
    return Facts(
        pictures.name,
        len(pictures),
        dims,
        raw,
        dict(modes),
        shapes.pop() if len(shapes) == 1 else None,
        plan.limit,
        plan.seed,
        digest.hexdigest(),
        pictures.verified,
    )
