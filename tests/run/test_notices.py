"""Notices of a run: one list, worst first, with pseudonyms where it is written down."""

from __future__ import annotations

from pipeline.records import Notice
from pipeline.run.notices import collected, entries, names_of, stated
from tests.cohort.cases import pseudonym

GUESS = Notice(
    "guess", "annotations.sources", "{0} is boxes", ("john.csv",), {"annotations": {"path": "john.csv"}}
)
WARNING = Notice("warning", "studies", "all images are dark")


def test_all_parts_are_one_list_without_repetitions_warnings_first() -> None:
    assert collected([GUESS], [WARNING, GUESS], ()) == (WARNING, GUESS)


def test_what_is_written_down_holds_pseudonyms_that_lead_back() -> None:
    (entry,) = entries([GUESS], pseudonym)
    assert entry == {
        "kind": "guess",
        "about": "annotations.sources",
        "message": "name-john.csv is boxes",
        "pin": "annotations: {path: name-john.csv}",
    }
    assert names_of([GUESS, WARNING], pseudonym) == {"name-john.csv": "john.csv"}


def test_all_guesses_are_stated_by_one_config() -> None:
    findings = Notice("guess", "annotations.findings", "words", (), {"annotations": {"findings": {"A": "a"}}})
    more = Notice("guess", "annotations.findings", "words", (), {"annotations": {"findings": {"B": None}}})
    advice = Notice("warning", "annotations", "words", (), {"annotations": {"no_finding": ["none"]}})
    assert stated([GUESS, findings, more, advice]) == {
        "annotations": {"path": "john.csv", "findings": {"A": "a", "B": None}}
    }
