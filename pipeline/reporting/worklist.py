"""Worklist: one row per image with its findings, in scripts that the browser loads while it draws."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting import words
from pipeline.reporting.outcomes import OUTCOMES, RANK
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Row, Survey
from pipeline.reporting.worklist_facts import TECHNICAL, Facts, choice, choices, described, facts_of

SKIPPED = ("skipped", "skipped: not audited", "The image could not be read, explained or scored.")
"""Outcome of images that were skipped: code, text and meaning."""
FIRST_IMAGES = 10
"""Number of images in the page itself, for browsers without scripts; the scripts add all."""
ROWS_PER_PART = 40_000
"""Findings of images per script, about 500 kB: the browser parses one script while it loads the next."""
DIGITS = 10_000
"""Factor by which numbers between 0 and 1 are written as whole numbers."""
COLUMNS = (
    ("case", "Case", "name"),
    ("outcome", "Outcome", "outcome-cell"),
    ("", "Finding", "finding"),
    ("probability", "Probability", "number probability"),
    ("iou", "IoU", "number"),
    ("box", "Box IoU", "number box"),
    ("hit", "Hit", "number hit"),
    ("", "Reviewed", "number reviewed"),
)
"""Column by which the list can be sorted, or empty; heading; classes."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image in the page itself."""

    case_id: str
    facts: str
    rows: tuple[Row, ...]
    """Its findings, worst first."""


def worklist(run: RunFolder, surveyed: Survey) -> dict[str, Any]:
    """The variables of worklist.html: the images that it shows without scripts, and the scripts' names."""
    counts = Counter(row.outcome for row in surveyed.rows)
    has_boxes, has_peaks = (
        any(getattr(row, name) is not None for row in surveyed.rows) for name in ("box_iou", "hit")
    )
    optional = {"box": has_boxes, "hit": has_peaks}
    return {
        "columns": [column for column in COLUMNS if optional.get(column[0], True)],
        "images": _first_images(run, surveyed),
        "image_count": len(run.case_ids),
        "has_boxes": has_boxes,
        "has_peaks": has_peaks,
        "outcomes": OUTCOMES,
        "legend": [(code, outcome, counts[code]) for code, outcome in OUTCOMES.items()],
        "others": len({entry.subject for entry in run.skipped if words.skipped_kind(entry.stage) != "image"}),
        "scripts": [f"worklist-{number}" for number in range(1, len(_starts(run)) + 1)],
    }


def worklist_scripts(run: RunFolder, surveyed: Survey) -> Iterator[tuple[str, str]]:
    """Name and text of each script: first the data that all images share, then some images each."""
    starts = _starts(run)
    facts = facts_of(run, surveyed)
    attributes = choices(facts)
    yield "worklist-data.js", _script(_shared(run, attributes, parts=len(starts)))
    for number, start in enumerate(starts, start=1):
        end = start + _cases_per_part(run)
        yield f"worklist-{number}.js", _script(_part(run, surveyed, facts, attributes, slice(start, end)))


def badness(row: Row) -> tuple[int, int, int]:
    """Sort key, worst first: outcome, then lowest IoU, then highest probability.

    Of whole numbers, as worklist-rows.js has them, so that both sort alike.
    """
    overlap = row.iou if row.iou is not None else row.box_iou
    return RANK[row.outcome], _whole(overlap) or 0, -(_whole(row.probability) or 0)


def _first_images(run: RunFolder, surveyed: Survey) -> list[Image]:
    """The worst images, each with its findings, worst first."""
    facts = facts_of(run, surveyed)
    rows, size = surveyed.rows, len(run.findings)
    of_images = [
        sorted(rows[start : start + size], key=badness) for start in range(0, len(rows), max(size, 1))
    ]
    worst = sorted(range(len(of_images)), key=lambda index: badness(of_images[index][0]))
    return [
        Image(run.case_ids[index], described(facts[index]), tuple(of_images[index]))
        for index in worst[:FIRST_IMAGES]
    ]


def _shared(run: RunFolder, attributes: Mapping[str, Sequence[str]], *, parts: int) -> dict[str, Any]:
    return {
        "run_id": run.manifest["run_id"],
        "findings": run.findings,
        "outcomes": [*((code, entry.text, entry.meaning) for code, entry in OUTCOMES.items()), SKIPPED],
        "quiet": [index for index, entry in enumerate(OUTCOMES.values()) if entry.is_quiet],
        "attributes": [
            [name, words.spaced(name), values, int(name in TECHNICAL)] for name, values in attributes.items()
        ],
        "skipped": _skipped_images(run),
        "parts": parts,
    }


def _part(
    run: RunFolder,
    surveyed: Survey,
    facts: Sequence[Facts],
    attributes: Mapping[str, Sequence[str]],
    cases: slice,
) -> dict[str, Any]:
    """Columns as text: one letter or digit per finding, or whole numbers between commas, empty if unknown."""
    size = len(run.findings)
    rows = surveyed.rows[cases.start * size : cases.stop * size]
    codes = {code: chr(ord("a") + index) for code, index in RANK.items()}
    texts = [described(case_facts) for case_facts in facts[cases]]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return {
        "cases": run.case_ids[cases],
        "facts": list(numbers),
        "fact": ",".join(str(numbers[text]) for text in texts),
        "outcome": "".join(codes[row.outcome] for row in rows),
        "positive": "".join(str(int(row.positive)) for row in rows),
        "probability": _numbers([row.probability for row in rows]),
        "hit": _numbers([row.hit for row in rows]),
        "iou": _numbers([row.iou for row in rows]),
        "box": _numbers([row.box_iou for row in rows]),
        "attributes": [
            ",".join(_index(choice(name, case_facts), values) for case_facts in facts[cases])
            for name, values in attributes.items()
        ],
    }


def _skipped_images(run: RunFolder) -> list[tuple[str, str]]:
    """Pseudonym and reason of each image that was skipped; files that are no images are none."""
    audited = set(run.case_ids)
    images = (entry for entry in run.skipped if words.skipped_kind(entry.stage) == "image")
    found = {entry.subject: entry.reason for entry in images if entry.subject not in audited}
    return [(subject, words.reason(reason)) for subject, reason in found.items()]


def _starts(run: RunFolder) -> range:
    return range(0, len(run.case_ids), _cases_per_part(run))


def _cases_per_part(run: RunFolder) -> int:
    return max(1, ROWS_PER_PART // max(len(run.findings), 1))


def _numbers(values: Sequence[float | None]) -> str:
    return ",".join("" if value is None else str(_whole(value)) for value in values)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value * DIGITS)


def _index(value: str, values: Sequence[str]) -> str:
    return str(values.index(value)) if value else ""


def _script(content: object) -> str:
    return f"heatproof.worklist({json.dumps(content, ensure_ascii=True, separators=(',', ':'))});\n"
