"""XML files: read with bounds, without document types and entities, which can name other files or grow."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from pipeline.errors import CaseError
from pipeline.guards.reading import guarded, read_file

LARGEST_BYTES = 2**26
MOST_ELEMENTS = 2_000_000
DEEPEST = 32
"""Elements within each other."""
NOT_XML = "is not XML; correct it, or export it again"
DOCUMENT_TYPE = "has a document type or entities, which are not read; remove <!DOCTYPE …>"


def read_xml(path: str | Path, *, most_bytes: int = LARGEST_BYTES) -> Element:
    """The root element of an XML file.

    Raises CaseError: "not_a_file", "unreadable", "too_large" (bytes or elements) or "not_xml".
    """
    return parse_xml(read_file(path, most_bytes=most_bytes))


def parse_xml(content: bytes) -> Element:
    """The root element of an XML text, whose comments and instructions are left out. Raises CaseError."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.builder.data
    with guarded("not_xml", NOT_XML):
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            where = f"(line {error.lineno}, column {error.offset + 1})"
            raise CaseError("not_xml", NOT_XML.replace(";", f" {where};", 1)) from error
        return reader.builder.close()


class _Reader:
    """Builds a tree within bounds."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self._count = self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element. Raises CaseError."""
        self._count += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise CaseError("not_xml", f"has elements more than {DEEPEST} levels deep; export it again")
        if self._count > MOST_ELEMENTS:
            raise CaseError("too_large", f"has more than {MOST_ELEMENTS:,} elements; split it")
        self.builder.start(name, attributes)

    def end(self, name: str) -> None:
        """End an element."""
        self._depth -= 1
        self.builder.end(name)


def _refuse(*_: object) -> NoReturn:
    raise CaseError("not_xml", DOCUMENT_TYPE)
