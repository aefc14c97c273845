"""Forms: the items that each source counts, and what an item's state says."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from pipeline.dossier.answers import Answer, Source
from pipeline.dossier.facts import QUESTIONS
from pipeline.dossier.form import Form, Item, Section, fill
from pipeline.dossier.forms import FORMS

NUMBERS = {
    form.name: [item.number for part in form.sections for item in part.items] for form in FORMS.values()
}
TRIPOD_PARTS = {
    "3": "abc", "5": "ab", "6": "abc", "8": "abc", "9": "abc", "12": "abcdefg", "18": "abcdef", "20": "abc",
    "23": "ab", "27": "abc",
}  # fmt: skip
"""Items of TRIPOD+AI with parts; the others have none."""


def test_claim_has_its_44_items_in_order() -> None:
    assert NUMBERS["claim-2024"] == [str(number) for number in range(1, 45)]


def test_tripod_has_its_27_items_and_their_parts_in_order() -> None:
    wanted = [f"{n}{part}" for n in range(1, 28) for part in TRIPOD_PARTS.get(str(n), ("",))]
    assert NUMBERS["tripod-ai"] == wanted
    assert len(wanted) == 52


def test_tripod_marks_what_it_asks_of_development_or_of_evaluation_alone() -> None:
    marks = {
        item.number: item.asks[-2]
        for section in FORMS["tripod-ai"].sections
        for item in section.items
        if item.asks.endswith((" (D)", " (E)"))
    }
    of_evaluation = dict.fromkeys(("12f", "12g", "20c", "24"), "E")
    assert marks == of_evaluation | dict.fromkeys(("9a", "12a", "12b", "12c", "15", "22", "27a", "27b"), "D")


def test_annex_iv_has_its_nine_points() -> None:
    numbers = NUMBERS["eu-ai-act-annex-iv"]
    assert list(dict.fromkeys(number.partition("(")[0] for number in numbers)) == list("123456789")
    parts = {point: "".join(re.findall(rf"{point}\((.)\)", " ".join(numbers))) for point in "12"}
    assert parts == {"1": "abcdefgh", "2": "abcdefgh"}


def test_the_model_card_has_the_nine_sections_of_mitchell() -> None:
    titles = [section.title for section in FORMS["model-card"].sections]
    assert titles == [
        "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
        "Quantitative analyses", "Ethical considerations", "Caveats and recommendations",
    ]  # fmt: skip


def test_the_draft_guidance_is_asked_for_performance_groups_repeatability_and_limits() -> None:
    asked = {
        part for section in FORMS["fda-ai-device"].sections for item in section.items for part in item.parts
    }
    assert {"results.classification", "results.groups", "robust.repeatability", "robust.limits"} <= asked


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_items_have_a_number_of_their_own_and_known_questions(form: Form) -> None:
    assert [number for number, count in Counter(NUMBERS[form.name]).items() if count > 1] == []
    for section in form.sections:
        for item in section.items:
            assert item.parts
            asked = (*item.parts, *item.also)
            assert set(asked) <= QUESTIONS.keys(), item.number
            assert len(set(asked)) == len(asked), item.number


def test_every_question_is_asked_by_some_form() -> None:
    asked = {
        part
        for form in FORMS.values()
        for section in form.sections
        for item in section.items
        for part in item.parts
    }
    assert QUESTIONS.keys() - asked == set()


def test_what_says_more_than_a_form_asks_is_shown_and_never_open() -> None:
    items = (
        Item("1", "asks", ("model.name",), also=("use.users",)),
        Item("2", "asks", ("use.users",), also=("model.name",)),
    )
    answers = {"model.name": (Answer("a network", Source("manifest.json")),), "use.users": ()}
    first, second = fill(Form("form", "Form", "", (Section("section", items),)), answers).items
    assert (first.state, [part.name for part in first.parts]) == ("filled", ["model.name"])
    assert (second.state, second.open) == ("partly", ("intended users",))
    assert [answer.text for answer in second.answers] == ["a network"]


def test_an_item_is_filled_only_if_every_part_has_an_answer() -> None:
    items = tuple(
        Item(str(number), "asks", parts)
        for number, parts in enumerate([("model.name",), ("model.name", "use.users"), ("use.users",)])
    )
    answers = {"model.name": (Answer("a network", Source("manifest.json")),), "use.users": ()}
    filled = fill(Form("form", "Form", "", (Section("section", items),)), answers)
    assert [item.state for item in filled.items] == ["filled", "partly", "open"]
    assert [item.open for item in filled.items] == [(), ("intended users",), ("intended users",)]
    assert filled.counted == "1 of 3 filled, 1 partly, 1 open"
