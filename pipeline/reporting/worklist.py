"""Worklist: one row per finding and image, in scripts that the browser can load while it draws the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import OUTCOMES, Survey
from pipeline.run_files.objects import read_object
from pipeline.run_files.shapes import Groups

Facts: TypeAlias = Mapping[str, str]

SKIPPED = ("skipped", "skipped: not audited")
"""Outcome of images that were skipped: code and words."""
FIRST_ROWS = 20
"""Number of rows in the page itself, for browsers without scripts; the scripts add all rows."""
ROWS_PER_PART = 40_000
"""Rows per script, about 500 kB: the browser parses one script while it loads the next."""
CHOICES = 60
"""Most values of an attribute that is offered as a filter."""
DIGITS = 10_000
"""Factor by which numbers between 0 and 1 are written as whole numbers."""
DECADE = 10


def worklist(run: RunFolder, surveyed: Survey) -> dict[str, Any]:
    """The variables of worklist.html: the rows that it shows without scripts, and the scripts' names."""
    return {
        "rows": surveyed.rows[:FIRST_ROWS],
        "row_count": len(surveyed.rows),
        "has_boxes": any(row.box_iou is not None for row in surveyed.rows),
        "outcomes": OUTCOMES,
        "scripts": [f"worklist-{number}" for number in range(1, len(_starts(run)) + 1)],
    }


def worklist_scripts(run: RunFolder, surveyed: Survey) -> Iterator[tuple[str, str]]:
    """Name and text of each script: first the data that all rows share, then the rows of some cases each."""
    starts = _starts(run)
    facts = _facts(run, surveyed)
    attributes = _attributes(facts)
    yield "worklist-data.js", _script(_shared(run, attributes, parts=len(starts)))
    for number, start in enumerate(starts, start=1):
        end = start + _cases_per_part(run)
        yield f"worklist-{number}.js", _script(_part(run, surveyed, facts, attributes, slice(start, end)))


def _shared(run: RunFolder, attributes: Mapping[str, Sequence[str]], *, parts: int) -> dict[str, Any]:
    return {
        "run_id": run.manifest["run_id"],
        "findings": run.findings,
        "outcomes": [*OUTCOMES.items(), SKIPPED],
        "attributes": [[name, words.spaced(name), values] for name, values in attributes.items()],
        "skipped": _skipped(run),
        "parts": parts,
    }


def _part(
    run: RunFolder,
    surveyed: Survey,
    facts: Sequence[Facts],
    attributes: Mapping[str, Sequence[str]],
    cases: slice,
) -> dict[str, Any]:
    """Columns as text: one letter or digit per row, or comma-separated whole numbers, empty if unknown."""
    size = len(run.findings)
    rows = surveyed.rows[cases.start * size : cases.stop * size]
    codes = {code: chr(ord("a") + index) for index, code in enumerate(OUTCOMES)}
    return {
        "cases": run.case_ids[cases],
        "outcome": "".join(codes[row.outcome] for row in rows),
        "positive": "".join(str(int(row.positive)) for row in rows),
        "probability": _numbers([row.probability for row in rows]),
        "iou": _numbers([row.iou for row in rows]),
        "box": _numbers([row.box_iou for row in rows]),
        "attributes": [
            ",".join(_index(_value(name, case_facts), values) for case_facts in facts[cases])
            for name, values in attributes.items()
        ],
    }


def _facts(run: RunFolder, surveyed: Survey) -> list[Facts]:
    """Attributes of each image, its first warning, and its groups from the config's subgroups.table."""
    path = run.path / "groups.json"
    groups = read_object(path, Groups) if path.exists() else {}  # runs of older versions have no such file
    warned = {
        case_id: {"warning": words.reason(reason)} for case_id, reason, _ in reversed(surveyed.cautions)
    }
    return [
        {
            **attributes,
            **warned.get(case_id, {}),
            **{name: values[case_id] for name, values in groups.items() if case_id in values},
        }
        for case_id, attributes in zip(run.case_ids, surveyed.attributes, strict=True)
    ]


def _attributes(facts: Sequence[Facts]) -> dict[str, tuple[str, ...]]:
    """Attribute → its values, for attributes with at least two and at most `CHOICES` values."""
    names = dict.fromkeys(name for case_facts in facts for name in case_facts)
    found = {name: {_value(name, case_facts) for case_facts in facts} for name in names}
    return {
        name: tuple(sorted(values - {""})) for name, values in found.items() if 1 < len(values) <= CHOICES
    }


def _value(name: str, facts: Facts) -> str:
    """The value of an attribute as the filter shows it; ages (DICOM: "054Y") by decades."""
    value = facts.get(name, "")
    years = re.fullmatch(r"(\d{3})Y", value) if name == "age" else None
    if not years:
        return value
    decade = int(years[1]) // DECADE * DECADE
    return f"{decade}–{decade + DECADE - 1}"


def _skipped(run: RunFolder) -> list[tuple[str, str]]:
    """Pseudonym and reason of each skipped input that has no page."""
    audited = set(run.case_ids)
    found = {entry.subject: entry.reason for entry in run.skipped if entry.subject not in audited}
    return [(subject, words.reason(reason)) for subject, reason in found.items()]


def _starts(run: RunFolder) -> range:
    return range(0, len(run.case_ids), _cases_per_part(run))


def _cases_per_part(run: RunFolder) -> int:
    return max(1, ROWS_PER_PART // max(len(run.findings), 1))


def _numbers(values: Sequence[float | None]) -> str:
    return ",".join("" if value is None else str(round(value * DIGITS)) for value in values)


def _index(value: str, values: Sequence[str]) -> str:
    return str(values.index(value)) if value else ""


def _script(content: object) -> str:
    return f"heatproof.worklist({json.dumps(content, ensure_ascii=True, separators=(',', ':'))});\n"
