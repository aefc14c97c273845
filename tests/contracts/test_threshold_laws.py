"""Laws that every registered threshold rule obeys."""

import numpy as np
import pytest

from pipeline.contours import RULES
from pipeline.contours.drawing import draw
from pipeline.geometry import cropped, resized, whole
from pipeline.records import Heatmap, Intensity

THRESHOLD = {
    name: rule.tuned_over[len(rule.tuned_over) // 2] if rule.tuned_over else 0.5
    for name, rule in RULES.items()
}
"""A sensible threshold per rule, for a map of 0 … 1."""
VIEW = resized(cropped(whole((60, 50)), (6, 4), (48, 40)), (6, 5))


def heatmap(relevance: Intensity) -> Heatmap:
    return Heatmap("case", "nodule", "gradcam", relevance, "relative", VIEW)


@pytest.fixture(params=RULES)
def rule(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("value", [0.0, 0.7, 3.0, -1.0])
def test_a_flat_map_has_no_level(rule: str, value: float) -> None:
    assert RULES[rule].level(np.full((8, 9), value, np.float32), THRESHOLD[rule]) is None


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_map_without_positive_relevance_gives_no_region_and_no_peak(rule: str, value: float) -> None:
    drawing = draw(heatmap(np.full((6, 5), value, np.float32)), rule=rule, threshold=THRESHOLD[rule])
    assert (drawing.regions, drawing.peak) == ((), None)


@pytest.mark.parametrize("value", [0.7, 3.0])
def test_a_constant_map_gives_no_region_even_where_the_view_is_a_part_of_the_image(
    rule: str, value: float
) -> None:
    drawing = draw(heatmap(np.full((6, 5), value, np.float32)), rule=rule, threshold=THRESHOLD[rule])
    assert (drawing.regions, drawing.peak) == ((), None)


@pytest.mark.parametrize("seed", range(3))
def test_scaling_a_relative_map_changes_nothing(rule: str, seed: int) -> None:
    relevance = np.random.default_rng(seed).random((6, 5), dtype=np.float32)
    number = THRESHOLD[rule] * (3.7 if not RULES[rule].tuned_over else 1)
    plain = draw(heatmap(relevance), rule=rule, threshold=THRESHOLD[rule])
    scaled = draw(heatmap(relevance * np.float32(3.7)), rule=rule, threshold=number)
    assert plain.regions
    assert plain.peak == scaled.peak
    np.testing.assert_array_equal(plain.mask, scaled.mask)


def test_the_level_lies_within_the_map(rule: str) -> None:
    relevance = np.random.default_rng(0).random((20, 20), dtype=np.float32)
    level = RULES[rule].level(relevance, THRESHOLD[rule])
    assert level is not None
    assert relevance.min() <= level <= relevance.max()


def test_rules_declared_to_read_the_extremes_alone_do_so(rule: str) -> None:
    relevance = np.random.default_rng(0).random((20, 20), dtype=np.float32)
    extremes = np.array([[relevance.max(), relevance.min()]], np.float32)
    same = RULES[rule].level(relevance, THRESHOLD[rule]) == RULES[rule].level(extremes, THRESHOLD[rule])
    assert same or RULES[rule].reads != "extremes"


def test_a_rule_says_in_words_what_is_inside(rule: str) -> None:
    words = RULES[rule].words.format(threshold=THRESHOLD[rule])
    assert words.startswith("pixels ")
    assert "{" not in words


def test_a_rule_is_tuned_over_thresholds_that_it_takes(rule: str) -> None:
    relevance = np.random.default_rng(0).random((20, 20), dtype=np.float32)
    levels = [RULES[rule].level(relevance, threshold) for threshold in RULES[rule].tuned_over]
    assert levels == sorted(level for level in levels if level is not None)
