"""Trying: every rule and threshold on the maps of one image, in a worker process. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np

from pipeline.contours import RULES
from pipeline.contours.drawing import LOWEST_LEVEL, draw
from pipeline.contours.flatness import is_flat
from pipeline.contracts import Scored
from pipeline.geometry import place
from pipeline.joints.drawn import Cut, Explained, Protocol, said_of, scaled
from pipeline.metrics.pixels import LEVELS
from pipeline.metrics.scoring import scores_of
from pipeline.records import Heatmap, Intensity, Mask, Reference, Skipped

PERCENTILES = (50.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 92.5, 95.0, 97.5, 99.0)
THRESHOLDS: dict[str, tuple[float, ...]] = {"fraction": LEVELS, "otsu": (0.5,), "percentile": PERCENTILES}
"""Rule → what is tried; Otsu's number is not used. Rules in a map's own unit have no thresholds to try."""
METRICS = {"mask": "iou", "box": "box_iou"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule with its threshold."""

    rule: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Overlaps:
    """How well each candidate's contours fit what one reader drew of one finding on one image."""

    finding: str
    kind: Literal["mask", "box"]
    ious: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability of a finding on one image, and whether it is there."""

    finding: str
    probability: float
    present: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What one image tells."""

    patient: str
    overlaps: tuple[Overlaps, ...]
    chances: tuple[Chance, ...]


@dataclass(frozen=True, slots=True)
class Trying:
    """What is the same for all images."""

    protocol: Protocol
    method: str
    candidates: Sequence[Candidate]


def candidates_of(rules: Sequence[str], own: Sequence[Cut]) -> tuple[Candidate, ...]:
    """The config's own cuts first, so that they win ties, then every threshold of every rule."""
    tried = [Candidate(rule, threshold) for rule in rules for threshold in THRESHOLDS[rule]]
    return tuple(dict.fromkeys([*(Candidate(cut.rule, cut.threshold) for cut in own), *tried]))


def try_cuts(work: Explained | Skipped, *, trying: Trying) -> Tried | Skipped:
    """Every candidate on the method's maps of an image, whether or not the gate is open."""
    if isinstance(work, Skipped):
        return work
    protocol = trying.protocol
    said = said_of(work, protocol)
    maps = {h.finding: scaled(h, protocol.scaling) for h in work.heatmaps if h.method == trying.method}
    shown = [reference for reference in said.references if reference.masks or reference.boxes]
    overlaps = tuple(_overlaps(reference, maps[reference.finding], work, trying) for reference in shown)
    return Tried(work.loaded.case.patient_id, overlaps, tuple(_chances(work, said.references)))


def _overlaps(reference: Reference, heatmap: Heatmap, work: Explained, trying: Trying) -> Overlaps:
    protocol = trying.protocol
    plain = not (protocol.minimum_area_px or protocol.minimum_area_mm2)
    if reference.kind == "mask" and plain and not protocol.cut_of(reference.finding).filled:
        found = overlaps_of_levels(heatmap, reference.masks, trying.candidates)
    else:
        found = tuple(_iou(candidate, reference, heatmap, work, protocol) for candidate in trying.candidates)
    return Overlaps(reference.finding, reference.kind, found)


def overlaps_of_levels(
    heatmap: Heatmap, masks: Sequence[Mask], candidates: Sequence[Candidate]
) -> tuple[float, ...]:
    """The IoU of each candidate's contours and the masks together, as `draw` makes them, without regions."""
    cells = np.maximum(heatmap.relevance, np.float32(0))
    if is_flat(cells):
        return (0.0,) * len(candidates)
    placed = place(cells, heatmap.placement)
    inside = np.sort(placed[np.logical_or.reduce(masks)])
    everywhere = np.sort(placed, axis=None)
    return tuple(_share(RULES[c.rule](everywhere, c.threshold), inside, everywhere) for c in candidates)


def _share(level: float | None, inside: Intensity, everywhere: Intensity) -> float:
    """IoU from sorted relevance: of the masks' pixels and of all."""
    if level is None:
        return 0.0
    lowest = np.float32(max(level, LOWEST_LEVEL))
    shared, drawn = (len(values) - int(np.searchsorted(values, lowest)) for values in (inside, everywhere))
    return shared / (drawn + len(inside) - shared)


def _iou(
    candidate: Candidate, reference: Reference, heatmap: Heatmap, work: Explained, protocol: Protocol
) -> float:
    """With masks; with boxes the mean over them. A miss is 0."""
    drawing = draw(
        heatmap,
        rule=candidate.rule,
        threshold=candidate.threshold,
        minimum_area_px=protocol.minimum_area_px,
        minimum_area_mm2=protocol.minimum_area_mm2,
        spacing_mm=work.loaded.spacing_mm,
        outlined=False,
        filled=protocol.cut_of(heatmap.finding).filled,
    )
    scored = Scored(drawing, reference, work.loaded.spacing_mm, protocol.tolerances)
    return fmean(
        score.value or 0.0 for score in scores_of(scored, method="", metrics=(METRICS[reference.kind],))
    )


def _chances(work: Explained, references: Sequence[Reference]) -> Iterator[Chance]:
    """By the label; where there is none, by what any reader drew."""
    for prediction in work.predictions:
        of_readers = [bool(r.masks or r.boxes) for r in references if r.finding == prediction.finding]
        label = work.labels.get(prediction.finding)
        if label is not None or of_readers:
            present = any(of_readers) if label is None else bool(label)
            yield Chance(prediction.finding, prediction.probability, present)
