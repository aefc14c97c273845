"""Send: one object to the archive (STOW-RS, PS3.18, 10.5), and what the archive says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any, Final, Literal

import requests

from pipeline.errors import CaseError, PacsError
from pipeline.guards.json_files import parse_json
from pipeline.pacs.multipart import message_of
from pipeline.pacs.patience import Transient, tried
from pipeline.pacs.retrieve import retrieve
from pipeline.pacs.same import is_same
from pipeline.pacs.search import Found
from pipeline.pacs.session import CONFLICT
from pipeline.pacs.web import DicomWeb

STORED, FAILED, REASON, UID = "00081199", "00081198", "00081197", "00081155"
"""Tags of the answer (PS3.18, table I.1-1): objects stored, objects refused, why, and which."""
DUPLICATE: Final = 0x0111
NO_ROOM: Final = range(0xA700, 0xA800)
REASONS: Final = {
    0x0110: "processing failure",
    0x0122: "it stores no objects of this class",
    0x0124: "not authorised",
}
JSON: Final = "application/dicom+json"

Stored = Literal["stored", "there"]
"""Stored now, or there already with the same content."""


def send(web: DicomWeb, found: Found, content: bytes) -> Stored:
    """Store a DICOM file, which is sent once: again only if no answer, or a transient one, came.

    Raises PacsError, or CaseError "refused", "server_error", "other_content" (another object has the UID).
    """

    def once() -> Stored:
        body, kind = message_of(content)
        answer = web.session.post(
            f"{web.address.base}/studies/{found.study}",
            data=BytesIO(body),  # sent in pieces, each with its own time-out
            headers={"Content-Type": kind, "Accept": JSON},
        )
        return _read(web, found, content, answer)

    return tried(once, web.patience, host=web.host)


def _read(web: DicomWeb, found: Found, content: bytes, answer: requests.Response) -> Stored:
    said = _json(answer)
    failure = next((item for item in _items(said, FAILED) if _first(item, UID) == found.instance), None)
    if failure is None and any(_first(item, UID) == found.instance for item in _items(said, STORED)):
        return "stored"
    reason = _first(failure or {}, REASON)
    if isinstance(reason, int) and reason in NO_ROOM:
        raise PacsError(f"{web.host}: has no room left; make room there, then rerun the same command")
    if answer.status_code == CONFLICT or reason == DUPLICATE or failure is None:
        return _there(web, found, content, reason)
    raise _refusal(reason)


def _there(web: DicomWeb, found: Found, content: bytes, reason: object) -> Stored:
    """What a conflict, or an answer without the object's UID, means: it is there, or another, or none."""
    with TemporaryFile() as kept:
        try:
            retrieve(web, found, kept)
        except CaseError as error:
            if error.reason == "missing":
                raise _refusal(reason) from error
            raise
        kept.seek(0)
        if is_same(content, kept):
            return "there"
    raise CaseError("other_content", "another object with this UID is in the archive; look at it there")


def _refusal(reason: object) -> CaseError:
    if not isinstance(reason, int):
        return CaseError("refused", "the archive refuses it without a reason; ask its log")
    said = REASONS.get(reason, "see the archive's conformance statement")
    return CaseError("refused", f"the archive refuses it (reason {reason:#06x}: {said})")


def _json(answer: requests.Response) -> Mapping[str, Any]:
    """The answer in DICOM JSON; empty if it is in another form, or there is none."""
    if "json" not in answer.headers.get("Content-Type", "") or not answer.content:
        return {}
    try:
        said = parse_json(answer.content)
    except CaseError as error:
        raise Transient("the answer is not JSON", of_object=True) from error
    if isinstance(said, list):
        said = said[0] if said else {}
    return said if isinstance(said, Mapping) else {}


def _items(said: Mapping[str, Any], tag: str) -> Iterator[Mapping[str, Any]]:
    element = said.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    yield from (item for item in (values if isinstance(values, list) else ()) if isinstance(item, Mapping))


def _first(item: Mapping[str, Any], tag: str) -> object:
    element = item.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    return values[0] if isinstance(values, list) and values else None
