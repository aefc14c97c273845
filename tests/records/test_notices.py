"""Notices: names are shown or replaced, in the message and in the line that states the guess."""

from __future__ import annotations

import yaml

from pipeline.records import Notice

GUESS = Notice(
    "guess",
    "annotations.sources",
    "{0} is a table of boxes; its column {1} is the finding",
    ("boxes of John.csv", "klass"),
    {"annotations": {"sources": [{"format": "boxes", "file": "boxes of John.csv", "finding": "klass"}]}},
)


def test_the_terminal_shows_names() -> None:
    assert GUESS.text() == "boxes of John.csv is a table of boxes; its column klass is the finding"


def test_outputs_replace_them_everywhere() -> None:
    shown = {"boxes of John.csv": "file-1", "klass": "column-1"}.__getitem__
    assert GUESS.text(shown) == "file-1 is a table of boxes; its column column-1 is the finding"
    assert "John" not in GUESS.line(shown)
    assert "klass" not in GUESS.line(shown)


def test_a_word_that_is_called_like_a_key_of_the_config_leaves_the_key() -> None:
    pin = {"annotations": {"no_finding": ["no_finding"], "findings": {"no_finding": None}}}
    notice = Notice("warning", "annotations.no_finding", "{0} is unknown", ("no_finding",), pin)
    assert notice.line(lambda _: "name-1") == "annotations: {no_finding: [name-1], findings: {name-1: null}}"


def test_the_line_is_the_part_of_the_config() -> None:
    assert "\n" not in GUESS.line()
    assert yaml.safe_load(GUESS.line()) == GUESS.pin


def test_nothing_to_state_is_no_line() -> None:
    assert Notice("warning", "studies", "all images are dark").line() == ""
