"""Overlay: planes of one bit per pixel in the headers of the images themselves, groups 6000 to 601E.

PS3.3, C.9.2. Each connected part of a plane of the type ROI is a lesion; planes of graphics, which hold lines
and text, are left out. The first pixel of a plane may lie anywhere on its image.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from pipeline.annotations.addresses import Address
from pipeline.annotations.bitmaps import png_of
from pipeline.annotations.dicom_files import bounded, opened_header
from pipeline.annotations.drawn import read_shapes
from pipeline.annotations.json_fields import usable, usables
from pipeline.annotations.parts import parts_of
from pipeline.annotations.run_lengths import compact_runs, runs_of
from pipeline.annotations.shapes import Crowd, Drawn, Geometry, Problem
from pipeline.annotations.source_files import path_below
from pipeline.annotations.tool_files import items_from
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import ANY_SIZE, open_file
from pipeline.records import AnnotationItem, Mask, Shape

GROUPS = range(0x6000, 0x6020, 2)
ROWS, COLUMNS, FRAMES, DESCRIPTION, KIND, ORIGIN = 0x10, 0x11, 0x15, 0x22, 0x40, 0x50
FIRST_FRAME, LAYER, DATA, LABEL = 0x51, 0x1001, 0x3000, 0x1500
"""Elements of a group."""
LARGEST_PLANE = 2**26
"""Pixels of a plane."""
MOST_FRAMES = 2**12
MAGIC = slice(128, 132)
"""Position of "DICM", PS3.10, 7.1."""
EMBEDDED = Problem(
    "not_a_mask",
    "An overlay lies in unused bits of the pixels (retired); export it as an overlay of its own.",
)
SEVERAL = "An overlay of a presentation state has several frames; save one state per frame."
OUTSIDE = "An overlay marks pixels outside its image; correct its origin."
INCOMPLETE = "An overlay has fewer bits than its rows and columns need; export it again."


def find(
    path: Path,
    executor: Executor | None = None,
    *,
    folder: str = "",
    reader: str = "reader",
    finding: str | None = None,
) -> Iterator[AnnotationItem]:
    """One item per image with overlays of the type ROI, and word, below `folder`.

    `finding` is that of all planes; without it, the label or description of a plane is the finding. Raises
    ConfigError if no image has such planes.
    """
    root = path_below(path, folder) if folder else path
    files = [root] if root.is_file() else sorted(root.rglob("*")) if root.exists() else []
    images = [file for file in files if file.name[0] != "." and _is_dicom(file)]
    read = partial(_shapes, reader=reader, finding=finding)
    found = False
    for item in items_from("overlay", path, read, files=images, reader=reader, executor=executor):
        found = True
        yield item
    if not found:
        raise ConfigError(
            f"{root}: no DICOM image has overlays of the type ROI; check `annotations.path` and the source's "
            "`folder`"
        )


def _shapes(file: Path, _folder: str, *, reader: str, finding: str | None) -> list[Drawn]:
    """The planes of a file, one shape per frame. Raises CaseError."""
    with opened_header(file) as header:
        return list(bounded(one for group in GROUPS for one in _of_plane(header, group, reader, finding)))


def shapes_on_images(header: Dataset, finding: str | None) -> Iterator[tuple[str, Geometry]]:
    """Word and shape of each part of the planes of a presentation state, which are drawn on all its images.

    The word is `finding`, else the label, description or layer of the plane.
    """
    for group in GROUPS:
        if str(_value(header, group, KIND) or "").strip() == "R":
            named = (_value(header, group, element) for element in (LABEL, DESCRIPTION, LAYER))
            word = finding or next((str(name).strip() for name in named if name), "")
            for shape in usables(partial(_parts, header, group)):
                yield word, shape


def _parts(header: Dataset, group: int) -> Iterator[Geometry]:
    """Each connected part of a plane, where it lies on an image. Raises CaseError."""
    if int(_value(header, group, FRAMES) or 1) != 1:
        raise CaseError("not_a_mask", SEVERAL)
    if (group, DATA) not in header:
        raise CaseError(*EMBEDDED)
    rows, columns = (int(_value(header, group, element)) for element in (ROWS, COLUMNS))
    row, column = (int(number) - 1 for number in _value(header, group, ORIGIN) or (1, 1))
    for part in parts_of(_bits(header[group, DATA].value, rows, columns, 0)):
        where = np.nonzero(part)
        top, left, bottom, right = (int(edge) for edge in (*np.min(where, axis=1), *np.max(where, axis=1)))
        drawn = part[top : bottom + 1, left : right + 1]
        yield png_of(drawn, column + left, row + top)


def _of_plane(header: Dataset, group: int, reader: str, finding: str | None) -> Iterator[Drawn]:
    kind = str(_value(header, group, KIND) or "").strip()
    if kind != "R":
        return
    uid, size = str(header.SOPInstanceUID), (int(header.Rows), int(header.Columns))
    word = (
        finding
        or str(_value(header, group, LABEL) or _value(header, group, DESCRIPTION) or "").strip()
        or None
    )
    several = int(header.get("NumberOfFrames") or 1) > 1
    first, count = int(_value(header, group, FIRST_FRAME) or 1), int(_value(header, group, FRAMES) or 1)
    if not 0 < count <= MOST_FRAMES:
        raise CaseError("too_large", f"has an overlay of more than {MOST_FRAMES:,} frames, or none; split it")
    for index in range(count):
        shape = usable(partial(_frame, header, group, index, size))
        address = Address(uid, first - 1 + index if several else None)
        yield address.drawn(word, shape, reader)


def _frame(header: Dataset, group: int, index: int, size: Shape) -> Geometry:
    """The mask of one frame of a plane; None if it marks nothing."""
    if (group, DATA) not in header:
        return EMBEDDED
    rows, columns = (int(_value(header, group, element)) for element in (ROWS, COLUMNS))
    row, column = (int(number) - 1 for number in _value(header, group, ORIGIN) or (1, 1))
    mask = _on_image(_bits(header[group, DATA].value, rows, columns, index), row, column, size)
    runs = compact_runs(runs_of(mask)) if mask.any() else None
    return None if runs is None else Crowd(runs)


def _bits(data: bytes, rows: int, columns: int, index: int) -> Mask:
    """Frame `index` of a plane: the first pixel is the lowest bit, and frames begin within bytes."""
    pixels = rows * columns
    if not 0 < pixels <= LARGEST_PLANE or (index + 1) * pixels > len(data) * 8:
        raise CaseError("not_a_mask", INCOMPLETE)
    start, end = index * pixels, (index + 1) * pixels
    packed: NDArray[np.uint8] = np.frombuffer(data, np.uint8)[start // 8 : -(-end // 8)]
    bits = np.unpackbits(packed, bitorder="little")[start % 8 :][:pixels]
    return bits.reshape(rows, columns).astype(np.bool_)


def _on_image(plane: Mask, row: int, column: int, size: Shape) -> Mask:
    """The plane with its first pixel there, on an image of `size`. Raises CaseError "mask_size"."""
    shared = plane[max(0, -row) : max(0, size[0] - row), max(0, -column) : max(0, size[1] - column)]
    if size[0] * size[1] > LARGEST_PLANE or np.count_nonzero(shared) < np.count_nonzero(plane):
        raise CaseError("mask_size", OUTSIDE)
    mask = np.zeros(size, np.bool_)
    if shared.size:
        mask[max(0, row) :, max(0, column) :][: shared.shape[0], : shared.shape[1]] = shared
    return mask


def _value(header: Dataset, group: int, element: int) -> Any:
    return header[group, element].value if (group, element) in header else None


def _is_dicom(file: Path) -> bool:
    try:
        with open_file(file, most_bytes=ANY_SIZE) as stream:
            return stream.read(MAGIC.stop)[MAGIC] == b"DICM"
    except CaseError:
        return False


OVERLAY = AnnotationFormat(find=find, read=read_shapes, kind=None, opens_files=True)
