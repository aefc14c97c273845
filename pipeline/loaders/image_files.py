"""Image files: files of a study folder, on the disk or in an archive, and their bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeAlias

from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, guarded, open_file
from pipeline.loaders.archives import Packed, read_member
from pipeline.loaders.dataset import THE_FILE, fingerprint, is_fully_hashed, read_bytes
from pipeline.records import ImagePlane, ImageSource, Shape

Place: TypeAlias = Path | Packed
"""Where a file is."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An open file of a study folder."""

    file: BinaryIO
    place: Place
    relative_path: str
    """Path below the study folder, with forward slashes; of a member, below its archive's path."""
    status: os.stat_result
    """Size and times of the file, or of the archive."""

    def size_bytes(self) -> int:
        """Number of bytes; of a member, unpacked."""
        return self.place.member.size_bytes if isinstance(self.place, Packed) else self.status.st_size

    def source(
        self,
        *,
        shape: Shape,
        attributes: Mapping[str, str],
        frame: int = 0,
        frames: int = 1,
        uid: str = "",
        patient: str = "",
        has_patient_id: bool = False,
        study_date: str = "",
        whole: bool = True,
        plane: ImagePlane | None = None,
        known: str = "",
    ) -> ImageSource:
        """The source of one frame. `known`: the fingerprint, if it was computed; see `fingerprint`."""
        packed = isinstance(self.place, Packed)
        return ImageSource(
            path=str((self.place.archive if isinstance(self.place, Packed) else self.place).absolute()),
            relative_path=self.relative_path,
            sop_instance_uid=uid,
            patient=patient or uid or self.relative_path,
            frame=frame,
            frames=frames,
            shape=shape,
            size_bytes=self.size_bytes(),
            modified_ns=self.status.st_mtime_ns,
            fingerprint=known or fingerprint(self.file),
            attributes=attributes,
            study_date=study_date,
            changed_ns=self.status.st_ctime_ns,
            whole=whole,
            plane=plane,
            has_patient_id=has_patient_id,
            member=self.place.member if packed and isinstance(self.place, Packed) else None,
        )


@contextmanager
def opened(place: Place, *, root: Path) -> Iterator[ImageFile]:
    """The file, open; a member of an archive is in memory. Raises CaseError as `open_file` does."""
    if isinstance(place, Packed):
        relative = printable(f"{place.archive.relative_to(root).as_posix()}/{place.member.name}")
        with open_file(place.archive, most_bytes=ANY_SIZE, what=THE_FILE) as archive:
            status = os.fstat(archive.fileno())
            yield ImageFile(BytesIO(read_member(archive, place.member)), place, relative, status)
        return
    relative = printable(place.relative_to(root).as_posix())
    with open_file(place, most_bytes=ANY_SIZE, what=THE_FILE) as file:
        yield ImageFile(file, place, relative, os.fstat(file.fileno()))


def read_content(source: ImageSource) -> bytes:
    """All bytes of an image's file. Raises CaseError "not_a_file", "unreadable" or "too_large"."""
    if source.member is None:
        return read_bytes(Path(source.path))
    with open_file(source.path, most_bytes=ANY_SIZE, what=THE_FILE) as archive:
        return read_member(archive, source.member)


def refuse_changed(source: ImageSource, data: bytes) -> None:
    """Raise CaseError "file_changed" if the file changed since it was listed.

    Files too large to be hashed completely are also compared by ctime, because mtime can be reset. Changed
    permissions or a new hard link therefore count as a change; the next run accepts the file.
    """
    if not source.fingerprint:
        return
    with guarded("unreadable", "the file cannot be read; export the file again"):
        status = Path(source.path).stat()
    changed = status.st_mtime_ns != source.modified_ns or fingerprint(BytesIO(data)) != source.fingerprint
    if changed or (not is_fully_hashed(len(data)) and status.st_ctime_ns != source.changed_ns):
        raise CaseError("file_changed", "the file changed after the folder was listed; start the run again")


def printable(path: str) -> str:
    """The path with bytes that are not UTF-8 escaped, so that it can be written to a text file."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
