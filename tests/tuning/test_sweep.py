"""Sweep and choice: the fast IoU equals the one of drawn contours; choices from hand-made overlaps."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.contours.drawing import draw
from pipeline.geometry import resized, whole
from pipeline.records import ContourRule, Heatmap
from pipeline.tuning.choice import ThresholdChoice, choose_thresholds
from pipeline.tuning.sweep import (
    Candidate,
    GateSample,
    Overlaps,
    SweptCase,
    candidate_thresholds,
    overlaps_of_levels,
)
from tests.study import square

SHAPE = (40, 56)
OWN = ContourRule("fraction", 0.6, "predicted")


def heatmap(relevance: np.ndarray) -> Heatmap:
    rows, columns = relevance.shape
    return Heatmap("c", "nodule", "m", relevance, "logit", resized(whole(SHAPE), (rows, columns)))


@pytest.mark.parametrize("seed", range(5))
def test_the_iou_of_a_level_is_that_of_the_contours(seed: int) -> None:
    random = np.random.default_rng(seed)
    example = heatmap(random.normal(size=(5, 7)).astype(np.float32))
    masks = (square(SHAPE, 3, 4, 12), square(SHAPE, 10, 10, 12))
    truth = masks[0] | masks[1]
    candidates = candidate_thresholds(
        ["fraction", "otsu", "percentile"], [OWN, ContourRule("absolute", 0.3, "all")]
    )
    found = overlaps_of_levels(example, masks, candidates)
    for candidate, iou in zip(candidates, found, strict=True):
        mask = draw(example, rule=candidate.rule, threshold=candidate.threshold).mask
        assert iou == pytest.approx((mask & truth).sum() / (mask | truth).sum()), candidate


def test_a_flat_map_draws_nothing_by_any_rule() -> None:
    assert overlaps_of_levels(
        heatmap(-np.ones((2, 2), np.float32)), [square(SHAPE, 0, 0, 3)], candidate_thresholds(["otsu"], [])
    ) == (0,)


CANDIDATES = (Candidate("fraction", 0.6), Candidate("fraction", 0.3), Candidate("otsu", 0.5))


def swept(patient: str, *ious: float, kind: str = "mask", probability: float = 0.5) -> SweptCase:
    overlaps = (Overlaps("nodule", kind, ious),)  # type: ignore[arg-type]
    return SweptCase(patient, overlaps, (GateSample("nodule", probability, present=True),))


def chosen(*found: SweptCase, minimum: int = 1, own: ContourRule = OWN) -> ThresholdChoice:
    (entry,) = choose_thresholds(found, CANDIDATES, {"nodule": own}, minimum_patients=minimum)
    return entry


def test_the_highest_mean_wins_and_the_configs_own_threshold_wins_a_tie() -> None:
    entry = chosen(swept("a", 0.1, 0.3, 0.2), swept("b", 0.3, 0.3, 0.8))
    assert (entry.rule.rule, entry.before, entry.after) == ("otsu", pytest.approx(0.2), pytest.approx(0.5))
    assert chosen(swept("a", 0.3, 0.3, 0.3)).rule == OWN


def test_masks_decide_alone_where_there_are_any() -> None:
    entry = chosen(swept("a", 0.1, 0.2, 0.0), swept("b", 0, 0, 1, kind="box"))
    assert (entry.rule.threshold, entry.kind, entry.images) == (0.3, "mask", 1)


def test_patients_are_counted_and_not_images() -> None:
    entry = chosen(swept("a", 0.1, 0.2, 0.0), swept("a", 0.1, 0.2, 0.0), minimum=2)
    assert (entry.rule, entry.images, entry.patients) == (OWN, 2, 1)
    assert "1 patients" in entry.unchanged_because


def test_the_gate_is_where_the_absent_end() -> None:
    healthy = SweptCase("c", (), (GateSample("nodule", 0.2, present=False),))
    entry = chosen(swept("a", 0.1, 0.2, 0.0, probability=0.6), healthy)
    assert entry.rule.probability == pytest.approx(0.4)
