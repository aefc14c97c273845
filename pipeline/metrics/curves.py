"""Curves: IoU over all thresholds, of one image and of a study set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.contracts import Scored
from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.intervals import intervals_of_means
from pipeline.metrics.pixels import LEVELS, iou_curve
from pipeline.records import Curve


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The mean IoU of all images at one threshold."""

    finding: str
    reader: str
    method: str
    level: float
    """Share of each map's maximum from which on pixels are inside."""
    n: int
    patients: int
    estimate: float | None
    low: float | None
    high: float | None


def curve_of(scored: Scored, *, method: str) -> Curve | None:
    """The curve, whether or not the gate is open; None without a map or masks."""
    reference = scored.reference
    if scored.drawing.heatmap is None or not reference.masks:
        return None
    return Curve(reference.case_id, reference.finding, reference.reader, method, iou_curve(scored))


def summarise_curves(
    curves: Iterable[tuple[Curve, str]], *, findings: Sequence[str], resampling: Resampling
) -> list[CurvePoint]:
    """A row a finding, reader, method and level, from each image's curve and its patient.

    One threshold is the same for all images here: the best of these means is what a tuned one can reach.
    """
    of_key: dict[tuple[str, str, str], list[tuple[Curve, str]]] = {}
    for curve, patient in curves:
        of_key.setdefault((curve.finding, curve.reader, curve.method), []).append((curve, patient))
    place = {finding: number for number, finding in enumerate(findings)}
    points = []
    for key in sorted(of_key, key=lambda key: (place.get(key[0], len(place)), key)):
        patients = [patient for _, patient in of_key[key]]
        columns = [(level, patients) for level in zip(*(curve.ious for curve, _ in of_key[key]), strict=True)]
        for level, interval in zip(LEVELS, intervals_of_means(columns, resampling), strict=True):
            points.append(CurvePoint(*key, level, len(patients), len(set(patients)), *interval))
    return points
