"""Worklist: one row a finding and image, as scripts small enough to be read while the page is drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, json_of
from pipeline.reporting.subjects import results_sha256
from pipeline.reporting.survey import OUTCOMES, Survey

Facts: TypeAlias = Mapping[str, str]

SKIPPED = ("skipped", "skipped: not audited")
"""The outcome of what was set aside as a whole."""
FIRST_ROWS = 20
"""Written into the page, for readers without scripts; the scripts bring all."""
ROWS_A_PART = 40_000
"""Some 500 kB: a browser parses one part while it loads the next."""
CHOICES = 60
"""Most values of an attribute that can be chosen from."""
DIGITS = 10_000
"""Numbers between 0 and 1 are written as whole ones."""
MANY = 35
"""Contours and missed lesions of one row are counted up to here: one digit to the base of 36."""
DECADE = 10


def worklist(run: RunFolder, of_run: Survey) -> dict[str, Any]:
    """What worklist.html shows before its scripts have run."""
    return {
        "rows": of_run.rows[:FIRST_ROWS],
        "row_count": len(of_run.rows),
        "has_boxes": any(row.box_iou is not None for row in of_run.rows),
        "outcomes": OUTCOMES,
        "scripts": [f"worklist-{number}" for number in range(1, len(_starts(run)) + 1)],
    }


def worklist_scripts(run: RunFolder, of_run: Survey) -> Iterator[tuple[str, str]]:
    """Name and text of each script: what all rows share, then the rows, some cases a script."""
    starts = _starts(run)
    facts = _facts(run, of_run)
    attributes = _attributes(facts)
    yield "worklist-data.js", _script(_shared(run, of_run, attributes, parts=len(starts)))
    for number, start in enumerate(starts, start=1):
        end = start + _cases_a_part(run)
        yield f"worklist-{number}.js", _script(_part(run, of_run, facts, attributes, slice(start, end)))


def _shared(
    run: RunFolder, of_run: Survey, attributes: Mapping[str, Sequence[str]], *, parts: int
) -> dict[str, Any]:
    return {
        "run_id": run.manifest["run_id"],
        "results_sha256": results_sha256(run.path),
        "subjects": sum(row.subjects for row in of_run.rows),
        "findings": run.findings,
        "outcomes": [*OUTCOMES.items(), SKIPPED],
        "attributes": [[name, words.spaced(name), values] for name, values in attributes.items()],
        "skipped": _skipped(run),
        "parts": parts,
    }


def _part(
    run: RunFolder,
    of_run: Survey,
    facts: Sequence[Facts],
    attributes: Mapping[str, Sequence[str]],
    cases: slice,
) -> dict[str, Any]:
    """Columns as text: a letter or digit a row, or whole numbers with commas between, nothing for unknown."""
    size = len(run.findings)
    rows = of_run.rows[cases.start * size : cases.stop * size]
    codes = {code: chr(ord("a") + place) for place, code in enumerate(OUTCOMES)}
    return {
        "cases": run.case_ids[cases],
        "outcome": "".join(codes[row.outcome] for row in rows),
        "positive": "".join(str(int(row.positive)) for row in rows),
        "subjects": "".join(_digit(min(row.subjects, MANY)) for row in rows),
        "probability": _numbers([row.probability for row in rows]),
        "iou": _numbers([row.iou for row in rows]),
        "box": _numbers([row.box_iou for row in rows]),
        "attributes": [
            ",".join(_place(_value(name, of_case), values) for of_case in facts[cases])
            for name, values in attributes.items()
        ],
    }


def _facts(run: RunFolder, of_run: Survey) -> list[Facts]:
    """Attributes of each image, its first warning, and the groups that a table of the user's put it in."""
    path = run.path / "groups.json"
    groups = json_of(path) if path.exists() else {}  # runs of older versions have none
    warned = {case_id: {"warning": words.reason(reason)} for case_id, reason, _ in reversed(of_run.cautions)}
    return [
        {
            **attributes,
            **warned.get(case_id, {}),
            **{name: values[case_id] for name, values in groups.items() if case_id in values},
        }
        for case_id, attributes in zip(run.case_ids, of_run.attributes, strict=True)
    ]


def _attributes(facts: Sequence[Facts]) -> dict[str, tuple[str, ...]]:
    """Attribute → its values, where there are several to choose from."""
    names = dict.fromkeys(name for of_case in facts for name in of_case)
    found = {name: {_value(name, of_case) for of_case in facts} for name in names}
    return {
        name: tuple(sorted(values - {""})) for name, values in found.items() if 1 < len(values) <= CHOICES
    }


def _value(name: str, facts: Facts) -> str:
    """An attribute as it is filtered by; ages (DICOM: "054Y") by decades."""
    value = facts.get(name, "")
    years = re.fullmatch(r"(\d{3})Y", value) if name == "age" else None
    if not years:
        return value
    decade = int(years[1]) // DECADE * DECADE
    return f"{decade}–{decade + DECADE - 1}"


def _skipped(run: RunFolder) -> list[tuple[str, str]]:
    """Pseudonym and reason of what has no page of its own."""
    audited = set(run.case_ids)
    found = {entry.subject: entry.reason for entry in run.skipped if entry.subject not in audited}
    return [(subject, words.reason(reason)) for subject, reason in found.items()]


def _starts(run: RunFolder) -> range:
    return range(0, len(run.case_ids), _cases_a_part(run))


def _cases_a_part(run: RunFolder) -> int:
    return max(1, ROWS_A_PART // max(len(run.findings), 1))


def _numbers(values: Sequence[float | None]) -> str:
    return ",".join("" if value is None else str(round(value * DIGITS)) for value in values)


def _place(value: str, values: Sequence[str]) -> str:
    return str(values.index(value)) if value else ""


def _digit(count: int) -> str:
    return "0123456789abcdefghijklmnopqrstuvwxyz"[count]


def _script(content: object) -> str:
    return f"heatproof.worklist({json.dumps(content, ensure_ascii=True, separators=(',', ':'))});\n"
