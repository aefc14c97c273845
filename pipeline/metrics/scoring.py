"""Scoring: one drawing against one reference → the scores of every metric that applies."""

import math
from collections.abc import Iterable, Sequence

from pipeline.contracts import IMAGE_DIAGONAL, Metric, Scored, Undefined
from pipeline.errors import CaseError
from pipeline.metrics import DEFAULT, METRICS
from pipeline.records import Drawing, Kind, Mask, Reference, Score, Shape, Tolerances, scored_as


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
    """One row per metric, or per lesion (numbered from 1) for metrics of level "lesion".

    Metrics that do not apply to this kind of reference have no row. Raises CaseError("mask_size") if the
    drawing or a mask does not have the image's `shape`.
    """
    check_shapes([drawing.mask], shape, of="drawing")
    check_shapes(reference.masks, shape, of="reference mask")
    return scores_of(Scored(drawing, reference, spacing_mm, tolerances), method=method, metrics=metrics)


def scores_of(scored: Scored, *, method: str, metrics: Sequence[str] = DEFAULT) -> list[Score]:
    """The rows of `score_drawing`, without its check of shapes."""
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
        if scored_as(reference.kind) in metric.against
        for lesion, value in _values(metric, scored)
    ]


def score_missing(
    case_id: str,
    finding: str,
    *,
    method: str,
    reader: str,
    reason: Undefined = "not_annotated",
    kind: Kind | None = None,
    metrics: Sequence[str] = DEFAULT,
) -> list[Score]:
    """One undefined row per metric for an image whose annotation is missing.

    `kind` is that of the study set's other references; None gives every metric a row.
    """
    return [
        Score(case_id, finding, reader, method, metric.name, value=None, undefined_because=reason)
        for metric in (METRICS[name] for name in metrics)
        if kind is None or scored_as(kind) in metric.against
    ]


def check_shapes(masks: Iterable[Mask], shape: Shape, *, of: str) -> None:
    """Raise CaseError("mask_size") for a mask that does not have the image's shape; `of` says what it is."""
    for mask in masks:
        if mask.shape != shape:
            found, wanted = (" × ".join(str(n) for n in size) for size in (mask.shape, shape))
            raise CaseError(
                "mask_size",
                f"The {of} has {found} pixels, but the image has {wanted}; "
                "export it on the image's pixel grid.",
            )


def _values(metric: Metric, scored: Scored) -> list[tuple[int | None, float | Undefined]]:
    """(lesion or None, value or the reason why it is undefined), after the metric's policy for emptiness."""
    policy, drawing = metric.emptiness, scored.drawing
    lesions = scored.reference.lesions
    if lesions == 0:
        return [(None, policy.healthy_drawn if drawing.regions else policy.healthy_clear)]
    if _has_what_metric_reads(metric, drawing):
        values = _computed(metric, scored, wanted=lesions if metric.level == "lesion" else 1)
    else:
        values = (_missed(metric, scored),) * (lesions if metric.level == "lesion" else 1)
    if metric.level == "image":
        return [(None, value) for value in values]
    return list(enumerate(values, start=1))


def _computed(metric: Metric, scored: Scored, *, wanted: int) -> tuple[float | Undefined, ...]:
    """The metric's values as plain numbers or reasons.

    Raises CaseError("metric_values") if there are not `wanted` values, or if one is not finite.
    """
    values = tuple(metric.score(scored))
    numbers = [float(value) for value in values if not isinstance(value, str)]
    if len(values) != wanted or not all(map(math.isfinite, numbers)):
        raise CaseError(
            "metric_values",
            f"The metric '{metric.name}' gave {', '.join(map(str, values)) or 'no value'}, wanted {wanted} "
            "numbers or reasons; correct the metric.",
        )
    return tuple(value if isinstance(value, str) else float(value) for value in values)


def _has_what_metric_reads(metric: Metric, drawing: Drawing) -> bool:
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
