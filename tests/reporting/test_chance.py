"""Warnings of an AUROC that is not above chance."""

from __future__ import annotations

import pytest

from pipeline.records import Summary
from pipeline.reporting.chance import warnings_of_chance


def auroc(estimate: float | None, low: float | None, high: float | None, **changed: str) -> Summary:
    names = {"reader": "labels", "method": "classifier", "metric": "auroc", **changed}
    return Summary(
        finding="nodule", n=40, undefined={}, patients=40, estimate=estimate, low=low, high=high, **names
    )


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.52, 0.41, 0.63), "is not shown to tell images with nodule from images without it"),
        ((0.60, 0.50, 0.70), "its AUROC is 0.60 [0.50 to 0.70] (40 images), and 0.5 is chance"),
        ((0.30, 0.20, 0.49), "which is below 0.5, chance"),
        ((0.50, None, None), "its AUROC is 0.50 (40 images)"),
    ],
)
def test_an_interval_that_is_not_above_a_half_is_a_warning(
    interval: tuple[float, float | None, float | None], words: str
) -> None:
    (warning,) = warnings_of_chance([auroc(*interval)])
    assert words in warning


@pytest.mark.parametrize(
    "row",
    [
        auroc(0.8, 0.51, 0.9),
        auroc(0.8, None, None),
        auroc(None, None, None),
        auroc(0.3, 0.2, 0.4, metric="auprc"),
        auroc(0.3, 0.2, 0.4, method="gradcam"),
    ],
)
def test_nothing_else_is_a_warning(row: Summary) -> None:
    assert list(warnings_of_chance([row])) == []
