"""Measures: what a table says of a number of a study set."""

from dataclasses import FrozenInstanceError

import pytest

from pipeline.statistics.classification import MEASURES
from pipeline.statistics.lesion_summaries import LESION_MEASURES
from pipeline.statistics.measures import Measure


def test_a_measure_has_a_title_and_more_of_it_is_better_by_default() -> None:
    assert Measure("AUROC") == Measure("AUROC", better="higher", unit="")
    assert Measure("Brier score", better="lower") != Measure("Brier score")


def test_of_all_measures_the_brier_score_alone_is_better_where_it_is_lower() -> None:
    every = {**MEASURES, **LESION_MEASURES}
    assert [name for name, measure in every.items() if measure.better == "lower"] == ["brier"]
    assert {measure.unit for measure in every.values()} == {""}


def test_titles_tell_the_measures_of_one_kind_apart() -> None:
    of_masks = [measure.title for name, measure in LESION_MEASURES.items() if name.startswith("lesion_")]
    titles = [measure.title for measure in MEASURES.values()]
    assert len(set(of_masks)) == len(of_masks)
    assert len(set(titles)) == len(titles)


def test_a_measure_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Measure("AUROC").title = "another"  # type: ignore[misc]
