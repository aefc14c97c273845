"""Survey: one pass over all cases for what the pages must know of the whole run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from pipeline.names import POINTING
from pipeline.records import Shape
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.reporting.subjects import subjects_of

OUTCOMES = {
    "hit": "hit",
    "partly": "partly right",
    "miss": "miss",
    "not_drawn": "present, nothing drawn",
    "false_contour": "absent, contour drawn",
    "clear": "absent, nothing drawn",
    "unjudged": "not annotated",
}
"""What became of one finding on one image: code → words, in the order of the filter. Partly right: contours
overlap, but the peak is outside, or it is inside for some readers alone."""
TOP_QUANTILE = 0.95
"""Of the images' maxima: where a shared colour scale ends, so that one extreme map darkens no other."""
BINS = 10
OVERLAP = 0.1
"""IoU from which a contour that points elsewhere still covers part of the lesion."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finding on one image, as the worklist shows it."""

    case_id: str
    finding: str
    outcome: str
    """A key of `OUTCOMES`."""
    probability: float | None
    positive: bool
    iou: float | None
    """Against masks, mean over readers."""
    box_iou: float | None
    """Against boxes, mean over lesions and readers; never mixed with `iou`."""
    subjects: int = 0
    """What there is to review: contours and missed lesions."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What the pages must know of the whole run."""

    rows: tuple[Row, ...]
    readers: tuple[str, ...]
    """All who annotated, by name: a reader keeps one colour through the report."""
    tops: Mapping[tuple[str, str], float]
    """(method, finding) → upper end of the colour scale shared by all images."""
    grids: Mapping[str, tuple[Shape, ...]]
    """Method → the sizes of its raw maps."""
    histograms: Mapping[tuple[str, str], tuple[int, ...]]
    """(method, finding) → images with IoU exactly 0, then with IoU in ten equal steps up to 1."""
    dropped: Mapping[tuple[str, str], int]
    """(method, finding) → regions left out because they were smaller than the minimum area."""
    frames: tuple[tuple[int, ...], ...] = ()
    """The cases that are frames of one object, by their number in the run, in the order of frames."""
    attributes: tuple[Mapping[str, str], ...] = ()
    """Of each image, in the order of the run."""
    cautions: tuple[tuple[str, str, str], ...] = ()
    """Case id, reason and message of what a reader of a case should know."""


def survey(run: RunFolder) -> Survey:
    """The survey of a run, case by case."""
    rows: list[Row] = []
    readers: set[str] = set()
    maxima: dict[tuple[str, str], list[float]] = defaultdict(list)
    grids: dict[str, set[Shape]] = defaultdict(set)
    histograms: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (BINS + 1))
    dropped: Counter[tuple[str, str]] = Counter()
    frames: dict[str, list[tuple[int, int]]] = defaultdict(list)
    attributes: list[Mapping[str, str]] = []
    cautions: list[tuple[str, str, str]] = []
    for number, case_id in enumerate(run.case_ids):
        case = run.case(case_id)
        attributes.append(case["attributes"])
        if case["object_id"]:
            frames[case["object_id"]].append((case["frame"], number))
        rows.extend(worklist_row(case, finding, run.network) for finding in run.findings)
        readers.update(reference["reader"] for reference in case["references"])
        cautions += [(case_id, entry["reason"], entry["message"]) for entry in case.get("cautions", ())]
        _count_iou(case, histograms)
        for entry in case["dropped"]:
            dropped[entry["method"], entry["finding"]] += entry["count"]
        for entry in case["maps"]:
            maxima[entry["method"], entry["finding"]].append(entry["maximum"])
            rows_of_grid, columns_of_grid = entry["grid"]
            grids[entry["method"]].add((rows_of_grid, columns_of_grid))
    return Survey(
        rows=tuple(rows),
        readers=tuple(sorted(readers)),
        tops={key: float(np.quantile(values, TOP_QUANTILE)) for key, values in maxima.items()},
        grids={method: tuple(sorted(shapes)) for method, shapes in grids.items()},
        histograms={key: tuple(counts) for key, counts in histograms.items()},
        dropped=dict(dropped),
        frames=tuple(
            tuple(number for _, number in sorted(found)) for found in frames.values() if len(found) > 1
        ),
        attributes=tuple(attributes),
        cautions=tuple(cautions),
    )


def worklist_row(case: Case, finding: str, method: str | None) -> Row:
    """How the network fared with one finding on one image."""
    prediction = next((p for p in case["predictions"] if p["finding"] == finding), None)
    return Row(
        case_id=case["case_id"],
        finding=finding,
        outcome=outcome(case, finding, method),
        probability=prediction and prediction["probability"],
        positive=bool(prediction and prediction["probability"] >= prediction["threshold"]),
        iou=_mean(values(case, finding, method, "iou")),
        box_iou=_mean(values(case, finding, method, "box_iou")),
        subjects=len(subjects_of(case, finding, method)),
    )


def outcome(case: Case, finding: str, method: str | None) -> str:
    """A key of `OUTCOMES`: readers' annotations decide what is there, the label only where there are none."""
    drawn = any((r["finding"], r["method"]) == (finding, method) for r in case["regions"])
    references = [r for r in case["references"] if r["finding"] == finding]
    if any(r["outlines"] or r["boxes"] for r in references):
        overlaps = [value for m in ("iou", "box_iou") for value in values(case, finding, method, m)]
        return _pointing(hits(case, finding, method), overlaps) if drawn else "not_drawn"
    if references or case["labels"].get(finding) == 0:
        return "false_contour" if drawn else "clear"
    return "unjudged"


def hits(case: Case, finding: str, method: str | None) -> list[float]:
    """1 or 0 a reader and kind of annotation, masks before boxes."""
    return [value for metric in POINTING for value in values(case, finding, method, metric)]


def values(case: Case, finding: str, method: str | None, metric: str) -> list[float]:
    """The defined scores of one metric: one a reader, or one a reader and lesion."""
    wanted = (finding, method, metric)
    scores = (s for s in case["scores"] if (s["finding"], s["method"], s["metric"]) == wanted)
    return [score["value"] for score in scores if score["value"] is not None]


def _pointing(pointed: list[float], overlaps: list[float]) -> str:
    if not pointed and not overlaps:
        return "unjudged"
    if not pointed:  # contours without a map
        return "partly" if max(overlaps) >= OVERLAP else "miss"
    if all(pointed):
        return "hit"
    return "partly" if any(pointed) or max(overlaps, default=0) >= OVERLAP else "miss"


def _count_iou(case: Case, histograms: dict[tuple[str, str], list[int]]) -> None:
    for score in case["scores"]:
        if score["metric"] == "iou" and score["value"] is not None:
            step = int(np.ceil(round(score["value"] * BINS, 9)))
            histograms[score["method"], score["finding"]][step] += 1


def _mean(numbers: list[float]) -> float | None:
    return fmean(numbers) if numbers else None
