"""Survey: collect, in one pass over all cases, the data of the whole run that the pages need."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pipeline.contracts import Executor
from pipeline.records import Shape
from pipeline.reporting.outcomes import hits, mean, outcome_of, readers_differ, values
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.reporting.subjects import Missed, Subject, missed_lesions, subjects_of

TOP_QUANTILE = 0.95
"""Quantile of the images' maxima at which a shared colour scale ends, so that extreme maps do not darken
others."""
BINS = 10
AT_ONCE = 64
"""Cases that a worker reads at a time."""


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


@dataclass(slots=True)
class _Found:
    """What is known of some cases, in their order."""

    rows: list[Row] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)
    maxima: defaultdict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    grids: defaultdict[str, set[Shape]] = field(default_factory=lambda: defaultdict(set))
    histograms: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    frames: list[tuple[str, int]] = field(default_factory=list)
    """Per case: pseudonym of its multi-frame object, or an empty text, and frame."""
    attributes: list[Mapping[str, str]] = field(default_factory=list)
    cautions: list[tuple[str, str, str]] = field(default_factory=list)
    disputed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, case: Case, findings: Sequence[str], method: str | None, missed: Missed) -> None:
        """Add a case."""
        case_id, of_findings = case["case_id"], _by_finding(case, findings)
        self.attributes.append(case["attributes"])
        self.frames.append((case["object_id"], case["frame"]))
        self.rows.extend(worklist_row(part, finding, method, missed) for finding, part in of_findings)
        self.readers.update(reference["reader"] for reference in case["references"])
        self.cautions += [(case_id, entry["reason"], entry["message"]) for entry in case.get("cautions", ())]
        self.disputed += [
            (case_id, finding) for finding, part in of_findings if readers_differ(part, finding)
        ]
        _count_iou(case, self.histograms)
        for entry in case["dropped"]:
            self.dropped[entry["method"], entry["finding"]] += entry["count"]
        for entry in case["maps"]:
            self.maxima[entry["method"], entry["finding"]].append(entry["maximum"])
            rows_of_grid, columns_of_grid = entry["grid"]
            self.grids[entry["method"]].add((rows_of_grid, columns_of_grid))

    def extend(self, other: _Found) -> None:
        """Add the cases of another part."""
        for name in ("rows", "frames", "attributes", "cautions", "disputed"):
            getattr(self, name).extend(getattr(other, name))
        self.readers |= other.readers
        self.dropped.update(other.dropped)
        for key, maxima in other.maxima.items():
            self.maxima[key] += maxima
        for method, shapes in other.grids.items():
            self.grids[method] |= shapes
        for key, counts in other.histograms.items():
            before = self.histograms.get(key, [0] * len(counts))
            self.histograms[key] = [one + more for one, more in zip(before, counts, strict=True)]

    def survey(self) -> Survey:
        """The survey of a run whose cases these are."""
        of_objects: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, (object_id, frame) in enumerate(self.frames):
            if object_id:
                of_objects[object_id].append((frame, number))
        return Survey(
            rows=tuple(self.rows),
            readers=tuple(sorted(self.readers)),
            tops={key: float(np.quantile(values, TOP_QUANTILE)) for key, values in self.maxima.items()},
            grids={method: tuple(sorted(shapes)) for method, shapes in self.grids.items()},
            histograms={key: tuple(counts) for key, counts in self.histograms.items()},
            dropped=dict(self.dropped),
            frames=tuple(
                tuple(number for _, number in sorted(found))
                for found in of_objects.values()
                if len(found) > 1
            ),
            attributes=tuple(self.attributes),
            cautions=tuple(self.cautions),
            disputed=tuple(self.disputed),
        )


class _Part(NamedTuple):
    """Some cases of a run, and the lesions that the network's first method missed on them."""

    case_ids: Sequence[str]
    missed: Missed


def leave(_case: Case) -> None:
    """Do nothing with a case."""


def survey(run: RunFolder, *, visit: Callable[[Case], object] = leave) -> Survey:
    """Read every case of a run once, and call `visit` with each."""
    found = _Found()
    missed = missed_lesions(run)
    for case_id in run.case_ids:
        case = run.case(case_id)
        visit(case)
        found.add(case, run.findings, run.network, missed)
    return found.survey()


def survey_with(executor: Executor, run: RunFolder) -> Survey:
    """The same, of which the executor's workers read the cases."""
    missed, case_ids = missed_lesions(run), run.case_ids
    chunks = (case_ids[start : start + AT_ONCE] for start in range(0, len(case_ids), AT_ONCE))
    parts = (_Part(chunk, {one: missed[one] for one in chunk if one in missed}) for chunk in chunks)
    alone = replace(run, case_ids=(), summaries=(), skipped=(), tables={}, pages=None)
    read = partial(_read_part, run=alone)
    found = _Found()
    for part in executor.stream(read, parts, on_failure=lambda part, _: read(part)):
        found.extend(part)
    return found.survey()


def _read_part(part: _Part, *, run: RunFolder) -> _Found:
    found = _Found()
    for case_id in part.case_ids:
        found.add(run.case(case_id), run.findings, run.network, part.missed)
    return found


def _by_finding(case: Case, findings: Sequence[str]) -> list[tuple[str, Case]]:
    """The case once per finding, with its defined scores alone: searching all for each takes long."""
    scores: dict[str, list[Any]] = {finding: [] for finding in findings}
    for score in case["scores"]:
        if score["value"] is not None:
            scores[score["finding"]].append(score)
    return [(finding, {**case, "scores": scores[finding]}) for finding in findings]


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
            histograms.setdefault((score["method"], score["finding"]), [0] * (BINS + 1))[step] += 1
