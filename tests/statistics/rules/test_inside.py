"""Tests of what the layers of a network say: each rule has layers that turn it, and twins that do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipeline.records import LayerStatistics
from pipeline.statistics.rules import RunTables
from pipeline.statistics.rules.inside import drifts_of, normalisation, state_of

Numbers = tuple[float | None, float]
"""Factor between the variances, and share of far channels."""
LIKE: list[Numbers] = [(1.02, 0.0)] * 4


def layers(numbers: Sequence[Numbers], *, variant: str = "", n: int = 32) -> list[LayerStatistics]:
    return [
        LayerStatistics(variant, f"norm{number}", n, 8, 0.1, factor, far)
        for number, (factor, far) in enumerate(numbers)
    ]


def found(*rows: LayerStatistics) -> list[tuple[str, str, str]]:
    """(rule, suspect, strength)."""
    tables = RunTables(("mass",), layers=rows)
    return [(one.rule, one.suspect, one.strength) for one in normalisation(tables)]


def sentence(*rows: LayerStatistics) -> str:
    (one,) = normalisation(RunTables(("mass",), layers=rows))
    return one.sentence


def test_images_like_those_of_the_training_accuse_nobody() -> None:
    same = layers(LIKE, variant="mirrored")
    worse = layers([(3.0, 0.2)] * 4, variant="inverted")
    assert found(*layers(LIKE), *same, *worse) == []
    assert found() == []


def test_images_that_agree_with_the_training_once_they_are_mirrored_accuse_the_card() -> None:
    rows = (*layers([(1.1, 0.0)] * 4), *layers(LIKE, variant="mirrored"))
    assert found(*rows) == [("trained_mirrored", "card", "strong")]
    assert "With mirrored images, the layers of the network agree with its training (4)" in sentence(*rows)
    assert "a factor of 1.02 on average, and of 1.10" in sentence(*rows)


@pytest.mark.parametrize("left", [1.09, 1.07])
def test_a_variant_that_hardly_helps_accuses_nobody(left: float) -> None:
    assert found(*layers([(1.1, 0.0)] * 4), *layers([(left, 0.0)] * 4, variant="mirrored")) == []


def test_the_variant_that_fits_best_is_named() -> None:
    rows = [*layers([(17.0, 0.9)] * 4), *layers([(2.0, 0.0)] * 4, variant="window_full")]
    assert found(*rows, *layers(LIKE, variant="intensity_none")) == [
        ("trained_intensity_none", "card", "strong")
    ]


BROKEN: list[Numbers] = [(1.0, 0.0), (1.0, 0.0), (4800.0, 0.5), (900.0, 1.0)]


def test_a_layer_unlike_the_training_behind_layers_like_it_accuses_the_weights() -> None:
    rows = (*layers(BROKEN), *layers(BROKEN, variant="mirrored"))
    assert found(*rows) == [("broken_layer", "weights", "strong")]
    assert "From norm2 on" in sentence(*rows)
    assert "100 % of the channels" in sentence(*rows)
    assert "the 2 normalisations before it agree" in sentence(*rows)


def test_values_that_overflow_behind_a_layer_accuse_the_weights() -> None:
    assert found(*layers([(1.0, 0.0), (None, 1.0)])) == [("broken_layer", "weights", "strong")]


def test_a_first_layer_of_another_contrast_accuses_the_card() -> None:
    rows = layers([(3.0, 0.0), (3.0, 0.0), (5.0, 0.6)])
    assert found(*rows) == [("other_contrast", "card", "strong")]
    assert "norm0" in sentence(*rows)


def test_a_first_layer_with_other_means_alone_accuses_the_card_and_not_the_weights() -> None:
    """As where the card states no offset: a convolution adds it to each mean, and to no variance."""
    rows = layers([(1.0, 0.6), (1.2, 0.7), (1.9, 0.8)])
    assert found(*rows) == [("other_contrast", "card", "strong")]
    assert "in 60 % of its channels, in variance by a factor of 1 (32 images)." in sentence(*rows)
    assert state_of(layers([(1.0, 0.6), (1.1, 0.1)]), minimum=5) == "unlike"
    assert found(*layers([(1.0, 0.3), (1.2, 0.7)])) == [("broken_layer", "weights", "strong")]


def test_a_variant_that_few_images_have_accuses_nobody() -> None:
    """All but four images are square, so that padding changes these alone."""
    own = layers([(1.2, 0.0)] * 4)
    assert found(*own, *layers(LIKE, variant="padded", n=4)) == []
    assert found(*own, *layers(LIKE, variant="padded", n=10)) == [("trained_padded", "card", "strong")]


def test_images_that_differ_more_with_each_layer_are_of_another_kind() -> None:
    rows = layers([(1.1, 0.0), (1.4, 0.0), (2.1, 0.16)])
    assert found(*rows) == [("unlike_training", "card", "weak")]
    assert "norm2" in sentence(*rows)
    assert "2.1" in sentence(*rows)


def test_few_images_and_networks_without_normalisation_tell_nothing() -> None:
    assert found(*layers(BROKEN, n=4)) == []
    assert state_of((), minimum=5) == "unknown"


def test_a_drift_is_the_mean_logarithm_of_the_factors() -> None:
    drifts = drifts_of([*layers([(1.0, 0.0), (4.0, 0.0)]), *layers([(2.0, 0.0)], variant="padded")])
    assert drifts == pytest.approx({"": 0.6931, "padded": 0.6931}, abs=1e-4)


def test_normalisations_that_were_never_trained_accuse_the_weights_whatever_the_card() -> None:
    rows = [replace(layer, is_trained=False) for layer in layers([(98.0, 0.9), (50.0, 0.9)])]
    better = [replace(layer, variant="intensity_z_score", factor=7.0) for layer in rows]
    assert found(*rows, *better) == [("untrained", "weights", "strong")]
    one_trained = [rows[0], replace(rows[1], is_trained=True)]
    assert found(*one_trained) == [("other_contrast", "card", "strong")]


def test_a_variant_that_is_far_from_the_training_itself_is_no_better_card() -> None:
    far = layers([(7.0, 0.5)] * 4, variant="intensity_z_score")
    assert found(*layers([(98.0, 0.9)] * 4), *far) == [("other_contrast", "card", "strong")]
