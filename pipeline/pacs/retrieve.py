"""Retrieve: one object of the archive into a file, byte by byte as it is sent (WADO-RS, PS3.18, 10.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

import requests

from pipeline.errors import CaseError
from pipeline.pacs.multipart import boundary_of, only_part
from pipeline.pacs.patience import tried
from pipeline.pacs.search import Found
from pipeline.pacs.session import is_framed, rewind
from pipeline.pacs.web import DicomWeb

LARGEST_OBJECT: Final = 2**31
"""Bytes; larger files are not read as images either."""
ACCEPT: Final = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""Files as the archive keeps them, so that nothing is decoded or compressed on the way."""


def retrieve(web: DicomWeb, found: Found, target: IO[bytes]) -> None:
    """Write the object's file to `target`; a piece at a time is held in memory.

    Raises PacsError, or CaseError "bad_uid", "missing", "refused", "server_error", "too_large", "bad_answer".
    """
    if not found.is_valid:
        raise CaseError(
            "bad_uid", "the archive names an object by something that is no UID; correct it there"
        )
    url = f"{web.address.base}/studies/{found.study}/series/{found.series}/instances/{found.instance}"

    def once() -> None:
        rewind(target)
        answer = web.session.get(url, headers={"Accept": ACCEPT}, stream=True)
        with answer:  # also where what follows refuses it half read
            for piece in _file_in(web, answer):
                target.write(piece)

    tried(once, web.patience, host=web.host)


def _file_in(web: DicomWeb, answer: requests.Response) -> Iterator[bytes]:
    boundary = boundary_of(answer.headers.get("Content-Type", ""))
    if boundary is None and not is_framed(answer):
        raise CaseError("bad_answer", "the archive sends a file without saying where it ends")
    pieces = web.session.pieces(answer, most_bytes=LARGEST_OBJECT)
    return pieces if boundary is None else only_part(pieces, boundary)
