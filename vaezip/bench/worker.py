"""Measure one method, in a process of its own: ``python -m vaezip.bench.worker JOB``.

JOB is JSON; so is the last line of standard output. The process ends when its standard input does,
that is, at the latest with the process that started it, and leaves no file behind.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from vaezip.bench import measure
from vaezip.bench.method import Method, MismatchError, UnavailableError
from vaezip.bench.plan import Plan
from vaezip.codec.compress_options import Options
from vaezip.errors import VaezipError
from vaezip.models.effort import Effort
from vaezip.pictures import datasets
from vaezip.pictures.datasets import Collection
from vaezip.pictures.picture import Picture


def run(plan: Plan, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Measure a method in all orders of a plan.

    Args:
        plan: the benchmark.
        job: ``{"peer": …}``, or ``{"model": …, "effort": …, "preset": …}``.
        folder: for files; they are left there.

    Returns:
        What :mod:`vaezip.bench.runner` makes rows of, fit for JSON.

    Raises:
        MismatchError: a picture did not come back.
        UnavailableError: the method cannot run here.
    """
    pictures = select(plan)
    method = _method(plan, job)
    # Single files first: the peak of memory can be set back only to what is in use.
    rows = [_row(plan, method, job, pictures, order, folder) for order in sorted(plan.orders)[::-1]]
    return {"rows": sorted(rows, key=lambda row: plan.orders.index(row["figures"]["order"]))}


def _row(
    plan: Plan, method: Method, job: dict[str, Any], pictures: Collection, order: str, folder: Path
) -> dict[str, Any]:
    figures = measure.measure(method, pictures, order=order, repeats=plan.repeats, folder=folder)
    if not plan.per_image:
        figures = replace(figures, images=[])
    return {"figures": asdict(figures), **_about(method, job, pictures)}


def select(plan: Plan) -> Collection:
    """Read the pictures of a plan: pixels alone, the palette where there is one, and the files of JPEGs.

    Raises:
        DataError: they are not there.
    """
    chosen = datasets.collection(plan.dataset, data=plan.data).select(plan.limit, plan.seed)
    return replace(chosen, fetch=lambda i: _bare(chosen.fetch(i)))


def _bare(picture: Picture) -> Picture:
    kept = ("palette", "transparency") if picture.mode == "P" else ()
    boxes = tuple(box for box in picture.boxes if box[0] in kept)
    return Picture(picture.mode, picture.samples, boxes, original=picture.original)


def _method(plan: Plan, job: dict[str, Any]) -> Method:
    if "peer" in job:
        from vaezip.bench.peers import Peer

        return Peer(job["peer"], plan.threads)
    from vaezip.bench.ours import Ours

    return Ours(
        Options(
            model=job["model"],
            effort=Effort(**job["effort"]),
            device=plan.device,
            threads=plan.threads,
            solid=plan.solid,
        ),
        preset=job["preset"],
    )


def _about(method: Method, job: dict[str, Any], pictures: Collection) -> dict[str, Any]:
    if "peer" in job:
        from vaezip.bench.peers import CODECS

        codec = CODECS[job["peer"]]
        return {"peer": job["peer"], "label": codec.label, "version": codec.version()}
    from vaezip.bench.ours import Ours, information

    assert isinstance(method, Ours)
    model = method.take_model()
    return {
        "model": method.label,
        "steps": method.effort.steps,
        "preset": method.preset,
        "elbo_bpd": method.elbo_bpd(model, pictures),
        **information(model),
    }


def main() -> None:
    """Run the job of the command line, and print the answer."""
    job = json.loads(sys.argv[1])
    plan = Plan.from_dict(job.pop("plan"))
    with tempfile.TemporaryDirectory(prefix="vaezip-bench-") as folder:
        threading.Thread(target=_watch_parent, args=(folder,), daemon=True).start()
        try:
            answer = run(plan, job, Path(folder))
        except VaezipError as error:
            kind = next((k for k in (MismatchError, UnavailableError) if isinstance(error, k)), VaezipError)
            answer = {"error": kind.__name__, "reason": str(error)}
    print(json.dumps(answer), flush=True)


def _watch_parent(folder: str) -> None:
    while os.read(0, 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
