"""Tests of values of XML files."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

import pytest

from pipeline.annotations.xml_fields import attribute, number_in, number_of, size_of, text_in
from pipeline.errors import CaseError


def test_texts_and_numbers_are_found_and_their_absence_is_refused() -> None:
    element = Element("box", x="1.5", y="a")
    SubElement(element, "name").text = " 7 "
    assert (text_in(element, "name"), text_in(element, "other"), number_in(element, "name")) == ("7", "", 7)
    assert (attribute(element, "y"), number_of(element, "x")) == ("a", 1.5)
    for wrong in (
        lambda: attribute(element, "z"),
        lambda: number_of(element, "y"),
        lambda: number_in(element, "other"),
    ):
        with pytest.raises(CaseError) as refused:
            wrong()
        assert refused.value.reason == "bad_entry"


@pytest.mark.parametrize(
    ("rows", "columns", "size"),
    [
        ("3", "4", (3, 4)),
        ("0", "4", None),
        ("-3", "4", None),
        ("3.5", "4", None),
        ("3", None, None),
        ("", "4", None),
        ("9" * 5000, "4", None),
    ],
)
def test_a_size_is_two_whole_numbers_above_0_or_unknown(
    rows: str | None, columns: str | None, size: tuple[int, int] | None
) -> None:
    assert size_of(rows, columns) == size
