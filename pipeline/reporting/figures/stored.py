"""Stored: the maps, contours and annotations of one finding on one image, from the files of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import resized, whole
from pipeline.records import Heatmap, Intensity, Placement
from pipeline.reporting.figure import READER_COLOURS, entries_of
from pipeline.reporting.run_folder import Case, Method, RunFolder
from pipeline.run_files.arrays import read_map, read_maps
from pipeline.run_files.damage import damaged

Outline: TypeAlias = NDArray[np.float64]
"""(n, 2): x, y in image coordinates; (0, 0) is the centre of the top left pixel."""
HALF_CELL = ((0.5, 0.5), (0.5, 0.5))


@dataclass(frozen=True, slots=True)
class Contours:
    """What was drawn from a map."""

    outlines: tuple[Outline, ...] = ()
    peak: tuple[float, float] | None = None
    """(x, y)."""


Draw: TypeAlias = Callable[[Heatmap, Case], Contours]
"""Draws contours that a run does not store: those of baselines, by the run's rule."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's annotation of a finding."""

    reader: str
    colour: int
    """Index of the reader's colour."""
    outlines: tuple[Outline, ...]
    points: tuple[tuple[float, float], ...]

    @property
    def is_there(self) -> bool:
        """Whether the reader says that the finding is present."""
        return bool(self.outlines or self.points)


def stored_map(run: RunFolder, case: Case, finding: str, method: str) -> Heatmap | None:
    """The raw map of a finding by a method, with its place on the image; None if the run stores none."""
    placement = placement_of(case, finding, method)
    if placement is not None:
        path = run.case_folder(case["case_id"]) / "heatmaps.npz"
        cells = read_map(path, f"{method}/{finding}")
        if cells is None or cells.shape != placement.model_shape:
            raise damaged(path, f"holds no map '{method}/{finding}' of the size that case.json states")
        return _heatmap(run, case, finding, method, cells, placement)
    shared = _baseline(run, finding, method)
    if shared is None:
        return None
    rows, columns = shared.shape
    image = whole((case["rows"], case["columns"]))
    return _heatmap(run, case, finding, method, shared, resized(image, (rows, columns)))


def heatmaps_of(case: Case, maps: Mapping[str, Intensity]) -> list[Heatmap]:
    """The maps of a case in the order of its JSON; `maps`: "method/finding" → cells.

    For drawing: `unit` is "relative" for all, also for maps in logits, because case.json does not state it.
    """
    shape = case["rows"], case["columns"]
    return [
        Heatmap(
            case_id=case["case_id"],
            finding=entry["finding"],
            method=entry["method"],
            relevance=maps[f"{entry['method']}/{entry['finding']}"],
            unit="relative",
            placement=_placement(entry, shape),
        )
        for entry in case["maps"]
    ]


def placement_of(case: Case, finding: str, method: str | None) -> Placement | None:
    """The place of a map on the image; None if the case has no map of its own, or none that is placed."""
    entries = entries_of(case.get("maps", ()), finding, method)
    is_placed = bool(entries) and entries[0].keys() >= {"scale", "offset"}
    return _placement(entries[0], (case["rows"], case["columns"])) if is_placed else None


def readings(case: Case, finding: str, readers: tuple[str, ...]) -> tuple[Reading, ...]:
    """Each reader's annotation of a finding, in the order of the run's `readers`."""
    found = [
        Reading(
            reader=entry["reader"],
            colour=readers.index(entry["reader"]) % READER_COLOURS,
            outlines=(*_outlines(entry["outlines"]), *map(_corners, entry["boxes"])),
            points=tuple((x, y) for x, y in entry.get("points", ())),
        )
        for entry in case["references"]
        if entry["finding"] == finding
    ]
    return tuple(sorted(found, key=lambda reading: readers.index(reading.reader)))


def contours_of(
    run: RunFolder, case: Case, heatmap: Heatmap | None, where: tuple[str, Method], draw: Draw
) -> Contours:
    """The contours of `where`, finding and method: those of the run, or of a baseline drawn by its rule."""
    finding, method = where
    if method.is_baseline and heatmap is not None:
        return draw(heatmap, case) if gate_is_open(run, case, finding) else Contours()
    regions = entries_of(case["regions"], finding, method.name)
    peaks = entries_of(case.get("peaks", ()), finding, method.name)
    return Contours(
        outlines=tuple(line for region in regions for line in _outlines(region["outlines"])),
        peak=(peaks[0]["x"], peaks[0]["y"]) if peaks and gate_is_open(run, case, finding) else None,
    )


def gate_is_open(run: RunFolder, case: Case, finding: str) -> bool:
    """Whether the run drew contours of a finding on an image."""
    rule = run.rules.get(finding)
    if rule is None or rule["gate"] == "all":
        return True
    predicted = any(
        entry["probability"] >= (entry["threshold"] if rule["probability"] is None else rule["probability"])
        for entry in case["predictions"]
        if entry["finding"] == finding
    )
    return predicted or (rule["gate"] == "annotated" and is_annotated(case, finding))


def is_annotated(case: Case, finding: str) -> bool:
    """Whether any reader says that the finding is present."""
    return any(
        entry["outlines"] or entry["boxes"] or entry.get("points")
        for entry in case["references"]
        if entry["finding"] == finding
    )


def first_finding(run: RunFolder, case: Case) -> str:
    """The finding that a page shows first: annotated, else predicted positive, else the first."""
    predicted = {
        entry["finding"] for entry in case["predictions"] if entry["probability"] >= entry["threshold"]
    }
    annotated = (finding for finding in run.findings if is_annotated(case, finding))
    positive = (finding for finding in run.findings if finding in predicted)
    return next(annotated, None) or next(positive, None) or run.findings[0]


def _heatmap(
    run: RunFolder, case: Case, finding: str, method: str, cells: Intensity, placement: Placement
) -> Heatmap:
    unit: Any = next(known.unit for known in run.methods if known.name == method)
    return Heatmap(case["case_id"], finding, method, cells, unit, placement)


def _placement(entry: dict[str, Any], shape: tuple[int, int]) -> Placement:
    rows, columns = entry["grid"]
    below, right = entry.get("overhang", HALF_CELL)
    return Placement(
        model_shape=(rows, columns),
        image_shape=shape,
        scale=(entry["scale"][0], entry["scale"][1]),
        offset=(entry["offset"][0], entry["offset"][1]),
        overhang=((below[0], below[1]), (right[0], right[1])),
    )


def _baseline(run: RunFolder, finding: str, method: str) -> Intensity | None:
    path = run.path / "baselines.npz"
    maps = read_maps(path) if path.exists() else {}
    return maps.get(f"{method}/{finding}", maps.get(method))


def _outlines(entries: list[list[list[float]]]) -> tuple[Outline, ...]:
    return tuple(np.array(points, np.float64) for points in entries if points)


def _corners(box: list[float]) -> Outline:
    x, y, width, height = box
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float64)
