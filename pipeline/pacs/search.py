"""Search: the objects of the studies that match (QIDO-RS, PS3.18, 10.6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.errors import CaseError, PacsError
from pipeline.pacs.patience import Transient, tried
from pipeline.pacs.web import DicomWeb

PAGE: Final = 200
"""Entries asked for at a time."""
MOST_PAGES: Final = 100_000
UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST_UID: Final = 64
STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"
"""Tags of the unique identifiers of the three levels."""
EXACT: Final = {
    "PatientID": "00100020",
    "AccessionNumber": "00080050",
    "StudyInstanceUID": STUDY,
    "SeriesInstanceUID": SERIES,
}
"""Filter by an identifier → tag of what an answer states of it."""
PATTERN: Final = frozenset("*?,\\")
"""Letters of wildcards and lists, which match more than one value."""

Page = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """One object of the archive by its identifiers, as the archive states them: see `is_valid`."""

    study: str
    series: str
    instance: str

    @property
    def is_valid(self) -> bool:
        """Whether all three can be unique identifiers (PS3.5, 9.1), and hence parts of a URL."""
        return all(is_uid(part) for part in (self.study, self.series, self.instance))


def is_uid(text: str) -> bool:
    """Whether a text can be a unique identifier."""
    return len(text) <= LONGEST_UID and UID.fullmatch(text) is not None


def found_objects(web: DicomWeb) -> Iterator[Found]:
    """The objects of all studies that match the address, each study's after the other.

    Raises PacsError if the archive cannot be asked.
    """
    for study in _level(web, web.client.search_for_studies, STUDY, dict(web.address.studies)):
        if not is_uid(study):
            yield Found(study, "", "")
        elif web.address.series:
            yield from _of_series(web, study)
        else:
            yield from _instances(web, study, None)


def _of_series(web: DicomWeb, study: str) -> Iterator[Found]:
    def search(**options: Any) -> Page:
        return web.client.search_for_series(study, **options)

    for series in _level(web, search, SERIES, dict(web.address.series)):
        if is_uid(series):
            yield from _instances(web, study, series)
        else:
            yield Found(study, series, "")


def _instances(web: DicomWeb, study: str, series: str | None) -> Iterator[Found]:
    def search(**options: Any) -> Page:
        return web.client.search_for_instances(study, series, **options)

    for entry in _pages(web, search, {}):
        yield Found(study, series or _value(entry, SERIES), _value(entry, INSTANCE))


def _level(web: DicomWeb, search: Callable[..., Page], tag: str, filters: dict[str, str]) -> Iterator[str]:
    known: set[str] = set()
    for entry in _pages(web, search, filters):
        _refuse_unasked(web, entry, filters)
        uid = _value(entry, tag)
        if uid not in known:  # pages may overlap while the archive grows
            known.add(uid)
            yield uid


def _refuse_unasked(web: DicomWeb, entry: Mapping[str, Any], filters: Mapping[str, str]) -> None:
    """Raise PacsError if an answer states another value than was asked for; capitals make no difference.

    An element without a value states nothing.
    """
    for name, tag in EXACT.items():
        wanted = filters.get(name, "*")
        stated = _value(entry, tag)
        if not stated or not PATTERN.isdisjoint(wanted):
            continue
        if stated.casefold() != wanted.strip().casefold():
            raise PacsError(
                f"{web.host}: ignores the filter {name}: it names studies of another value; search by "
                "a filter that it follows"
            )


def _pages(
    web: DicomWeb, search: Callable[..., Page], filters: dict[str, str]
) -> Iterator[Mapping[str, Any]]:
    """All entries, page by page: until a page is empty, or repeats the one before (no paging there)."""
    offset = 0
    before: Page = []
    for _ in range(MOST_PAGES):
        page = _page(web, search, filters, offset)
        if not page or page == before:
            return
        yield from page
        if len(page) > PAGE:
            return  # the archive ignores the size of pages, and sent all
        offset += len(page)
        before = page
    raise PacsError(f"{web.host}: a search does not end; narrow the filters")


def _page(web: DicomWeb, search: Callable[..., Page], filters: dict[str, str], offset: int) -> Page:
    def ask() -> Page:
        try:
            found = search(limit=PAGE, offset=offset, search_filters=filters)
        except ValueError as error:  # JSON that is none
            raise Transient("it answers a search with something else than JSON") from error
        if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
            raise PacsError(f"{web.host}: answers a search with something else than a list")
        return found

    try:
        return tried(ask, web.patience, host=web.host)
    except CaseError as error:
        raise PacsError(f"{web.host}: a search fails: {error.message}") from error


def _value(entry: Mapping[str, Any], tag: str) -> str:
    """The first value of an element in DICOM JSON (PS3.18, F.2); empty if there is none."""
    element = entry.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    first = values[0] if isinstance(values, list) and values else ""
    return first.strip() if isinstance(first, str) else ""
