"""Rooms: what kind of object a file of an archive is, by its header."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipeline.guards.reading import ANY_SIZE, guarded, open_file
from pipeline.loaders.dataset import read_elements
from pipeline.records.names import PRODUCT
from pipeline.retrieval.cache import Room

HEADER: Final = ["SOPInstanceUID", "Manufacturer", "SOPClassUID"]
STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
OBJECT_CLASSES: Final = (
    f"{STORAGE}11.", f"{STORAGE}30", f"{STORAGE}66.", f"{STORAGE}88.", f"{STORAGE}481.3",
)  # fmt: skip
"""Beginnings of the classes of objects that are no images: presentation states, parametric maps,
segmentations, structured reports and key objects, RT Structure Sets (PS3.6, table A-1)."""


def uid_and_room(file: Path) -> tuple[str, Room]:
    """The object's SOP instance UID as it stands there, and its room.

    Raises CaseError "not_dicom" or "unreadable" if its header cannot be read.
    """
    with open_file(file, most_bytes=ANY_SIZE, what="the file") as opened:
        header, _ = read_elements(opened, HEADER)
    with guarded("not_dicom", "the archive sent a file whose header cannot be read"):
        uid, made_by, kind = (str(header.get(name) or "") for name in HEADER)
    if made_by == PRODUCT:
        return uid, "own"
    return uid, "objects" if kind.startswith(OBJECT_CLASSES) else "images"
