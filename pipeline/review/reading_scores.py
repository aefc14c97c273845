"""Reading scores: what readers marked blind, against the network's contours and against annotations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.cases.readers import as_drawing
from pipeline.errors import CaseError, ConfigError
from pipeline.metrics.scoring import score_drawing
from pipeline.records import Box, Mask, Reference, Score, Shape, Summary
from pipeline.reporting.run_folder import RunFolder
from pipeline.review.decisions import Decisions
from pipeline.review.readings import Reading, reference_of
from pipeline.review.truths import annotated_references, network_reference
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.summaries import columns_of, summarise

NETWORK = ""
"""Reader of the references that are the network's contours."""
POINTING = ("hit", "box_hit", "point_hit")
OVERLAP = ("iou", "box_iou")
ON_HEALTHY = "contour_on_healthy"
"""Metric of images on which the other side says that nothing is there: 1 if the reader marked something."""

ByCase = Mapping[str, Sequence[tuple[str, Reading]]]
"""Case id → (reviewer, reading)."""


@dataclass(frozen=True, slots=True)
class ReadingScore:
    """A mean score of one reviewer's readings, with its interval."""

    reviewer: str
    reader: str
    """Whose annotations they are compared with; empty: the network's contours."""
    summary: Summary


def readings_by_case(run: RunFolder, files: Sequence[Decisions]) -> ByCase:
    """The readings of all reviewers. ConfigError for one that is there twice, or not about this run."""
    found: dict[str, list[tuple[str, Reading]]] = defaultdict(list)
    cases, findings = set(run.case_ids), set(run.findings)
    seen: set[tuple[str, str, str]] = set()
    for decisions in files:
        for reading in decisions.readings:
            key = decisions.reviewer, reading.case_id, reading.finding
            if reading.case_id not in cases or reading.finding not in findings:
                raise _edited(*key, "is of no image and finding of this run")
            if key in seen:
                raise _edited(*key, "is there twice")
            seen.add(key)
            found[reading.case_id].append((decisions.reviewer, reading))
    return found


def score_readings(
    run: RunFolder, readings: ByCase, units: Mapping[str, str], resampling: Resampling
) -> list[ReadingScore]:
    """Scores of each reviewer against the network's first method and against each annotator.

    `units` is case_id → unit that the bootstrap resamples, usually the patient. Points are judged by where
    they lie, boxes by the boxes around lesions, outlines by pixels. Raises ConfigError for marks outside
    their image.
    """
    rows = [
        {
            **{name: getattr(score, name) for name in ("finding", "reader", "method", "metric")},
            "value": np.nan if score.value is None else score.value,
            "undefined_because": score.undefined_because,
            "patient": units[score.case_id],
        }
        for case_id in run.case_ids
        if case_id in readings
        for score in _scores_of_case(run, case_id, readings[case_id])
    ]
    if not rows:
        return []
    summaries = summarise(columns_of(pd.DataFrame(rows)), findings=run.findings, resampling=resampling)
    return [
        ReadingScore(s.method, s.reader, replace(s, method="" if s.reader else run.network or ""))
        for s in sorted(summaries, key=lambda summary: summary.method)
        if s.n
    ]


def _scores_of_case(run: RunFolder, case_id: str, readings: Sequence[tuple[str, Reading]]) -> Iterator[Score]:
    case = run.case(case_id)
    shape = case["rows"], case["columns"]
    annotated = annotated_references(run, case)
    for reviewer, reading in readings:
        try:
            marked = reference_of(reading, reviewer, shape)
        except CaseError as error:
            raise _edited(reviewer, case_id, reading.finding, f"cannot be used ({error.message})") from error
        truths = [reference for reference in annotated if reference.finding == reading.finding]
        if run.network:
            truths = [network_reference(case, reading.finding, run.network), *truths]
        for truth in truths:
            yield from scores_of_reading(marked, truth, shape)


def scores_of_reading(marked: Reference, truth: Reference, shape: Shape) -> list[Score]:
    """Scores of what a reader marked against one truth; `method` is the reader.

    Where the truth is empty, only `contour_on_healthy`: 1 if anything was marked.
    """
    if not truth.lesions:
        about = truth.case_id, truth.finding, truth.reader, marked.reader, ON_HEALTHY
        return [Score(*about, value=float(bool(marked.lesions)))]
    if marked.boxes and truth.masks:
        boxes = tuple(_around(mask) for mask in truth.masks)
        truth = replace(truth, kind="box", masks=(), polygons=(), boxes=(*truth.boxes, *boxes))
    metrics = POINTING if marked.points else (*POINTING, *OVERLAP)
    return score_drawing(as_drawing(marked, shape), truth, method=marked.reader, shape=shape, metrics=metrics)


def _around(mask: Mask) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return Box(left - 0.5, top - 0.5, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)


def _edited(reviewer: str, case_id: str, finding: str, problem: str) -> ConfigError:
    return ConfigError(
        f"decisions of {reviewer}: the reading of {finding!r} on {case_id} {problem}; export them again"
    )
