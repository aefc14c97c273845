"""Trying: the short way to an IoU is that of drawing; choosing by the mean of hand-made numbers."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.contours.drawing import draw
from pipeline.geometry import resized, whole
from pipeline.joints.choosing import Chosen, choose
from pipeline.joints.drawn import Cut
from pipeline.joints.trying import Candidate, Chance, Overlaps, Tried, candidates_of, overlaps_of_levels
from pipeline.records import Heatmap
from tests.study import square

SHAPE = (40, 56)
OWN = Cut("fraction", 0.6, "predicted")


def heatmap(relevance: np.ndarray) -> Heatmap:
    rows, columns = relevance.shape
    return Heatmap("c", "nodule", "m", relevance, "logit", resized(whole(SHAPE), (rows, columns)))


@pytest.mark.parametrize("seed", range(5))
def test_the_iou_of_a_level_is_that_of_the_contours(seed: int) -> None:
    random = np.random.default_rng(seed)
    drawn_of = heatmap(random.normal(size=(5, 7)).astype(np.float32))
    masks = (square(SHAPE, 3, 4, 12), square(SHAPE, 10, 10, 12))
    truth = masks[0] | masks[1]
    candidates = candidates_of(["fraction", "otsu", "percentile"], [OWN, Cut("absolute", 0.3, "all")])
    found = overlaps_of_levels(drawn_of, masks, candidates)
    for candidate, iou in zip(candidates, found, strict=True):
        mask = draw(drawn_of, rule=candidate.rule, threshold=candidate.threshold).mask
        assert iou == pytest.approx((mask & truth).sum() / (mask | truth).sum()), candidate


def test_a_flat_map_draws_nothing_by_any_rule() -> None:
    assert overlaps_of_levels(
        heatmap(-np.ones((2, 2), np.float32)), [square(SHAPE, 0, 0, 3)], candidates_of(["otsu"], [])
    ) == (0,)


CANDIDATES = (Candidate("fraction", 0.6), Candidate("fraction", 0.3), Candidate("otsu", 0.5))


def tried(patient: str, *ious: float, kind: str = "mask", probability: float = 0.5) -> Tried:
    overlaps = (Overlaps("nodule", kind, ious),)  # type: ignore[arg-type]
    return Tried(patient, overlaps, (Chance("nodule", probability, present=True),))


def chosen(*found: Tried, minimum: int = 1, own: Cut = OWN) -> Chosen:
    (entry,) = choose(found, CANDIDATES, {"nodule": own}, minimum_patients=minimum)
    return entry


def test_the_highest_mean_wins_and_the_configs_own_cut_wins_a_tie() -> None:
    entry = chosen(tried("a", 0.1, 0.3, 0.2), tried("b", 0.3, 0.3, 0.8))
    assert (entry.cut.rule, entry.before, entry.after) == ("otsu", pytest.approx(0.2), pytest.approx(0.5))
    assert chosen(tried("a", 0.3, 0.3, 0.3)).cut == OWN


def test_masks_decide_alone_where_there_are_any() -> None:
    entry = chosen(tried("a", 0.1, 0.2, 0.0), tried("b", 0, 0, 1, kind="box"))
    assert (entry.cut.threshold, entry.kind, entry.images) == (0.3, "mask", 1)


def test_patients_are_counted_and_not_images() -> None:
    entry = chosen(tried("a", 0.1, 0.2, 0.0), tried("a", 0.1, 0.2, 0.0), minimum=2)
    assert (entry.cut, entry.images, entry.patients) == (OWN, 2, 1)
    assert "1 patients" in entry.why_not


def test_the_gate_is_where_the_absent_end() -> None:
    healthy = Tried("c", (), (Chance("nodule", 0.2, present=False),))
    entry = chosen(tried("a", 0.1, 0.2, 0.0, probability=0.6), healthy)
    assert entry.cut.probability == pytest.approx(0.4)
