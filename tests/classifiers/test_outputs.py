"""Outputs that a card leaves out: those never trained (null), and those of no finding."""

from __future__ import annotations

from math import nan
from pathlib import Path
from typing import Any

import pytest

from pipeline.classifiers import ModelCard, load_card
from pipeline.classifiers.network_card import network_card
from pipeline.classifiers.operating_points import threshold_notices, with_thresholds
from pipeline.errors import ConfigError
from tests.classifiers.conftest import CardWriter

FIVE: dict[str, Any] = {
    "architecture.arguments.out_channels": 5,
    "findings": [None, "nodule", "normal", "effusion", None],
    "not_findings": ["normal"],
}
POINTS = (nan, 0.25, 0.5, 0.125, nan)


@pytest.fixture
def five(write_card: CardWriter) -> ModelCard:
    return load_card(write_card(**FIVE))


def test_findings_are_named_outputs_alone_in_their_order(five: ModelCard) -> None:
    assert five.outputs == (None, "nodule", "normal", "effusion", None)
    assert five.findings == ("nodule", "effusion")
    assert five.explained == (False, True, False, True, False)
    assert five.of_findings([10, 11, 12, 13, 14]) == {"nodule": 11, "effusion": 13}
    assert five.operating_thresholds == {"nodule": 0.5, "effusion": 0.5}
    assert [five.name_of(number) for number in (0, 2)] == ["(output 1, left out)", "normal"]


def test_a_card_with_outputs_left_out_survives_json(five: ModelCard) -> None:
    written = five.model_dump(mode="json")
    assert written["findings"] == FIVE["findings"]
    assert ModelCard.model_validate(written) == five


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"findings": [None] * 5}, "findings: names no finding; name the outputs that were trained"),
        ({"findings": ["a", None, "a", "b", None]}, "findings: a occurs more than once; remove the repeats"),
        ({"findings": ["a", None, ""]}, "findings.2: wanted a text of 1 or more characters"),
        ({"findings": ["a", 3, "b", "c", "d"]}, "findings.1: wanted a text"),
        (
            {"findings": ["a", None]},
            "findings: 2 findings for 5 logits (architecture.arguments.out_channels)",
        ),
        ({"not_findings": ["Normal"]}, "not_findings: unknown output 'Normal'; did you mean 'normal'?"),
        ({"not_findings": ["nodule", "normal", "effusion"]}, "not_findings: leaves no finding; remove"),
        (
            {"operating_thresholds": {"nodule": 0.5, "effusion": 0.5, "normal": 0.5}},
            "operating_thresholds: 'normal' is one of not_findings, which need no threshold; remove it",
        ),
        ({"operating_thresholds": {"nodule": 0.5}}, "operating_thresholds: no threshold for effusion; give"),
        (
            {"example": {"image": "a.png", "logits": [1.0, 2.0]}},
            "example: 2 logits for 5 findings; state one per entry of findings, in order",
        ),
    ],
)
def test_what_a_card_cannot_leave_out(
    write_card: CardWriter, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_card(write_card(**FIVE | changes))
    assert complaint in str(refusal.value)


def test_thresholds_of_the_file_are_those_of_the_findings_own_outputs(write_card: CardWriter) -> None:
    card = load_card(write_card(**FIVE, operating_thresholds="file"))
    taken, (notice,) = with_thresholds(card, POINTS, Path("w.pt"))
    assert taken.operating_thresholds == {"nodule": 0.25, "effusion": 0.125}
    assert notice.text().endswith("of the weights file: nodule 0.25; effusion 0.125.")


def test_a_missing_threshold_of_the_file_is_refused_for_findings_alone(write_card: CardWriter) -> None:
    card = load_card(write_card(**FIVE, operating_thresholds="file"))
    with pytest.raises(ConfigError, match=r"within 0 … 1 for effusion, but the card says"):
        with_thresholds(card, (nan, 0.25, 0.5, nan, 0.75), Path("w.pt"))
    with pytest.raises(ConfigError, match=r"holds 2 operating points .* wanted one for each of the 5"):
        with_thresholds(card, (0.25, 0.125), Path("w.pt"))


def test_thresholds_of_the_file_are_compared_at_the_findings_own_outputs(five: ModelCard) -> None:
    (notice,) = threshold_notices((0.9, 0.25, 0.9, 0.5, 0.9), five)
    assert "are used: nodule 0.25 in the file, 0.5 on the card; state" in notice.text()
    assert threshold_notices((0.9, 0.5, nan, 0.5, 0.9), five) == ()
    assert threshold_notices((), five) == ()
    assert "but the card lists 5 findings" in threshold_notices((0.5, 0.5), five)[0].text()


def test_a_network_in_memory_leaves_out_the_same(five: ModelCard) -> None:
    card = network_card(
        name="network", kind="Net", findings=FIVE["findings"], not_findings=["normal"],
        preprocess=five.preprocessing.model_dump(mode="json", exclude_none=True), activation="softmax",
        thresholds=0.5, target_layer="last",
    )  # fmt: skip
    assert (card.findings, card.explained) == (five.findings, five.explained)
