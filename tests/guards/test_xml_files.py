"""Tests of the guard of XML files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import CaseError
from pipeline.guards import xml_files
from pipeline.guards.xml_files import DEEPEST, parse_xml, read_xml

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol2 "&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;">]>
<lolz>&lol2;</lolz>"""


def refused(content: bytes) -> CaseError:
    with pytest.raises(CaseError) as error:
        parse_xml(content)
    return error.value


def test_elements_attributes_and_text_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text('<?xml version="1.0"?><!-- a --><a><b c="1">x &amp; \u00e9</b><b/></a>', encoding="utf-8")
    root = read_xml(file)
    first, second = root
    assert (root.tag, first.attrib, first.text, second.text) == ("a", {"c": "1"}, "x & \u00e9", None)


@pytest.mark.parametrize(
    "content",
    [
        LAUGHS,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://example.org/x.dtd"> %x;]><a/>',
        b"<!DOCTYPE a><a/>",
    ],
    ids=["billion laughs", "external type", "external entity", "parameter entity", "bare type"],
)
def test_document_types_and_entities_are_refused(content: bytes) -> None:
    assert (refused(content).reason, refused(content).message) == ("not_xml", xml_files.DOCUMENT_TYPE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b"a",
        b"<a/><b/>",
        b"<a>&lol;</a>",
        b"<a>\xff</a>",
        b"<a b='1' b='2'/>",
        b"<a>\0</a>",
    ],
)
def test_what_is_not_xml_is_refused_with_its_place(content: bytes) -> None:
    assert refused(content).reason == "not_xml"
    assert refused(content).message.startswith("is not XML (line 1, column ")


def test_an_unknown_encoding_is_refused() -> None:
    assert refused(b'<?xml version="1.0" encoding="no-such"?><a/>').reason == "not_xml"


def test_depth_and_number_of_elements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    parse_xml(b"<a>" * DEEPEST + b"</a>" * DEEPEST)
    assert "levels deep" in refused(b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1)).message
    monkeypatch.setattr(xml_files, "MOST_ELEMENTS", 3)
    parse_xml(b"<a><b/><b/></a>")
    assert refused(b"<a><b/><b/><b/></a>").reason == "too_large"
