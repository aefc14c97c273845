from collections.abc import Sequence

import numpy as np
import pytest
from monai.metrics import compute_froc_curve_data

from pipeline.metrics.lesions import Rule
from pipeline.metrics.matching import Assignment
from pipeline.records import Candidates, Values
from pipeline.records.names import FROC_RATES
from pipeline.statistics.detection import Events, Steps, average_precision, events, froc, recall, steps
from tests.statistics.lesions import matched_by
from tests.statistics.plain_detection import plain_measures

RULE = Rule("iou", 0.5)
ONCE = np.ones((1, 2))


def case(scores: tuple[float, ...], *rows: tuple[float, ...], lesions: int) -> Candidates:
    """A case whose contours have these scores and IoUs."""
    return Candidates("case", "nodule", "r", "m", "mask", lesions, scores, {"iou": rows})


PRESENT = case((0.9, 0.6, 0.5), (0.8, 0.0), (0.1, 0.2), (0.0, 0.7), lesions=2)
"""The first contour finds the first lesion, the last the second."""
HEALTHY = case((0.4, 0.8), (), (), lesions=0)


def event(cases: Sequence[Candidates], units: Sequence[int], rule: Rule) -> Events:
    """The events by a run's rule."""
    matched = matched_by(rule, ((case, str(unit)) for case, unit in zip(cases, units, strict=True)))
    return events(matched, np.arange(len(cases)), np.array(units))[0]


def at(cases: Sequence[Candidates], units: Sequence[int], weights: Values, rule: Rule = RULE) -> Steps:
    return steps([event(cases, units, rule)], weights)[0]


def test_contours_are_sorted_by_score_over_all_cases() -> None:
    found = event([PRESENT, HEALTHY], [0, 1], RULE)
    assert found.ranking.unit.tolist() == [0, 1, 0, 0, 1]
    assert found.ranking.step.tolist() == [0, 1, 2, 3, 4]
    assert found.hits.tolist() == [0, 3]
    assert (found.lesions.tolist(), found.images.tolist()) == ([2, 0], [1, 1])


def test_counts_are_kept_at_the_scores_at_which_a_lesion_is_found() -> None:
    found = at([PRESENT, HEALTHY], [0, 1], ONCE)
    assert found.number.tolist() == [0, 3]
    assert found.found.tolist() == [[1, 2]]
    assert found.false.tolist() == [[0, 2]]
    assert found.scores == 5


def test_froc_by_hand() -> None:
    # At ½ an image one false positive (0.8) is allowed, and one of two lesions found; at 1 an image two
    # (0.8, 0.6), and with them the lesion at 0.5.
    found = at([PRESENT, HEALTHY], [0, 1], ONCE)
    assert froc(found).tolist() == [[0.5, 0.5, 0.5, 1, 1, 1, 1]]
    assert FROC_RATES == (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)


def test_average_precision_by_hand() -> None:
    # Precision is 1 at half the recall, and 2 of 4 at all of it.
    found = at([PRESENT, HEALTHY], [0, 1], ONCE)
    assert average_precision(found).tolist() == [[pytest.approx(0.5 * 1 + 0.5 * 2 / 4)]]


def test_precision_is_the_best_that_is_reached_from_there_on() -> None:
    # False, found, found: precision 0, 1/2, 2/3; the envelope is 2/3 throughout.
    late = case((3, 2, 1), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), lesions=2)
    found = at([late], [0], np.ones((1, 1)))
    assert average_precision(found).tolist() == [[pytest.approx(2 / 3)]]


def test_recall_is_of_all_contours_together() -> None:
    three = case((0.9,), (0.8, 0.0, 0.0), lesions=3)
    assert recall(at([three, HEALTHY], [0, 1], ONCE)).tolist() == [[pytest.approx(1 / 3)]]


def test_contours_equally_sure_are_one_step() -> None:
    # A hit and a false positive share a score: the hit cannot be had without the other.
    tied = case((0.5, 0.5), (1.0,), (0.0,), lesions=1)
    found = at([tied], [0], np.ones((1, 1)))
    assert froc(found).tolist() == [[0, 0, 0, 1, 1, 1, 1]]
    assert average_precision(found).tolist() == [[0.5]]


@pytest.mark.parametrize(("assignment", "found"), [("greedy", [1, 0]), ("many_to_one", [1])])
def test_a_second_contour_of_a_lesion_is_false_or_not_counted(
    assignment: Assignment, found: list[int]
) -> None:
    twice = case((0.5, 0.7), (0.9,), (0.6,), lesions=1)
    counted = event([twice], [0], Rule("iou", 0.5, assignment))
    assert np.isin(np.arange(len(counted.ranking.unit)), counted.hits).tolist() == found  # by the surest


def test_a_patient_drawn_twice_counts_twice() -> None:
    twice, never = (at([PRESENT, HEALTHY], [0, 1], np.array([[1.0, weight]])) for weight in (2, 0))
    # Three images with two false positives at 0.8; at 0.6 a third.
    assert froc(twice).tolist() == [[0.5, 0.5, 0.5, 1, 1, 1, 1]]
    assert froc(twice, (0.6, 0.7)).tolist() == [[0.5, 0.5]]
    assert froc(never).tolist() == [[0.5, 0.5, 0.5, 1, 1, 1, 1]]
    assert average_precision(never).tolist() == [[pytest.approx(0.5 + 0.5 * 2 / 3)]]


def test_without_lesions_nothing_is_defined_and_without_contours_nothing_found() -> None:
    assert np.isnan(froc(at([HEALTHY], [0], np.ones((1, 1))))).all()
    silent = case((), lesions=2)
    found = at([silent, case((), lesions=0)], [0, 1], ONCE)
    assert froc(found).tolist() == [[0] * 7]
    assert (recall(found).tolist(), average_precision(found).tolist()) == ([[0]], [[0]])


def random_cases(seed: int) -> list[Candidates]:
    generator = np.random.default_rng(seed)
    cases = []
    for _ in range(12):
        contours, lesions = generator.integers(0, 5), generator.integers(0, 3)
        table = generator.random((contours, lesions))
        scores = tuple(generator.permutation(20)[:contours] / 20)
        cases.append(case(scores, *map(tuple, table.tolist()), lesions=int(lesions)))
    return cases


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_equals_monai(seed: int) -> None:
    cases = random_cases(seed)
    counted = event(cases, list(range(12)), RULE)
    found = at(cases, list(range(12)), np.ones((1, 12)))
    score = -counted.ranking.step.astype(float)  # ranks the contours alike
    hits = np.isin(np.arange(len(score)), counted.hits)
    false, sensitivity = compute_froc_curve_data(score[~hits], score[hits], int(counted.lesions.sum()), 12)
    # MONAI has a point for every score, lowest first, but for the lowest, and ends with nothing called.
    known = found.number < found.scores - 1
    numbers = found.number[known]
    assert numbers.size
    assert (found.false / found.images)[0, known] == pytest.approx(false[:-1][::-1][numbers])
    assert (found.found / found.lesions)[0, known] == pytest.approx(sensitivity[:-1][::-1][numbers])


def explicit_average_precision(score: Values, hit: Values, lesions: float) -> float:
    """Rectangle by rectangle under the best precision that is reached at this recall or more."""
    points = [
        (hit[score >= level].sum() / lesions, hit[score >= level].mean()) for level in np.unique(score)[::-1]
    ]
    area, before = 0.0, 0.0
    for reached, _ in points:
        area += (reached - before) * max(precision for r, precision in points if r >= reached)
        before = reached
    return area


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_equals_an_explicit_loop(seed: int) -> None:
    counted = event(random_cases(seed), list(range(12)), RULE)
    hits = np.isin(np.arange(len(counted.ranking.step)), counted.hits).astype(float)
    expected = explicit_average_precision(-counted.ranking.step.astype(float), hits, counted.lesions.sum())
    found = at(random_cases(seed), list(range(12)), np.ones((1, 12)))
    assert average_precision(found).tolist() == [[pytest.approx(expected)]]


def test_a_patient_who_is_not_drawn_has_no_part() -> None:
    """The surest contours are of a patient without weight: nothing is called there yet."""
    other = case((0.3, 0.2), (0.0,), (0.9,), lesions=1)
    both = at([PRESENT, other], [0, 1], np.array([[0.0, 1.0]]))
    alone = at([other], [0], np.ones((1, 1)))
    for measure in (recall, froc, average_precision):
        assert measure(both).tolist() == measure(alone).tolist()
    assert average_precision(both).tolist() == [[0.5]]


def test_images_are_counted_for_the_patient_they_are_of() -> None:
    found = event([PRESENT, HEALTHY, PRESENT, HEALTHY], [1, 0, 1, 2], RULE)
    assert (found.lesions.tolist(), found.images.tolist()) == ([0, 4, 0], [1, 2, 1])


@pytest.mark.parametrize("assignment", ["greedy", "optimal", "many_to_one"])
@pytest.mark.parametrize("replicates", [1, 2, 50])
def test_every_bit_is_that_of_counts_at_all_scores(assignment: Assignment, replicates: int) -> None:
    """Also where contours share scores, which `random_cases` draws from twenty."""
    cases = [case for seed in range(8) for case in random_cases(seed)]
    units = [number % 40 for number in range(len(cases))]
    rule = Rule("iou", 0.5, assignment)
    weights = np.random.default_rng(0).integers(0, 4, size=(replicates, 40)).astype(float)
    found = at(cases, units, weights, rule)
    plain = plain_measures(cases, units, rule, weights)
    np.testing.assert_array_equal(recall(found)[:, 0], plain["recall"])
    np.testing.assert_array_equal(froc(found), plain["froc"])
    np.testing.assert_array_equal(average_precision(found)[:, 0], plain["precision"])
