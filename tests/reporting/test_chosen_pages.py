"""Chosen pages: which images get a page, for what, and in which order, on surveys small enough to check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.records import Summary
from pipeline.reporting import chosen_pages
from pipeline.reporting.chosen_pages import EXTREMES, OF_EACH_WARNING, RANDOM, ChosenPage, choose_pages
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Row, Survey

NODULE = ("nodule",)


def names(count: int) -> list[str]:
    return [f"c{number:03}" for number in range(count)]


def run_of(case_ids: Sequence[str], findings: Sequence[str] = NODULE, *, scored: bool = False) -> RunFolder:
    """A run whose overview shows no picture unless it is scored, or a contour is drawn."""
    summary = Summary("nodule", "A", "gradcam", "hit", 1, {}, 1, 1.0, None, None)
    return RunFolder(
        Path("run"), {"findings": list(findings)}, (), (summary,) if scored else (), (), tuple(case_ids)
    )


def row(
    case_id: str,
    outcome: str,
    probability: float | None = None,
    *,
    iou: float | None = None,
    finding: str = "nodule",
) -> Row:
    return Row(case_id, finding, outcome, probability, positive=False, iou=iou, box_iou=None)


def survey_of(
    *rows: Row, cautions: Sequence[tuple[str, str]] = (), disputed: Sequence[tuple[str, str]] = ()
) -> Survey:
    """`cautions`: case id and reason."""
    texts = tuple((case_id, reason, "a sentence") for case_id, reason in cautions)
    return Survey(rows, (), {}, {}, {}, {}, cautions=texts, disputed=tuple(disputed))


def chosen(
    run: RunFolder, survey: Survey, *, count: int | None = None, seed: int = 1
) -> list[tuple[str, str, str]]:
    """Case, reason and finding of each page."""
    pages = choose_pages(run, survey, count=count, seed=seed)
    return [(page.case_id, page.chosen_as, page.finding) for page in pages]


def shuffled(case_ids: Sequence[str], seed: int = 1) -> list[str]:
    """All images in the order of chance."""
    found = chosen(run_of(case_ids), survey_of(), count=len(case_ids), seed=seed)
    return [case_id for case_id, _, _ in found]


@pytest.fixture
def no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_pages, "RANDOM", 0)


@pytest.mark.usefixtures("no_sample")
def test_the_worst_and_the_best_ten_of_a_finding_take_turns() -> None:
    case_ids = names(24)
    rows = [row(case_id, "not_drawn", number / 100) for number, case_id in enumerate(case_ids)]
    wanted: list[tuple[str, str, str]] = []
    for place in range(10):  # where nothing is drawn, the highest probability is the worst
        wanted += [(case_ids[23 - place], "worst", "nodule"), (case_ids[place], "best", "nodule")]
    assert EXTREMES == 10
    assert chosen(run_of(case_ids), survey_of(*rows)) == wanted


@pytest.mark.usefixtures("no_sample")
def test_worse_outcomes_come_first_and_quiet_ones_never() -> None:
    outcomes = ("clear", "outlined", "false_contour", "unjudged", "not_drawn", "located", "elsewhere")
    rows = [row(outcome, outcome) for outcome in outcomes]
    found = chosen(run_of(outcomes), survey_of(*rows))
    assert found == [
        ("elsewhere", "worst", "nodule"),
        ("outlined", "best", "nodule"),
        ("not_drawn", "worst", "nodule"),
        ("located", "best", "nodule"),
        ("false_contour", "worst", "nodule"),  # without a lesion, it is never a best one
    ]


@pytest.mark.usefixtures("no_sample")
def test_an_image_without_a_lesion_is_never_the_best_of_a_finding() -> None:
    case_ids = names(EXTREMES + 1)
    rows = [row(case_id, "false_contour", number / 100) for number, case_id in enumerate(case_ids)]
    found = chosen(run_of(case_ids), survey_of(*rows))
    assert found == [(case_id, "worst", "nodule") for case_id in reversed(case_ids[1:])]


@pytest.mark.usefixtures("no_sample")
def test_findings_take_turns_in_the_order_of_the_network() -> None:
    rows = [
        *(row(f"m{number}", "not_drawn", number / 10, finding="mass") for number in range(4)),
        *(row(f"n{number}", "not_drawn", number / 10) for number in range(4)),
    ]
    run = run_of([entry.case_id for entry in rows], ("nodule", "mass"))
    assert chosen(run, survey_of(*rows)) == [
        ("n3", "worst", "nodule"), ("n0", "best", "nodule"), ("m3", "worst", "mass"), ("m0", "best", "mass"),
        ("n2", "worst", "nodule"), ("n1", "best", "nodule"), ("m2", "worst", "mass"), ("m1", "best", "mass"),
    ]  # fmt: skip


@pytest.mark.usefixtures("no_sample")
def test_what_readers_dispute_is_chosen_for_its_finding() -> None:
    disputed = [("c002", "mass"), ("c000", "nodule"), ("c002", "nodule")]
    found = chosen(run_of(names(4), ("nodule", "mass")), survey_of(disputed=disputed))
    assert found == [("c002", "disputed", "mass"), ("c000", "disputed", "nodule")]


@pytest.mark.usefixtures("no_sample")
def test_of_each_warning_so_many_images_are_chosen_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_pages, "OF_EACH_WARNING", 2)
    case_ids = names(8)
    by_chance = shuffled(case_ids)
    rare, late = by_chance[4], by_chance[-1]  # each has a second warning, listed before or after that of all
    of_all = ((case_id, "burned_in_text") for case_id in case_ids)
    cautions = [(rare, "odd_spacing"), *of_all, (late, "no_view")]
    found = chosen(run_of(case_ids), survey_of(cautions=cautions))
    assert found == [(case_id, "warned", "") for case_id in (*by_chance[:2], rare, late)]


@pytest.mark.usefixtures("no_sample")
def test_an_image_without_a_warning_is_not_chosen_for_one() -> None:
    cautions = [("c001", "burned_in_text"), ("c001", "odd_spacing")]
    assert chosen(run_of(names(3)), survey_of(cautions=cautions)) == [("c001", "warned", "")]


def test_a_warning_of_every_image_leaves_room_for_the_sample() -> None:
    case_ids = names(500)
    by_chance = shuffled(case_ids)
    found = chosen(run_of(case_ids), survey_of(cautions=[(name, "burned_in_text") for name in case_ids]))
    assert (OF_EACH_WARNING, RANDOM) == (100, 200)
    assert found == [
        *((case_id, "warned", "") for case_id in by_chance[:100]),
        *((case_id, "random", "") for case_id in by_chance[100:200]),
    ]


def test_the_sample_depends_on_the_seed_and_the_pseudonyms_alone() -> None:
    case_ids = names(250)
    first, other = shuffled(case_ids), shuffled(case_ids, seed=2)
    assert first == shuffled(case_ids)
    assert first == shuffled(case_ids[::-1])
    assert sorted(first) == sorted(other) == case_ids
    assert len({*first[:50]} & {*other[:50]}) < 25
    assert first[:50] != case_ids[:50]


def test_a_sample_has_200_images() -> None:
    case_ids = names(250)
    wanted = [(case_id, "random", "") for case_id in shuffled(case_ids, seed=7)[:200]]
    assert chosen(run_of(case_ids), survey_of(), seed=7) == wanted


@pytest.mark.parametrize("count", [1, 3, 12, 240])
def test_a_number_is_kept_the_most_telling_first_and_then_chance(count: int) -> None:
    case_ids = names(250)
    disputed = [(case_id, "nodule") for case_id in case_ids[:10]]
    found = chosen(run_of(case_ids), survey_of(disputed=disputed), count=count)
    rest = [case_id for case_id in shuffled(case_ids) if case_id not in case_ids[:10]]
    wanted = [(case_id, "disputed", "nodule") for case_id in case_ids[:10]]
    assert found == [*wanted, *((case_id, "random", "") for case_id in rest)][:count]


def test_a_number_beyond_that_of_the_images_chooses_each_once() -> None:
    found = chosen(run_of(names(5)), survey_of(disputed=[("c003", "nodule")]), count=9)
    assert sorted(case_id for case_id, _, _ in found) == names(5)
    assert found[0] == ("c003", "disputed", "nodule")


def test_a_run_without_images_has_no_page() -> None:
    assert chosen(run_of([]), survey_of()) == chosen(run_of([]), survey_of(), count=3) == []


def test_reasons_have_an_order_and_each_image_keeps_its_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_pages, "RANDOM", 7)
    rows = [
        row("hit", "outlined", iou=0.75),
        row("miss", "elsewhere", iou=0.0),
        row("false", "false_contour"),
    ]
    disputed = [(case_id, "nodule") for case_id in ("false", "miss", "seen")]
    cautions = [(case_id, "burned_in_text") for case_id in ("seen", "hit", "text")]
    run = run_of(("left", "text", "seen", "false", "miss", "hit"), scored=True)
    assert chosen(run, survey_of(*rows, cautions=cautions, disputed=disputed)) == [
        ("hit", "overview", ""),
        ("miss", "overview", ""),
        ("false", "worst", "nodule"),
        ("seen", "disputed", "nodule"),
        ("text", "warned", ""),
        ("left", "random", ""),
    ]


def test_no_page_is_said_to_have_failed_before_it_is_drawn() -> None:
    assert choose_pages(run_of(["c"]), survey_of(), count=1, seed=1) == [ChosenPage("c", "random", "", "")]
