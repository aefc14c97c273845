"""Case: read and score the external maps of one image in a worker, without torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pipeline.annotations import read_annotation
from pipeline.cases.case import finish_case
from pipeline.cases.protocol import Protocol
from pipeline.errors import CaseError
from pipeline.external_maps.formats import read_heatmap
from pipeline.external_maps.matching import MatchedMaps
from pipeline.external_maps.plan import ScorePlan
from pipeline.geometry import resized, whole
from pipeline.ground_truth.matching import Truth
from pipeline.records import (
    AnnotationItem,
    DecodedCase,
    ExplainedCase,
    Heatmap,
    HeatmapItem,
    Labels,
    Prediction,
    Shape,
    Skipped,
)

SURE = 1 - 2.0**-53
"""Largest probability below 1; probabilities are clipped to it so that logits are finite."""


@dataclass(frozen=True, slots=True)
class ScoringTask:
    """One decoded image with its maps, annotations and labels."""

    decoded: DecodedCase
    """The decoded image."""
    maps: tuple[HeatmapItem, ...]
    """Its external maps, not yet read."""
    items: tuple[AnnotationItem, ...]
    """Its annotations, not yet read."""
    labels: Labels
    """Its image-level labels."""

    @property
    def case_id(self) -> str:
        """The image's pseudonym."""
        return self.decoded.case_id


@dataclass(frozen=True, slots=True)
class ScoringContext:
    """The settings that are the same for all images."""

    protocol: Protocol
    """How contours are drawn and scored."""
    findings: tuple[str, ...]
    """The findings that are scored."""
    expected: frozenset[tuple[str, str]]
    """(method, finding) with at least one map in the study set."""
    operating_point: float
    """Probability from which a finding counts as predicted."""


def with_maps(
    decoded: Iterator[DecodedCase | Skipped], maps: MatchedMaps, truth: Truth
) -> Iterator[ScoringTask | Skipped]:
    """Each decoded image with its maps and annotations; skipped images are passed on."""
    for case in decoded:
        if isinstance(case, Skipped):
            yield case
        else:
            case_id = case.case_id
            yield ScoringTask(case, maps.items[case_id], truth.items.get(case_id, ()), truth.labels[case_id])


def draw_and_score_maps(plan: ScorePlan, protocol: Protocol) -> partial[Skipped | None]:
    """The function that a worker calls with each task: read, draw and score the maps, and store the case."""
    context = ScoringContext(protocol, plan.findings, plan.expected, plan.config.heatmaps.operating_point)
    return partial(score_task, context=context)


def score_task(task: ScoringTask | Skipped, *, context: ScoringContext) -> Skipped | None:
    """Draw, score and store one image; returns the reason if it is skipped. Raises CaseError."""
    case = task if isinstance(task, Skipped) else explained_case(task, context)
    return finish_case(case, protocol=context.protocol)


def explained_case(task: ScoringTask, context: ScoringContext) -> ExplainedCase | Skipped:
    """The image with its readable maps; an image without any is skipped."""
    heatmaps: list[Heatmap] = []
    skipped: list[Skipped] = []
    for item in task.maps:
        try:
            heatmaps.append(_heatmap(item, task.case_id, task.decoded.shape))
        except CaseError as error:
            message = f"{item.finding}, {item.method}: {error.message}"
            skipped.append(Skipped(task.case_id, "heatmaps", error.reason, message))
    if not heatmaps:
        return replace(skipped[0], stage="explain")
    return ExplainedCase(
        decoded=task.decoded,
        predictions=tuple(_predictions(task, context)),
        heatmaps=tuple(heatmaps),
        items=task.items,
        labels=task.labels,
        findings=context.findings,
        expected=context.expected,
        skipped=tuple(skipped),
    )


def _heatmap(item: HeatmapItem, case_id: str, shape: Shape) -> Heatmap:
    """The map on its own grid, which covers the whole image unless the file says where it lies.

    Contours of a SEG become a map of 0 and 1. Raises CaseError.
    """
    if item.contours is not None:
        segments = read_annotation(item.contours, case_id=case_id, finding=item.finding, shape=shape)
        union = np.zeros(shape, np.bool_)
        for mask in segments.masks:
            union |= mask
        return Heatmap(case_id, item.finding, item.method, union.astype(np.float32), "contour", whole(shape))
    relevance = read_heatmap(item, shape=shape)
    rows, columns = relevance.shape
    placement = item.placement or resized(whole(shape), (rows, columns))
    if (placement.model_shape, placement.image_shape) != ((rows, columns), shape):
        raise CaseError(
            "heatmap_unreadable",
            "The grid that the map states is not that of its values and of the image; export it again.",
        )
    return Heatmap(case_id, item.finding, item.method, relevance, "relative", placement)


def _predictions(task: ScoringTask, context: ScoringContext) -> Iterator[Prediction]:
    """Predictions of the findings with a known probability, in the order of the findings."""
    known = {item.finding: item for item in task.maps if item.probability is not None}
    for finding in context.findings:
        if finding in known:
            item = known[finding]
            probability = item.probability or 0.0
            clipped = min(max(probability, 1 - SURE), SURE)
            logit = math.log(clipped / (1 - clipped))
            threshold = context.operating_point if item.operating_point is None else item.operating_point
            yield Prediction(task.case_id, finding, logit, probability, threshold)
