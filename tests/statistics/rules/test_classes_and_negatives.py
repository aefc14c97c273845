"""Tests of rules about findings that all or no images have, and about images that are negatives of others."""

from __future__ import annotations

from pipeline.statistics.rules.outputs import negatives, one_class
from pipeline.statistics.rules.tables import RunTables


def of_labels(present: int, absent: int) -> list[tuple[str, str, str]]:
    tables = RunTables(("mass",), labels={"mass": (present, absent)})
    return [(one.rule, one.suspect, one.strength) for one in one_class(tables)]


def test_a_finding_that_all_labelled_images_have_cannot_be_judged() -> None:
    assert of_labels(64, 0) == [("one_class", "too_few", "strong")]


def test_a_rare_finding_that_no_image_has_is_told_and_two_classes_or_few_labels_are_not() -> None:
    assert of_labels(0, 64) == [("one_class", "too_few", "weak")]
    assert of_labels(60, 4) == of_labels(4, 0) == of_labels(0, 0) == []


def test_negatives_accuse_the_card_strongly_from_ten_on() -> None:
    def found(count: int) -> list[tuple[str, str]]:
        cases = [f"case-{number}" for number in range(count)]
        tables = RunTables(("mass",), negatives=cases, images=40)
        return [(one.strength, one.sentence) for one in negatives(tables)]

    assert found(0) == []
    ((strength, sentence),) = found(10)
    assert strength == "strong"
    assert sentence.startswith(
        "10 of 40 images look like negatives of the others, such as case-0, case-1, case-2:"
    )
    assert found(9)[0][0] == "weak"
