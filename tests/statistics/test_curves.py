from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.metrics.pixels import LEVELS
from pipeline.records import Curve
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.curves import CurvePoint, Curves, summarise_curves
from tests.metrics.samples import mask

LEFT = mask("#...", "#...")
MAP = [[4, 3, 0, 0], [2, 1, 0, -5]]


def points_of(curves: Iterable[tuple[Curve, str]], **options: Any) -> list[CurvePoint]:
    """Of (curve, patient)."""
    columns = Curves()
    for curve, patient in curves:
        columns.add(curve, patient)
    return summarise_curves(columns, **options)


def test_curves_are_averaged_level_by_level() -> None:
    low, high = np.linspace(0, 0.2, len(LEVELS)), np.linspace(0.9, 0.1, len(LEVELS))
    one = Curve("case1", "nodule", "r", "m", tuple(low))
    other = replace(one, case_id="case2", ious=tuple(high))
    points = points_of(
        [(one, "a"), (other, "b"), (replace(one, method="n"), "a")],
        findings=("nodule",),
        resampling=Resampling(replicates=200, interval="percentile"),
    )
    assert [point.level for point in points] == [*LEVELS, *LEVELS]
    first = points[: len(LEVELS)]
    assert [point.estimate for point in first] == pytest.approx((low + high) / 2)
    assert [point.low for point in first] == pytest.approx(np.minimum(low, high))
    assert [point.high for point in first] == pytest.approx(np.maximum(low, high))
    assert {(p.finding, p.reader, p.method, p.n, p.patients) for p in points} == {
        ("nodule", "r", "m", 2, 2),
        ("nodule", "r", "n", 1, 1),
    }


def test_findings_come_as_given_then_others_and_in_each_readers_and_methods_by_name() -> None:
    keys = ["mass a m", "nodule b m", "nodule a n", "nodule a m", "aorta z m"]
    points = points_of(
        [(Curve("case1", *key.split(), (0.5,) * len(LEVELS)), "a") for key in keys],
        findings=("nodule", "mass"),
        resampling=Resampling(replicates=20),
    )
    found = dict.fromkeys(f"{point.finding} {point.reader} {point.method}" for point in points)
    assert list(found) == ["nodule a m", "nodule a n", "nodule b m", "mass a m", "aorta z m"]


def test_images_of_one_patient_are_counted_and_resampled_together() -> None:
    flat = [(n / 4,) * len(LEVELS) for n in range(3)]
    curves = [(Curve(f"case{n}", "nodule", "r", "m", ious), "one patient") for n, ious in enumerate(flat)]
    point, *_ = points_of(curves, findings=("nodule",), resampling=Resampling(replicates=20))
    assert (point.n, point.patients, point.estimate, point.low, point.high) == (3, 1, 0.25, None, None)


def test_without_curves_there_are_no_points() -> None:
    assert points_of([], findings=("nodule",), resampling=Resampling()) == []
