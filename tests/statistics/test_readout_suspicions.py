"""Readout suspicions: an output that tells the view instead of the finding, and twins that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.records import Suspicion
from pipeline.statistics.probe_answers import Outputs
from pipeline.statistics.readout_suspicions import readout_suspicions
from pipeline.statistics.readouts import ReadoutRow

IMAGES = 300
RANDOM = np.random.default_rng(2)
CASES = [f"case-{number}" for number in range(IMAGES)]
PRESENT = np.arange(IMAGES) % 2 == 0
VIEW = np.where(np.arange(IMAGES) % 10 < 8, PRESENT, ~PRESENT)
"""AP in four of five images with the finding, and in one of five without."""
VIEWS = {case_id: "AP" if ap else "PA" for case_id, ap in zip(CASES, VIEW, strict=True)}
READ = ReadoutRow("attribute", "view", "AP", 120, 120, 60, 0.97, 0.9, 0.99)


def found(told: np.ndarray, row: ReadoutRow = READ, views: dict[str, str] = VIEWS) -> list[Suspicion]:
    """What is suspected of an output that tells this."""
    logits = 4.0 * told + RANDOM.normal(size=IMAGES)
    outputs = Outputs(
        logits={"mass": dict(zip(CASES, map(float, logits), strict=True))},
        labels={"mass": dict(zip(CASES, map(bool, PRESENT), strict=True))},
        units={case_id: case_id for case_id in CASES},
    )
    return list(readout_suspicions([row], {"view": views}, outputs, ["mass", "nodule"], 0.95))


def test_an_output_that_tells_the_view_is_suspected() -> None:
    (one,) = found(VIEW)
    assert (one.finding, one.rule, one.suspect, one.strength) == (
        "mass",
        "explained_by_view",
        "network",
        "weak",
    )
    assert one.estimate is not None
    assert abs(one.estimate - 0.5) < 0.1
    assert one.n == IMAGES
    assert "among images of the same view only with" in one.sentence


def test_an_output_that_tells_the_finding_is_not_though_the_view_goes_with_it() -> None:
    assert found(PRESENT) == []


def test_an_output_that_tells_both_is_not() -> None:
    assert found(PRESENT + 0.5 * VIEW) == []


def test_an_output_that_tells_nothing_is_not() -> None:
    assert found(np.zeros(IMAGES)) == []


def test_a_view_that_the_features_do_not_hold_explains_nothing() -> None:
    assert found(VIEW, replace(READ, auroc=0.65, low=0.52)) == []
    assert found(VIEW, replace(READ, auroc=0.8, low=0.45)) == []
    assert found(VIEW, replace(READ, auroc=None, low=None, because="fewer")) == []


def test_images_of_unknown_view_do_not_count_and_one_view_alone_explains_nothing() -> None:
    half = {case_id: view if number % 2 else "" for number, (case_id, view) in enumerate(VIEWS.items())}
    assert found(VIEW, views=half) == []
    assert found(VIEW, views=dict.fromkeys(CASES, "AP")) == []
