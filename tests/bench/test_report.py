import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from vaezip.bench import runner
from vaezip.bench.report import Report

DOCUMENT = Path(__file__).parents[2] / "docs" / "bench.md"

COMMON = {
    "order": str, "bytes": int, "files": int, "bpd": float, "compress_s": float, "encode_s": float,
    "decompress_s": float, "compress_mb_s": float, "decompress_mb_s": float, "repeats": int, "peak_mb": float | None,
    "lossless": bool,
}  # fmt: skip
METHOD = COMMON | {
    "model": str, "fingerprint": str | None, "objective": str | None, "steps": int, "elbo_bpd": float | None,
    "preset": int | None, "overhead": float | None,
}  # fmt: skip
PEER = COMMON | {"peer": str, "label": str, "version": str}
TOP = {
    "schema": int, "dataset": str, "images": int, "dims": int, "raw_bytes": int, "modes": dict, "shape": list | None,
    "limit": int | None, "seed": int | None, "sha256": str, "verified": bool | None, "device": str, "threads": int,
    "solid": bool,
    "methods": list, "peers": list, "skipped": dict, "machine": dict, "versions": dict, "commit": str | None,
    "created": str,
}  # fmt: skip
IMAGE = {"name": str, "bytes": int, "bpd": float, "compress_s": float, "decompress_s": float}


def check(fields, schema):
    assert set(fields) == set(schema)
    wrong = {name: fields[name] for name, kind in schema.items() if not isinstance(fields[name], kind)}
    assert not wrong


def check_report(found):
    check(found, TOP)
    for row in found["methods"]:
        check({name: value for name, value in row.items() if name != "images"}, METHOD)
    for row in found["peers"]:
        check({name: value for name, value in row.items() if name != "images"}, PEER)
    for row in found["methods"] + found["peers"]:
        assert row["lossless"] is True
        for image in row.get("images", []):
            check(image, IMAGE)


def test_schema_of_a_real_run(plan):
    report = runner.run(plan(steps=(0, 1), peers=("png",), limit=3, per_image=True))
    found = json.loads(report.to_json())
    check_report(found)
    assert {row["order"] for row in found["methods"] if "images" in row} == {"single"}


def test_schema(report):
    check_report(json.loads(report.to_json()))


def test_images_are_left_out_unless_asked_for(plan):
    report = runner.run(plan(limit=2))
    assert not any("images" in row for row in report.to_dict()["methods"])


def test_every_field_is_documented():
    told = set(re.findall(r"`([a-z0-9_]+)`", DOCUMENT.read_text(encoding="utf-8")))
    assert set(TOP) | set(METHOD) | set(PEER) | {"images"} <= told


def test_json_comes_back(report):
    found = json.loads(report.to_json())
    again = json.loads(Report.from_dict(found).to_json())
    for row, other in zip(found["methods"], again["methods"], strict=True):
        assert row.pop("overhead") == pytest.approx(other.pop("overhead"), abs=1e-4)  # of rounded rates
    assert found == again


def test_json_of_before_presets_is_read(report):
    found = json.loads(report.to_json())
    del found["solid"]
    for row in found["methods"]:
        del row["preset"]
    again = Report.from_dict(found)
    assert again.solid is False
    assert {row.preset for row in again.models} == {None}


def test_a_preset_comes_back_and_is_called_as_on_the_command_line(report):
    rows = [replace(report.models[0], steps=1, preset=4)]
    again = Report.from_dict(json.loads(replace(report, models=rows, solid=True).to_json()))
    assert [(row.steps, row.preset, row.called, again.solid) for row in again.models] == [(1, 4, "-4", True)]
    assert report.models[-1].called == "K = 10"


def test_orders(report):
    assert report.orders == ["set", "single"]
    assert [getattr(row, "model", None) for row in report.rows("set")] == ["m-classic"] * 3 + ["m"] * 3 + [None] * 2
