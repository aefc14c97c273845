from dataclasses import replace

import numpy as np
import pytest

from pipeline.contracts import Scored
from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.curves import curve_of, summarise_curves
from pipeline.metrics.pixels import LEVELS, iou_curve
from pipeline.records import Curve
from tests.metrics.samples import drawing, mask, masks, of_map

LEFT = mask("#...", "#...")
MAP = [[4, 3, 0, 0], [2, 1, 0, -5]]


def test_a_curve_says_what_it_is_of() -> None:
    scored = Scored(of_map(MAP), masks(LEFT))
    assert curve_of(scored, method="gradcam") == Curve(
        "case", "nodule", "reader1", "gradcam", iou_curve(scored)
    )


def test_without_a_map_or_a_lesion_there_is_no_curve() -> None:
    assert curve_of(Scored(drawing(LEFT), masks(LEFT)), method="m") is None
    assert curve_of(Scored(of_map(MAP), masks()), method="m") is None


def test_curves_are_averaged_level_by_level() -> None:
    low, high = np.linspace(0, 0.2, len(LEVELS)), np.linspace(0.9, 0.1, len(LEVELS))
    one = Curve("case1", "nodule", "r", "m", tuple(low))
    other = replace(one, case_id="case2", ious=tuple(high))
    points = summarise_curves(
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
