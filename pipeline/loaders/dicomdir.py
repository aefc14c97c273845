"""DICOMDIR: the files that a directory of a medium names, PS3.10, 8.6, and PS3.3, F.3."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from pipeline.errors import CaseError
from pipeline.loaders.dataset import parse_dataset, read_bytes, refusing

NAME: Final = "DICOMDIR"
"""The name of a directory, PS3.10, 8.5; other files are not looked into."""
MOST_RECORDS: Final = 500_000


def named_files(path: Path) -> tuple[tuple[str, ...], ...]:
    """The parts of the path of each file that a DICOMDIR names, relative to its own folder.

    Raises CaseError "unreadable", "not_dicom" or "too_large".
    """
    dataset = parse_dataset(read_bytes(path))
    with refusing("unreadable", "the directory cannot be read"):
        records = dataset.get("DirectoryRecordSequence") or []
        if len(records) > MOST_RECORDS:
            raise CaseError(
                "too_large", f"the directory has more than {MOST_RECORDS:,} records; leave it out"
            )
        return tuple(parts for record in records if (parts := _parts(record)))


def _parts(record: Dataset) -> tuple[str, ...]:
    found = record.get("ReferencedFileID") or ()
    return tuple(map(str, found)) if isinstance(found, MultiValue | list | tuple) else (str(found),)
