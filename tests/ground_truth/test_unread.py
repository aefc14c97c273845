"""Tests of the rows and warnings about files that are not read."""

from __future__ import annotations

from pipeline.annotations.unread import Unread
from pipeline.ground_truth.unread import MOST_LISTED, listed, unread_notices
from tests.cohort.cases import pseudonym


def test_files_are_listed_under_pseudonyms_and_counted_where_there_are_too_many() -> None:
    files = [Unread(f"{n}.txt", "other_format", "no format") for n in range(MOST_LISTED + 5)]
    rows, names = listed([*files, Unread("a.csv", "not_labels", "no label")], pseudonym)
    assert len(rows) == MOST_LISTED + 2
    assert names["file-unread-a.csv"] == "a.csv"
    assert (rows[0].subject, rows[0].stage) == ("file-unread-0.txt", "unread")
    assert rows[MOST_LISTED].message == "5 more files: no format"


def test_files_that_may_have_been_meant_to_be_read_make_a_warning_per_reason() -> None:
    masks = [Unread(f"Node{n}/{m}.png", "mask_folder", "{x} is no finding") for n in (1, 2) for m in range(3)]
    (warning,) = unread_notices([*masks, Unread("a.txt", "other_format", "no format")])
    assert warning.kind == "warning"
    assert warning.text() == "Below the annotations, 6 files are not read (Node1, Node2): {x} is no finding"
