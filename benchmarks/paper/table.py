"""Write README.md beside this file from the results: ``python benchmarks/paper/table.py``.

``--check`` writes nothing and fails where it is not up to date.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import common
import files
from claims import TRIED

README = common.RESULTS.parent / "README.md"
NAMES = ("figure1", "figure3", "figure4", "figure5", "table1", "appendix")
UNITS = {"bpd": ("", 4), "nats": (" nats", 2), "%": (" %", 1), "epoch": ("", 0)}
HEAD = """# The paper's experiments

Zhang, Hayes, Barber, *Generalization Gap in Amortized Inference*, NeurIPS 2022, again with vaezip. Made by
`python benchmarks/paper/table.py` from `results/*.json`; no figure here is typed by hand but in what was tried besides.
Rates are −ELBO, in Figure 7 of files, in bits per dimension where no other unit stands (less is better); ± is the
standard deviation over seeds.

Each experiment is one command, `--quick` for its small form, which takes some minutes on one CPU core; without it, the
paper's sizes. A quick run writes to `results/quick`, which git ignores, or to `--results DIR`. Both keep their states
in `--runs` (default `runs/paper`) and go on from there when started again; experiments share the trainings that they
have in common. A claim **holds** where the mean difference, taken seed by seed, has the claimed sign and is larger than
its standard deviation; *within the deviation* where it is not larger.
Figures 1, 2 and 5 are of one seed, and Figure 7 is of the shipped models, one of each kind: there the sign alone
decides, and a small difference says little, for another seed may turn it. The best σ of Table 1 and Figure 6 is chosen
on the test images themselves, as in the paper.
"""
CODED = (files.rates, files.times)
"""The sections of Figures 7 and 8, which train nothing and are of the same files."""


def main() -> None:
    """Command line of this script."""
    text = document()
    if "--check" in sys.argv[1:]:
        sys.exit(
            0 if README.read_text() == text else f"{README} is not up to date; run: python benchmarks/paper/table.py"
        )
    README.write_text(text)


def document() -> str:
    """The whole file."""
    results = [found for name in NAMES for found in forms(name)]
    coded = read(f"{common.CURVES}.json")
    sections = [*map(section, results), *(part(coded) for part in CODED if coded)]
    return HEAD + "\n" + overview(results, coded) + not_run(results, coded) + "".join(sections)


def forms(name: str) -> list[dict[str, Any]]:
    """The full and the quick result of an experiment, those that there are."""
    return [found for form in ("", "-quick") if (found := read(f"{name}{form}.json"))]


def read(name: str) -> dict[str, Any] | None:
    """A result, if there is one."""
    path = common.RESULTS / name
    return json.loads(path.read_text()) if path.exists() else None


def overview(results: list[dict[str, Any]], coded: dict[str, Any] | None) -> str:
    """Every claim in one table."""
    rows = [[f"{label(r)}", c["claim"], spoken(c["verdict"]), margin(c)] for r in results for c in r["claims"]]
    rows += files.claims(coded) if coded else []
    others = [
        f"{label(r)}, {told['what']}: {ours(told)}" for r in results for told in r["rows"] if TRIED in told["what"]
    ]
    tried = "".join(f"- {what}.\n" for what in [*others, *(files.tried(coded) if coded else [])])
    return (
        "## The claims\n\n"
        + common.markdown(["experiment", "claim", "here", "by"], rows)
        + (f"\nTried besides, where a claim does not hold:\n\n{tried}" if tried else "")
    )


def not_run(results: list[dict[str, Any]], coded: dict[str, Any] | None) -> str:
    """What has only a quick form, and what of Figures 7 and 8 is not measured."""
    full = {found["figure"] for found in results if not found["quick"]}
    quick = [found for found in results if found["quick"] and found["figure"] not in full]
    lacking = [f"{label(found)}: stopped after {stop(found)}" for found in results if "epochs" in found]
    lacking += [f"{label(found, form=False)}: the quick form alone" for found in quick]
    lacking += files.missing(coded) if coded else ["Figures 7 and 8"]
    listed = "".join(f"- {what}.\n" for what in lacking)
    return f"\n## Not run, or not in the paper's sizes\n\n{listed}" if lacking else ""


def stop(result: dict[str, Any]) -> str:
    """The epochs of a training that was stopped; of each part, where parts of several calls differ in them."""
    ends = {setting["title"]: setting["snapshots"][-1] for setting in result["settings"]}
    if len(set(ends.values())) < 2:
        return f"{result['epochs']} epochs"
    return "; ".join(f"{end} epochs of {title}" for title, end in ends.items())


def label(result: dict[str, Any], form: bool = True) -> str:
    """Short name of a result, with its form."""
    return result["title"].partition(":")[0] + (", quick" if form and result["quick"] else "")


def spoken(verdict: str) -> str:
    """A verdict, loud where the paper is not borne out."""
    return {"does not hold": "**does not hold**", "within the deviation": "*within the deviation*"}.get(
        verdict, verdict
    )


def margin(found: dict[str, Any]) -> str:
    """The difference and its deviation."""
    seeds = f", {found['seeds']} seeds" if found["seeds"] > 1 else ", one seed"
    return f"{number(found['difference'], found['deviation'], found['unit'])}{seeds}"


def number(value: float, deviation: float | None, unit: str) -> str:
    """A value in its unit."""
    name, digits = UNITS[unit]
    spread = "" if deviation is None else f" ± {deviation:.{digits}f}"
    return f"{value:.{digits}f}{spread}{name}"


def section(result: dict[str, Any]) -> str:
    """Plot, paper / ours, and why they differ."""
    name = result["figure"] + ("-quick" if result["quick"] else "")
    made_by = "\n".join(f"`{command}`\n" for command in commands(result))
    rows = [[r["what"], "–" if r["paper"] is None else f"{r['paper']:.3f}", ours(r)] for r in result["rows"]]
    form = " (quick form)" if result["quick"] else ""
    return (
        f"\n## {result['title']}{form}\n\n{made_by}\n![{result['title']}](results/{name}.png)\n\n"
        + common.markdown(["", "paper", "ours"], rows)
        + "\nWhy they differ:\n\n"
        + "".join(f"- {reason}.\n" for reason in result["differences"])
    )


def commands(result: dict[str, Any]) -> list[str]:
    """The command lines that make a result again: one, or one for all parts of a call."""
    script = f"python benchmarks/paper/{result['figure']}.py --data DIR{' --quick' if result['quick'] else ''}"
    calls: dict[str, list[str]] = {}
    for name, part in result["measured"].items():
        if isinstance(part, dict) and "call" in part:
            calls.setdefault(flags(part["call"]), []).append(name)
    if not calls:
        calls[flags({"epochs": result["epochs"]} if "epochs" in result else {})] = []
    if result["quick"] and len(calls) == 1:  # of all parts, as without --only
        calls = {given: [] for given in calls}
    return [script + "".join(f" --only {part}" for part in parts) + given for given, parts in calls.items()]


def flags(call: dict[str, Any]) -> str:
    """Options of a call as it gives them; those with several values once for each."""
    values = {name: value if isinstance(value, list) else [value] for name, value in call.items()}
    return "".join(f" --{name} {value}" for name, several in values.items() for value in several)


def ours(found: dict[str, Any]) -> str:
    """Our value of a row."""
    return number(found["ours"], found["deviation"], found["unit"])


if __name__ == "__main__":
    main()
