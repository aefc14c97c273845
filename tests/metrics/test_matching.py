from itertools import permutations

import numpy as np
import pytest

from pipeline.metrics.matching import Assignment, Matches, match_contours
from pipeline.records import Values

CROSSED = np.array(
    [
        [0.6, 0.5],
        [0.8, 0.0],
        [0.0, 0.2],
    ]
)
"""The first contour fits both lesions; the second fits one of them better."""


def found(
    assignment: Assignment, *, scores: tuple[float, ...] = (3, 2, 1), threshold: float = 0.1
) -> Matches:
    return match_contours(CROSSED, scores, threshold=threshold, assignment=assignment)


def test_the_contour_with_the_highest_score_chooses_first() -> None:
    assert found("greedy") == (1, None, 2)
    assert found("greedy", scores=(2, 3, 1)) == (2, 1, None)
    assert found("greedy", scores=(1, 3, 2)) == (None, 1, 2)


def test_of_contours_with_equal_scores_the_first_chooses() -> None:
    assert found("greedy", scores=(1, 1, 1)) == (1, None, 2)


def test_optimal_makes_the_most_pairs_then_the_greatest_affinity() -> None:
    assert found("optimal") == (2, 1, None)


def test_optimal_prefers_two_poor_pairs_to_a_good_one() -> None:
    # Alone the first pair is worth 0.9, more than both others together.
    table = np.array([[0.9, 0.2], [0.2, 0.0]])
    assert match_contours(table, [1, 1], threshold=0.1, assignment="optimal") == (2, 1)
    assert match_contours(table, [1, 1], threshold=0.1, assignment="greedy") == (1, None)


def test_many_contours_may_find_one_lesion() -> None:
    assert found("many_to_one") == (1, 1, 2)


@pytest.mark.parametrize("assignment", ["greedy", "optimal", "many_to_one"])
def test_a_pair_at_the_threshold_matches_and_below_it_does_not(assignment: Assignment) -> None:
    table = np.array([[0.5]])
    assert match_contours(table, [1], threshold=0.5, assignment=assignment) == (1,)
    assert match_contours(table, [1], threshold=0.51, assignment=assignment) == (None,)


@pytest.mark.parametrize("assignment", ["greedy", "optimal", "many_to_one"])
def test_without_contours_or_lesions_nothing_matches(assignment: Assignment) -> None:
    assert match_contours(np.zeros((0, 2)), [], threshold=0.1, assignment=assignment) == ()
    assert match_contours(np.zeros((2, 0)), [1, 2], threshold=0.1, assignment=assignment) == (None, None)


def best_by_trying(affinity: Values, threshold: float) -> tuple[int, float]:
    """The most pairs and the greatest affinity among such assignments, by brute force."""
    size = max(affinity.shape)
    square = np.zeros((size, size))
    square[: affinity.shape[0], : affinity.shape[1]] = affinity
    choices = []
    for order in permutations(range(size)):
        pairs = [square[c, lesion] for c, lesion in enumerate(order) if square[c, lesion] >= threshold]
        choices.append((len(pairs), sum(pairs)))
    return max(choices)


@pytest.mark.parametrize("seed", range(20))
def test_optimal_is_the_best_of_all_choices(seed: int) -> None:
    generator = np.random.default_rng(seed)
    affinity = generator.random((generator.integers(1, 6), generator.integers(1, 6)))
    pairs = match_contours(affinity, [1] * len(affinity), threshold=0.6, assignment="optimal")
    chosen = [affinity[contour, lesion - 1] for contour, lesion in enumerate(pairs) if lesion]
    assert min(chosen, default=1) >= 0.6
    assert len({lesion for lesion in pairs if lesion}) == len(chosen)
    assert (len(chosen), sum(chosen)) == pytest.approx(best_by_trying(affinity, 0.6))
