"""CSV injection: no escaped text begins a formula, and unescaping restores every text."""

from __future__ import annotations

from itertools import product

import pytest

from pipeline.guards.csv_injection import escape_formulas, unescape_formulas


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("nodule", "nodule"),
        ("a=1; b-c", "a=1; b-c"),
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ('"=1"', '\'"=1"'),
        ("＝1+1", "'＝1+1"),
        ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
        ("x\t@SUM(1)", "x\t'@SUM(1)"),
        ("x\n=1;+2", "x\n'=1;'+2"),
        ("-;-", "'-;'-"),
    ],
)
def test_what_begins_like_a_formula_has_an_apostrophe_before_it(text: str, cell: str) -> None:
    assert escape_formulas(text) == cell


def test_every_text_comes_back_and_begins_no_cell_as_a_formula() -> None:
    for length in range(6):
        for characters in product("a=;\t' ", repeat=length):
            text = "".join(characters)
            assert unescape_formulas(escape_formulas(text)) == text
            cells = escape_formulas(text).replace("\t", ";").split(";")
            assert not any(cell.startswith("=") for cell in cells), text


def test_text_that_was_never_guarded_stays_as_it_is() -> None:
    for text in ("'nodule'", "=a", "it's; 'so'", ""):
        assert unescape_formulas(text) == text
