"""Sweep: try every rule and threshold on the maps of one image, in a worker, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from pipeline.cases.protocol import Protocol
from pipeline.cases.scores import references_of
from pipeline.contours import RULES
from pipeline.contours.drawing import LOWEST_LEVEL, draw
from pipeline.contours.flatness import is_flat
from pipeline.contours.scaling import scaled
from pipeline.contracts import Scored
from pipeline.geometry import resample_to_image
from pipeline.metrics.scoring import scores_of
from pipeline.records import (
    ContourRule,
    ExplainedCase,
    Heatmap,
    Intensity,
    Kind,
    Mask,
    Reference,
    Skipped,
    scored_as,
)

METRICS: Mapping[Kind, str] = {"mask": "iou", "box": "box_iou"}
"""Kind of reference → metric to maximise; points have no extent, so they are not used."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A threshold rule with its threshold."""

    rule: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Overlaps:
    """IoU of each candidate's contours with one reader's annotation of one finding on one image."""

    finding: str
    kind: Kind
    ious: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GateSample:
    """The predicted probability of a finding on one image, and whether the finding is present."""

    finding: str
    probability: float
    present: bool


@dataclass(frozen=True, slots=True)
class SweptCase:
    """Results of the sweep on one image."""

    patient: str
    overlaps: tuple[Overlaps, ...]
    gate_samples: tuple[GateSample, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Settings of the sweep, shared by all images."""

    protocol: Protocol
    method: str
    candidates: Sequence[Candidate]


def candidate_thresholds(rules: Sequence[str], own: Sequence[ContourRule]) -> tuple[Candidate, ...]:
    """The configured rules first, so that they win ties, then every threshold of every rule."""
    tried = [Candidate(rule, threshold) for rule in rules for threshold in RULES[rule].tuned_over]
    return tuple(dict.fromkeys([*(Candidate(rule.rule, rule.threshold) for rule in own), *tried]))


def sweep_thresholds(case: ExplainedCase | Skipped, *, sweep: Sweep) -> SweptCase | Skipped:
    """The overlap of every candidate on one image, ignoring the gate."""
    if isinstance(case, Skipped):
        return case
    protocol = sweep.protocol
    readings = references_of(case, protocol)
    maps = {h.finding: scaled(h, protocol.scaling) for h in case.heatmaps if h.method == sweep.method}
    positive = [r for r in readings.references if r.lesions and scored_as(r.kind) in METRICS]
    overlaps = tuple(_overlaps(reference, maps[reference.finding], case, sweep) for reference in positive)
    return SweptCase(case.decoded.case.patient_id, overlaps, tuple(_gate_samples(case, readings.references)))


def _overlaps(reference: Reference, heatmap: Heatmap, case: ExplainedCase, sweep: Sweep) -> Overlaps:
    protocol = sweep.protocol
    keeps_all_regions = not (protocol.minimum_area_px or protocol.minimum_area_mm2)
    if reference.masks and keeps_all_regions and not protocol.rule_for(reference.finding).filled:
        found = overlaps_of_levels(heatmap, reference.masks, sweep.candidates)
    else:
        found = tuple(_iou(candidate, reference, heatmap, case, protocol) for candidate in sweep.candidates)
    return Overlaps(reference.finding, scored_as(reference.kind), found)


def overlaps_of_levels(
    heatmap: Heatmap, masks: Sequence[Mask], candidates: Sequence[Candidate]
) -> tuple[float, ...]:
    """IoU of each candidate's contours with the union of the masks; the same as with `draw`, but faster."""
    cells = np.maximum(heatmap.relevance, np.float32(0))
    if is_flat(cells):
        return (0.0,) * len(candidates)
    placed = resample_to_image(cells, heatmap.placement)
    inside = np.sort(placed[np.logical_or.reduce(masks)])
    everywhere = np.sort(placed, axis=None)
    return tuple(
        _iou_at_level(RULES[c.rule].level(everywhere, c.threshold), inside, everywhere) for c in candidates
    )


def _iou_at_level(level: float | None, inside: Intensity, everywhere: Intensity) -> float:
    """IoU from the sorted relevance of the masks' pixels (`inside`) and of all pixels (`everywhere`)."""
    if level is None:
        return 0.0
    lowest = np.float32(max(level, LOWEST_LEVEL))
    shared, area = (len(values) - int(np.searchsorted(values, lowest)) for values in (inside, everywhere))
    return shared / (area + len(inside) - shared)


def _iou(
    candidate: Candidate, reference: Reference, heatmap: Heatmap, case: ExplainedCase, protocol: Protocol
) -> float:
    """IoU with the masks, or the mean IoU over the boxes; 0 for a missed lesion."""
    drawing = draw(
        heatmap,
        rule=candidate.rule,
        threshold=candidate.threshold,
        minimum_area_px=protocol.minimum_area_px,
        minimum_area_mm2=protocol.minimum_area_mm2,
        spacing_mm=case.decoded.spacing_mm,
        outlined=False,
        filled=protocol.rule_for(heatmap.finding).filled,
    )
    scored = Scored(drawing, reference, case.decoded.spacing_mm, protocol.tolerances)
    return fmean(
        score.value or 0.0
        for score in scores_of(scored, method="", metrics=(METRICS[scored_as(reference.kind)],))
    )


def _gate_samples(case: ExplainedCase, references: Sequence[Reference]) -> Iterator[GateSample]:
    """One sample per finding with a label, or else with a reader; present if labelled or annotated so."""
    for prediction in case.predictions:
        annotated = [bool(r.lesions) for r in references if r.finding == prediction.finding]
        label = case.labels.get(prediction.finding)
        if label is not None or annotated:
            present = any(annotated) if label is None else bool(label)
            yield GateSample(prediction.finding, prediction.probability, present)
