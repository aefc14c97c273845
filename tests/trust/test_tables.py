"""Tests of the tables and promises, on answers made by hand."""

from __future__ import annotations

import pytest

from tests.trust import baseline
from tests.trust.audits import Answer, Said
from tests.trust.baseline import worse
from tests.trust.defects import DEFECTS, LESIONS
from tests.trust.jobs import Job
from tests.trust.tables import END, PAGE, START, aligned, documented, dose_table, family_table, missed

CLEAN = Answer(dict.fromkeys(LESIONS, Said("shown")))
NAMED = Answer(dict.fromkeys(LESIONS, Said("masks")))
WRONG = Answer(dict.fromkeys(LESIONS, Said("card")))
SHIFTED = DEFECTS["masks_shifted"].doses


def answers(full: Answer, *, twin: Answer = CLEAN) -> dict[Job, Answer]:
    doses = {Job(1, "masks_shifted", dose): CLEAN for dose in SHIFTED[:-1]}
    return {**doses, Job(1, "masks_shifted", SHIFTED[-1]): full, Job(1, "plain"): twin}


def test_families_are_scored_at_full_dose() -> None:
    lines = family_table(answers(NAMED))
    assert [line.split()[:2] for line in lines if line.startswith(("set", "card"))] == [
        ["card", "-"],
        ["set", "1/1"],
    ]
    assert lines[-1] == "clean setups with a false alarm: 0/1 .00 [.00, .97]"  # 1 - .025


def test_each_dose_has_a_line_and_the_last_says_where_half_is_seen() -> None:
    rows = [line.split() for line in dose_table(answers(NAMED))[2:]]
    assert [row[2:4] for row in rows] == [["0.03", "0/1"], ["0.06", "0/1"], ["0.1", "1/1"]]
    assert rows[-1][-1] == "0.1"
    assert dose_table(answers(CLEAN))[-1].endswith("never")


def test_promises() -> None:
    assert missed(answers(NAMED)) == []
    assert [text.split()[0] for text in missed(answers(CLEAN))] == ["alarm", "named"]
    assert [text.split()[0] for text in missed(answers(WRONG))] == ["named", "misblamed"]
    assert [text.split()[0] for text in missed(answers(NAMED, twin=WRONG))] == ["false"]


def test_a_baseline_may_be_kept_or_bettered() -> None:
    before = {"named": {"card": 2, "set": 1}, "false_alarms": ["plain"]}
    assert worse({"named": {"card": 2, "set": 3}, "false_alarms": []}, before) == []
    assert worse({"named": {"card": 1, "set": 1}, "false_alarms": ["plain", "scaled"]}, before) == [
        "card: 1 named, 2 before",
        "scaled: a false alarm, none before",
    ]


def test_the_committed_baseline_is_of_the_quick_jobs() -> None:
    stored = baseline.stored()
    counted = dict.fromkeys(stored["named"], 0)
    for name in baseline.DEFECTS_OF_QUICK:
        counted[DEFECTS[name].family] += 1
    assert all(0 <= stored["named"][family] <= count for family, count in counted.items())
    assert set(stored["false_alarms"]) <= set(baseline.TWINS_OF_QUICK)
    assert len(baseline.quick_jobs()) == 14


def test_a_page_gets_the_tables_between_its_marks() -> None:
    page = documented(f"Before.\n{START}\nold\n{END}\nAfter.\n", answers(NAMED))
    assert page.startswith(f"Before.\n{START}\n```text\nfamily")
    assert page.endswith(f"```\n{END}\nAfter.\n")
    assert "old" not in page
    with pytest.raises(ValueError, match="make trust"):
        documented("Without marks.", answers(NAMED))


def test_columns_are_aligned() -> None:
    assert aligned([("a", "bb"), ("ccc", "d")]) == ["a    bb", "-------", "ccc  d"]


def test_the_page_of_conclusions_has_a_place_for_the_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(START) == page.count(END) == 1
    assert page.index(START) < page.index(END)
