"""XML fields: values of elements of an XML file, with their presence checked."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from pipeline.errors import CaseError
from pipeline.records import Shape


def text_in(element: Element, path: str) -> str:
    """The stripped text at the path; empty if it is missing."""
    return (element.findtext(path) or "").strip()


def number_in(element: Element, path: str) -> float:
    """The number at the path. Raises CaseError "bad_entry"."""
    return as_number(text_in(element, path), path)


def attribute(element: Element, name: str) -> str:
    """An attribute's value. Raises CaseError "bad_entry" if it is missing."""
    value = element.get(name)
    if value is None:
        raise CaseError("bad_entry", f'has a <{element.tag[:40]}> without "{name}"; export it again')
    return value


def number_of(element: Element, name: str) -> float:
    """An attribute's number. Raises CaseError "bad_entry"."""
    return as_number(attribute(element, name), name)


def as_number(text: str, name: str) -> float:
    """The number. Raises CaseError "bad_entry"."""
    try:
        return float(text)
    except ValueError as error:
        raise CaseError("bad_entry", f"A shape has a {name} that is not a number; correct it.") from error


def size_of(rows: str | None, columns: str | None) -> Shape | None:
    """The size in two texts; None if it is not stated."""
    if rows and columns and rows.isdecimal() and columns.isdecimal() and len(rows + columns) < 20:  # noqa: PLR2004
        size = int(rows), int(columns)
        return size if min(size) > 0 else None
    return None
