"""Formats: what reads a file of a study folder, by its first bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from pipeline.errors import CaseError, ConfigError
from pipeline.loaders.archives import Packed, members
from pipeline.loaders.decoding import decode_dataset
from pipeline.loaders.display import Decoded
from pipeline.loaders.elements import Warn
from pipeline.loaders.foreign import HEAD_BYTES, foreign_format
from pipeline.loaders.greyscale import View
from pipeline.loaders.header import read_header as read_dicom
from pipeline.loaders.image_files import ImageFile, Place, opened, read_content, refuse_changed
from pipeline.loaders.parsed import content_of
from pipeline.loaders.pixels import refuse_too_many_pixels
from pipeline.loaders.raster import decode_picture, read_picture
from pipeline.loaders.reduced import reduced_shape
from pipeline.records import Caution, Image, ImageSource


class Decode(Protocol):
    """Makes an image of the bytes of its file."""

    def __call__(self, data: bytes, source: ImageSource, /, *, window: View, warn: Warn) -> Decoded: ...


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """What reads the files of one format."""

    read: Callable[[ImageFile], tuple[ImageSource, ...]]
    """The images of a file, without their pixels."""
    decode: Decode


def _read_volume(opened: ImageFile, *, kind: str) -> tuple[ImageSource, ...]:
    """Like `read_volume`, which loads SimpleITK."""
    from pipeline.loaders.volumes import read_volume  # noqa: PLC0415

    return read_volume(opened, kind)


def _decode_volume(data: bytes, source: ImageSource, /, *, window: View, warn: Warn, kind: str) -> Decoded:
    """Like `decode_volume`, which loads SimpleITK."""
    from pipeline.loaders.volumes import decode_volume  # noqa: PLC0415

    return decode_volume(data, source, window=window, warn=warn, kind=kind)


FORMATS: Final = {
    kind: ImageFormat(partial(read_picture, kind=kind), partial(decode_picture, kind=kind))
    for kind in ("PNG", "JPEG", "TIFF")
} | {
    kind: ImageFormat(partial(_read_volume, kind=kind), partial(_decode_volume, kind=kind))
    for kind in ("NIfTI", "NRRD", "MetaImage")
}
"""Name of a format in `foreign`, and attribute `file_format` → what reads it; all other files are DICOM."""
ARCHIVES: Final = frozenset({"ZIP", "tar"})


def read_header(place: Place, *, root: Path) -> tuple[ImageSource, ...]:
    """The images of a file below `root`, one per frame, without reading pixels.

    Raises CaseError, above all: "not_a_file", "unreadable", "not_dicom" (or of another unknown format),
    "not_an_image", "decode_failed", "too_large", and the reasons of `loaders.archives`.
    """
    if isinstance(place, Path):
        _refuse_folder(place)
    with opened(place, root=root) as file:
        return _sources(file, file.file.read(HEAD_BYTES))


def read_study_file(path: Path, *, root: Path) -> tuple[ImageSource | Packed, ...]:
    """The images of a file, or the files in an archive, which `read_header` reads in turn."""
    _refuse_folder(path)
    with opened(path, root=root) as file:
        head = file.file.read(HEAD_BYTES)
        if not _is_archive(head):
            return _sources(file, head)
    return members(path)


def _sources(file: ImageFile, head: bytes) -> tuple[ImageSource, ...]:
    """The images of a file with these first bytes."""
    if _is_archive(head):
        where = "in another one" if isinstance(file.place, Packed) else "and not an image"
        raise CaseError("packed_archive", f"the file is an archive {where}; unpack it")
    other = _format_of(head)
    return other.read(file) if other else read_dicom(file)


def decode(source: ImageSource, *, case_id: str, window: View = "header", coarsest: int = 1) -> Image:
    """The image with values 0 … 1, bright where the display is bright; padding is 0.

    A window (center, width) is in the units of the file: modality units of DICOM (C.11.2.1.2.1, LINEAR),
    stored values of pictures. Colour images ignore `window`. With `coarsest`, JPEG 2000 may be decoded with a
    step of up to that many pixels (`Image.step`). Raises ConfigError for a width <= 0, and
    CaseError, see `decode_dataset`, `decode_picture` and "file_changed".
    """
    if isinstance(window, tuple) and not window[1] > 0:
        raise ConfigError(f"window: found width {window[1]}, wanted more than 0; set a positive width")
    refuse_too_many_pixels(source.shape)
    cautions: dict[Caution, None] = {}
    warn: Warn = cautions.setdefault
    decoded, sha256 = _decoded(source, window=window, warn=warn, coarsest=coarsest)
    if (
        decoded.pixels.shape != reduced_shape(source.shape, decoded.step)
        or not np.isfinite(decoded.pixels).all()
    ):
        raise CaseError(
            "decode_failed",
            "the decoded pixels are not finite or do not have the size given in the header; "
            "export the file again",
        )
    return Image(
        case_id=case_id,
        pixels=np.ascontiguousarray(decoded.pixels),
        spacing_mm=decoded.spacing_mm or source.spacing_mm,
        attributes=source.attributes,
        sha256=sha256,
        display=decoded.display,
        cautions=tuple(cautions),
        directions=decoded.directions,
        step=decoded.step,
        spacing_at=decoded.spacing_at if decoded.spacing_mm else ("table" if source.spacing_mm else ""),
    )


def _decoded(source: ImageSource, *, window: View, warn: Warn, coarsest: int) -> tuple[Decoded, str]:
    """The displayed image, and the hash of its file."""
    kind = source.attributes.get("file_format")
    if kind is None:
        content = content_of(source)
        decoded = decode_dataset(content.dataset, source, window=window, warn=warn, coarsest=coarsest)
        return decoded, content.sha256
    data = read_content(source)
    refuse_changed(source, data)
    return FORMATS[kind].decode(data, source, window=window, warn=warn), hashlib.sha256(data).hexdigest()


def _is_archive(head: bytes) -> bool:
    found = foreign_format(head)
    return found is not None and found.name in ARCHIVES


def _format_of(head: bytes) -> ImageFormat | None:
    found = foreign_format(head)
    return FORMATS.get(found.name) if found else None


def _refuse_folder(path: Path) -> None:
    """Refuse a folder, which `find_files` returns only if it cannot be listed."""
    with suppress(OSError):
        if path.is_dir():
            raise CaseError("not_a_file", "this is a folder that cannot be listed; check its permissions")
