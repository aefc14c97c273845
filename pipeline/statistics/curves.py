"""Curves: mean IoU of a study set over all thresholds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.metrics.pixels import LEVELS
from pipeline.records import Curve
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.intervals import intervals_of_means


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The mean IoU over all images at one threshold."""

    finding: str
    reader: str
    method: str
    level: float
    """Threshold as a share of each map's maximum; pixels at or above it are inside."""
    n: int
    patients: int
    estimate: float | None
    low: float | None
    high: float | None


def summarise_curves(
    curves: Iterable[tuple[Curve, str]], *, findings: Sequence[str], resampling: Resampling
) -> list[CurvePoint]:
    """One row per finding, reader, method and level, from (curve, patient) of each image.

    The highest of these means is what one tuned threshold for all images can reach.
    """
    by_key: dict[tuple[str, str, str], list[tuple[Curve, str]]] = {}
    for curve, patient in curves:
        by_key.setdefault((curve.finding, curve.reader, curve.method), []).append((curve, patient))
    rank = {finding: number for number, finding in enumerate(findings)}
    points = []
    for key in sorted(by_key, key=lambda key: (rank.get(key[0], len(rank)), key)):
        patients = [patient for _, patient in by_key[key]]
        columns = [(level, patients) for level in zip(*(curve.ious for curve, _ in by_key[key]), strict=True)]
        for level, interval in zip(LEVELS, intervals_of_means(columns, resampling), strict=True):
            points.append(CurvePoint(*key, level, len(patients), len(set(patients)), *interval))
    return points
