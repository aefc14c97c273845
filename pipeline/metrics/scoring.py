"""Scoring: one drawing against one reference → the scores of every metric that applies."""

import math
from collections.abc import Sequence
from typing import Literal

from pipeline.contracts import IMAGE_DIAGONAL, Drawing, Metric, Scored, Tolerances, Undefined
from pipeline.errors import CaseError
from pipeline.metrics import DEFAULT, METRICS
from pipeline.records import Reference, Score, Shape


def score_drawing(
    drawing: Drawing,
    reference: Reference,
    *,
    method: str,
    shape: Shape,
    spacing_mm: tuple[float, float] | None = None,
    metrics: Sequence[str] = DEFAULT,
    tolerances: Tolerances = Tolerances(),  # noqa: B008  frozen
) -> list[Score]:
    """One row a metric, or one a lesion (numbered from 1) for metrics of single lesions.

    Metrics that are not for this kind of reference have no row. `shape` is the image's; a drawing or mask of
    another one is a CaseError("mask_size").
    """
    _check_shapes(drawing, reference, shape)
    return scores_of(Scored(drawing, reference, spacing_mm, tolerances), method=method, metrics=metrics)


def scores_of(scored: Scored, *, method: str, metrics: Sequence[str] = DEFAULT) -> list[Score]:
    """The rows of a drawing and a reference of one image, as `score_drawing` gives them."""
    reference = scored.reference
    return [
        Score(
            case_id=reference.case_id,
            finding=reference.finding,
            reader=reference.reader,
            method=method,
            metric=metric.name,
            value=None if isinstance(value, str) else value,
            undefined_because=value if isinstance(value, str) else "",
            lesion=lesion,
        )
        for metric in (METRICS[name] for name in metrics)
        if reference.kind in metric.against
        for lesion, value in _values(metric, scored)
    ]


def score_missing(
    case_id: str,
    finding: str,
    *,
    method: str,
    reader: str,
    reason: Undefined = "not_annotated",
    kind: Literal["mask", "box"] | None = None,
    metrics: Sequence[str] = DEFAULT,
) -> list[Score]:
    """One undefined row a metric for an image whose annotation is missing.

    `kind` is that of the study set's other references; None: every metric has its row.
    """
    return [
        Score(case_id, finding, reader, method, metric.name, value=None, undefined_because=reason)
        for metric in (METRICS[name] for name in metrics)
        if kind is None or kind in metric.against
    ]


def _check_shapes(drawing: Drawing, reference: Reference, shape: Shape) -> None:
    for owner, mask in [("drawing", drawing.mask), *(("reference mask", mask) for mask in reference.masks)]:
        if mask.shape != shape:
            found, wanted = (" × ".join(str(n) for n in size) for size in (mask.shape, shape))
            raise CaseError("mask_size", f"the {owner} has {found} pixels, the image {wanted}")


def _values(metric: Metric, scored: Scored) -> list[tuple[int | None, float | Undefined]]:
    """(lesion or None, value or the reason why there is none), as the metric's policy for emptiness says."""
    policy, drawing = metric.emptiness, scored.drawing
    lesions = len(scored.reference.masks) + len(scored.reference.boxes)
    if lesions == 0:
        return [(None, policy.healthy_drawn if drawing.regions else policy.healthy_clear)]
    if _has_what_is_read(metric, drawing):
        values = metric.score(scored)
    else:
        values = (_missed(metric, scored),) * (lesions if metric.level == "lesion" else 1)
    if metric.level == "image":
        return [(None, value) for value in values]
    return list(enumerate(values, start=1))


def _has_what_is_read(metric: Metric, drawing: Drawing) -> bool:
    match metric.reads:
        case "contours":
            return bool(drawing.regions)
        case "peak":
            return drawing.peak is not None
        case "map":
            return drawing.heatmap is not None


def _missed(metric: Metric, scored: Scored) -> float | Undefined:
    if metric.emptiness.missed != IMAGE_DIAGONAL:
        return metric.emptiness.missed
    if scored.spacing_mm is None:
        return "spacing_unknown"
    return math.hypot(*(size * step for size, step in zip(scored.shape, scored.spacing_mm, strict=True)))
