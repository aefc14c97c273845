import numpy as np
import pytest

from pipeline.ground_truth.consensus import Agreement, consensus, instances, staple
from pipeline.records import Mask
from tests.metrics.samples import mask, masks

SHAPE = (3, 5)
ANNA = mask("##...", "##...", ".....")
BEN = mask("##...", ".....", "....#")
EVA = mask("#....", "#....", "....#")


def test_a_pixel_that_two_of_three_drew_is_in_the_majority() -> None:
    found = consensus([masks(ANNA), masks(BEN), masks(EVA)], shape=SHAPE)
    np.testing.assert_array_equal(np.logical_or.reduce(found.masks), mask("##...", "#....", "....#"))
    assert (found.reader, found.kind, found.finding, found.case_id) == ("majority", "mask", "nodule", "case")


def test_of_two_readers_the_majority_is_both() -> None:
    found = consensus([masks(ANNA), masks(BEN)], shape=SHAPE)
    np.testing.assert_array_equal(found.masks, [mask("##...", ".....", ".....")])


def test_a_readers_instances_are_one_vote() -> None:
    found = consensus([masks(ANNA, ANNA), masks(BEN), masks()], shape=SHAPE)
    np.testing.assert_array_equal(found.masks, [mask("##...", ".....", ".....")])


@pytest.mark.parametrize("by", ["majority", "staple"])
def test_where_most_see_nothing_the_finding_is_not_there(by: Agreement) -> None:
    assert consensus([masks(), masks()], shape=SHAPE, by=by).masks == ()


@pytest.mark.parametrize("by", ["majority", "staple"])
def test_readers_who_agree_are_the_consensus(by: Agreement) -> None:
    found = consensus([masks(ANNA), masks(ANNA), masks(ANNA)], shape=SHAPE, by=by)
    np.testing.assert_array_equal(found.masks, [ANNA])
    everything = np.ones(SHAPE, np.bool_)
    np.testing.assert_array_equal(consensus([masks(everything)] * 2, shape=SHAPE, by=by).masks, [everything])


def test_parts_that_touch_by_a_corner_are_one_instance() -> None:
    found = instances(mask("#....", ".#..#", "....."))
    np.testing.assert_array_equal(found, [mask("#....", ".#...", "....."), mask(".....", "....#", ".....")])


def expectation_maximisation(votes: list[Mask], prior: float, rounds: int = 200) -> np.ndarray:
    """STAPLE by Warfield et al. 2004, eq. 14, 15, 18 and 19, pixel by pixel."""
    decisions = np.array([vote.ravel() for vote in votes])
    sensitivity, specificity = (np.full((len(votes), 1), 0.99999) for _ in range(2))
    for _ in range(rounds):
        there = prior * np.where(decisions, sensitivity, 1 - sensitivity).prod(axis=0)
        absent = (1 - prior) * np.where(decisions, 1 - specificity, specificity).prod(axis=0)
        weight = there / (there + absent)
        sensitivity = ((decisions * weight).sum(axis=1) / weight.sum())[:, None]
        specificity = ((~decisions * (1 - weight)).sum(axis=1) / (1 - weight).sum())[:, None]
    return weight.reshape(votes[0].shape)


def test_staple_trusts_the_readers_who_agree_more_than_the_majority_would() -> None:
    """Two readers with equal masks and three with scattered ones, and the pixels that two of five marked."""
    generator = np.random.default_rng(0)
    truth = np.zeros((20, 30), np.bool_)
    truth[5:15, 8:22] = True
    careful = [truth ^ (generator.random(truth.shape) < 0.01) for _ in range(2)]
    careless = [truth ^ (generator.random(truth.shape) < 0.35) for _ in range(3)]
    votes = careful + careless
    expected = expectation_maximisation(votes, float(np.mean(votes))) >= 0.5
    np.testing.assert_array_equal(staple(votes), expected)
    by_majority = np.sum(votes, axis=0) > 2.5
    assert (staple(votes) != truth).sum() < (by_majority != truth).sum()
