"""Add up reports of ``run.py`` into the counts that the repository keeps:
``python tests/fuzz/counts.py --commit COMMIT REPORT ... > tests/fuzz/report.json``; ``report-jpeg-file.json`` is of the
target of JPEG files alone.

``COMMIT`` is what was fuzzed. Of a target that several reports have, the sums are given. What this script wrote may be
among the reports, so that a run adds to the counts that are kept.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

Found = dict[str, Any]

COUNTS = "core seconds", "executions", "read", "refused", "reasons", "crashes", "processes that ended"


def counts(result: Found) -> dict[str, int]:
    """Count what a report tells of a target; different reasons to refuse are counted, not listed."""
    if set(result) == set(COUNTS):
        return dict(result)
    refused = result["refused"]
    return {
        "core seconds": result["core seconds"],
        "executions": result["executions"],
        "read": result["read"],
        "refused": sum(refused.values()),
        "reasons": len(refused),
        "crashes": len(result["crashes"]),
        "processes that ended": len(result["processes that ended"]),
    }


def added(reports: list[Found], commit: str) -> Found:
    """Add up reports, which were made on one machine."""
    targets: dict[str, dict[str, int]] = {}
    for report in reports:
        for name, result in report["targets"].items():
            sums = targets.setdefault(name, dict.fromkeys(COUNTS, 0))
            for key, count in counts(result).items():
                sums[key] = max(sums[key], count) if key == "reasons" else sums[key] + count
    return {
        "commit": commit,
        "machine": reports[0]["machine"],
        "core hours": round(sum(sums["core seconds"] for sums in targets.values()) / 3600, 2),
        "executions": sum(sums["executions"] for sums in targets.values()),
        "targets": targets,
    }


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--commit", required=True)
    chosen = parser.parse_args()
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in chosen.reports]
    print(json.dumps(added(reports, chosen.commit), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
