"""Survey: collect, in one pass over all cases, the data of the whole run that the pages need."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.records import Shape
from pipeline.reporting.outcomes import hits, mean, outcome_of, readers_differ, values
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.reporting.subjects import Missed, Subject, missed_lesions, subjects_of

TOP_QUANTILE = 0.95
"""Quantile of the images' maxima at which a shared colour scale ends, so that extreme maps do not darken
others."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One finding on one image, as the worklist shows it."""

    case_id: str
    finding: str
    outcome: str
    """A key of `outcomes.OUTCOMES`."""
    probability: float | None
    positive: bool
    iou: float | None
    """IoU with masks, mean over readers."""
    box_iou: float | None
    """IoU with boxes, mean over lesions and readers; never averaged with `iou`."""
    hit: float | None = None
    """Share of the annotations in which the map's peak lies; None without a peak or a lesion."""
    subjects: tuple[Subject, ...] = ()
    """The contours and missed lesions to review."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Data of the whole run that the pages need."""

    rows: tuple[Row, ...]
    readers: tuple[str, ...]
    """Names of all readers, sorted; the index decides a reader's colour."""
    tops: Mapping[tuple[str, str], float]
    """(method, finding) → upper end of the colour scale shared by all images."""
    grids: Mapping[str, tuple[Shape, ...]]
    """Method → sizes (rows, columns) of its raw maps."""
    histograms: Mapping[tuple[str, str], tuple[int, ...]]
    """(method, finding) → number of images with IoU exactly 0, then in ten equal steps up to 1."""
    dropped: Mapping[tuple[str, str], int]
    """(method, finding) → number of regions below the minimum area."""
    frames: tuple[tuple[int, ...], ...] = ()
    """Groups of cases that are frames of one object: their indices in the run, in frame order."""
    attributes: tuple[Mapping[str, str], ...] = ()
    """Attributes of each image, in the order of the run."""
    cautions: tuple[tuple[str, str, str], ...] = ()
    """Case id, reason and message of each warning."""
    disputed: tuple[tuple[str, str], ...] = ()
    """Case id and finding that readers see differently."""


def leave(_case: Case) -> None:
    """Do nothing with a case."""


def survey(run: RunFolder, *, visit: Callable[[Case], object] = leave) -> Survey:
    """Read every case of a run once, and call `visit` with each."""
    rows: list[Row] = []
    readers: set[str] = set()
    maxima: dict[tuple[str, str], list[float]] = defaultdict(list)
    grids: dict[str, set[Shape]] = defaultdict(set)
    histograms: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (BINS + 1))
    dropped: Counter[tuple[str, str]] = Counter()
    frames: dict[str, list[tuple[int, int]]] = defaultdict(list)
    attributes: list[Mapping[str, str]] = []
    cautions: list[tuple[str, str, str]] = []
    disputed: list[tuple[str, str]] = []
    missed = missed_lesions(run)
    for number, case_id in enumerate(run.case_ids):
        case = run.case(case_id)
        visit(case)
        attributes.append(case["attributes"])
        if case["object_id"]:
            frames[case["object_id"]].append((case["frame"], number))
        rows.extend(worklist_row(case, finding, run.network, missed) for finding in run.findings)
        readers.update(reference["reader"] for reference in case["references"])
        cautions += [(case_id, entry["reason"], entry["message"]) for entry in case.get("cautions", ())]
        disputed += [(case_id, finding) for finding in run.findings if readers_differ(case, finding)]
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
        disputed=tuple(disputed),
    )


def worklist_row(case: Case, finding: str, method: str | None, missed: Missed) -> Row:
    """The worklist's row of one finding on one image."""
    prediction = next((p for p in case["predictions"] if p["finding"] == finding), None)
    return Row(
        case_id=case["case_id"],
        finding=finding,
        outcome=outcome_of(case, finding, method),
        probability=prediction and prediction["probability"],
        positive=bool(prediction and prediction["probability"] >= prediction["threshold"]),
        iou=mean(values(case, finding, method, "iou")),
        box_iou=mean(values(case, finding, method, "box_iou")),
        hit=mean(hits(case, finding, method)),
        subjects=tuple(subjects_of(case, finding, method, missed)),
    )


def _count_iou(case: Case, histograms: dict[tuple[str, str], list[int]]) -> None:
    for score in case["scores"]:
        if score["metric"] == "iou" and score["value"] is not None:
            step = int(np.ceil(round(score["value"] * BINS, 9)))
            histograms[score["method"], score["finding"]][step] += 1
