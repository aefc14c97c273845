"""Unread: the files below the annotations that no run input is, for skipped.csv, with a warning for some."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.annotations.unread import LOUD, Reading, Unread, by_reason, unread_files
from pipeline.cohort.index import Cohort, Pseudonym
from pipeline.contracts import Executor
from pipeline.executors.here import Here
from pipeline.ground_truth.input_notices import Wording, escaped
from pipeline.ground_truth.inputs import FoundItems, FoundLabels
from pipeline.plan import Inputs
from pipeline.records import Notice, Skipped

MOST_LISTED = 200
"""Most files that skipped.csv lists for one reason; the rest is counted."""
STAGE = "unread"
"""Stage of such files in skipped.csv."""


def find_unread(
    plan: Inputs,
    cohort: Cohort,
    items: FoundItems,
    labels: FoundLabels,
    *,
    findings: Sequence[str],
    executor: Executor | None = None,
) -> list[Unread]:
    """The files below the annotations that neither a source, the study folder nor another setting reads.

    `executor` opens them, to say what they are.
    """
    if plan.annotations is None:
        return []
    tables = [table for table in (plan.config.select, plan.config.subgroups.table) if table]
    used = [*items.files, *map(plan.table, tables), *([labels.file] if labels.file else [])]
    used += [Path(case.source.path) for case in cohort.cases]
    reading = Reading(
        {*map(_absolute, used)},
        findings,
        stated=items.stated,
        formats={str(s["format"]) for s in items.sources},
    )
    excluded = {*_excluded(plan, _absolute(plan.annotations))}
    return unread_files(_absolute(plan.annotations), reading, excluded=excluded, executor=executor or Here())


def _excluded(plan: Inputs, annotations: Path) -> Iterator[Path]:
    """Folders and files below the annotations that belong to something else."""
    config = plan.config
    card = getattr(plan, "card", None)
    weights = config.model.parent / card.weights if card and card.weights and config.model else None
    for path in (plan.studies, config.out, config.heatmaps.path, config.model, config.weights, weights):
        if path is not None and not annotations.is_relative_to(_absolute(path)):
            yield _absolute(path)


def _absolute(path: Path) -> Path:
    """The path without "..", so that paths compare; links are kept."""
    return Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow links


def listed(files: Iterable[Unread], pseudonym: Pseudonym) -> tuple[tuple[Skipped, ...], dict[str, str]]:
    """The rows of skipped.csv, and pseudonym → path for the crosswalk; of each reason, the first files."""
    rows: list[Skipped] = []
    names: dict[str, str] = {}
    for (reason, message), found in by_reason(files).items():
        for file in found[:MOST_LISTED]:
            subject = pseudonym("file", STAGE, file.path)
            names[subject] = file.path
            rows.append(Skipped(subject, STAGE, reason, message))
        if len(found) > MOST_LISTED:
            text = f"{len(found) - MOST_LISTED:,} more files: {message}"
            rows.append(Skipped("", STAGE, reason, text))
    return tuple(rows), names


def unread_notices(files: Sequence[Unread]) -> list[Notice]:
    """A warning for each reason for which a file that may have been meant to be read is not."""
    notices = []
    for (reason, why), found in by_reason(files).items():
        if reason in LOUD:
            wording = Wording()
            names = list(dict.fromkeys(_shown(file) for file in found))
            message = escaped(why)
            count = "1 file is" if len(found) == 1 else f"{len(found):,} files are"
            text = f"Below the annotations, {count} not read ({wording.listed(names)}): {message}"
            notices.append(Notice("warning", "annotations.path", text, tuple(wording.names)))
    return notices


def _shown(file: Unread) -> str:
    """The folder of a mask, else the file."""
    folder = file.path.rpartition("/")[0]
    return folder if file.reason == "mask_folder" and folder else file.path
