"""DICOM Parametric Map: one map of real values per frame, with a reference to its image (PS3.3 A.75)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError
from pipeline.exports.private_elements import (
    CREATOR,
    GROUP,
    OFFSET,
    OPERATING_POINT,
    OVERHANG,
    SCALE,
    SHAPES,
)
from pipeline.guards.deflate import refuse_decompression_bomb
from pipeline.guards.file_hashes import LARGEST_BYTES
from pipeline.guards.reading import ANY_SIZE, guarded, open_file
from pipeline.records import MapPlane, Placement

PREFIX = slice(128, 132)
"""Position of "DICM" (PS3.10, 7.1)."""
STORAGE_CLASS = "1.2.840.10008.5.1.4.1.1.30"
MOST_FRAMES = 2**16
FINDING, METHOD, CERTAINTY = ("DCM", "121071"), ("SCT", "370129005"), ("DCM", "111012")
"""Coding scheme and code of concepts in a quantity definition; those of labels are cut short."""
NUMBERS = 12
"""Of a placement."""
UNREADABLE = "The heatmap is not a readable DICOM Parametric Map; export it again."


def is_dicom(path: Path) -> bool:
    """Whether a file has the DICOM preamble and prefix."""
    try:
        with open_file(path, most_bytes=ANY_SIZE) as stream:
            return stream.read(PREFIX.stop)[PREFIX] == b"DICM"
    except CaseError:
        return False


def planes(path: Path) -> tuple[MapPlane, ...]:
    """What each frame of the file shows.

    Raises CaseError: "heatmap_unreadable" (not a Parametric Map, or malformed), "too_large", "not_a_file",
    "unreadable".
    """
    with _opened(path) as stream:
        return tuple(_plane(groups, shared) for groups, shared in _frames(_header(stream)))


def read(path: Path, plane: int) -> NDArray[np.generic]:
    """The real values of one frame: stored values, with slope and intercept applied if there is a mapping."""
    with _opened(path) as stream:
        frames = _frames(_header(stream))
        stream.seek(0)
        stored: NDArray[np.generic] = pixel_array(stream, index=plane, raw=True)
        mapping = _group(*frames[plane], "RealWorldValueMappingSequence")
        slope, intercept = (
            float(mapping[0].get(name, default)) if mapping else default
            for name, default in (("RealWorldValueSlope", 1.0), ("RealWorldValueIntercept", 0.0))
        )
        return np.asarray(stored, np.float64) * slope + intercept


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file; whatever pydicom and its decoders raise on it is "heatmap_unreadable"."""
    with (
        open_file(path, most_bytes=LARGEST_BYTES, what="The heatmap") as stream,
        guarded("heatmap_unreadable", UNREADABLE),
    ):
        yield stream


def _header(stream: BinaryIO) -> Dataset:
    """The header of the file, which is a Parametric Map."""
    refuse_decompression_bomb(stream)
    stream.seek(0)
    header = dcmread(stream, stop_before_pixels=True)
    if header.SOPClassUID != STORAGE_CLASS:
        raise CaseError(
            "heatmap_unreadable",
            "The DICOM file is neither a Parametric Map nor a SEG; export the map as one of them.",
        )
    return header


def _frames(header: Dataset) -> list[tuple[Dataset, Dataset]]:
    """Own functional groups and shared functional groups of each frame."""
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    own = header.get("PerFrameFunctionalGroupsSequence") or [Dataset()]
    stated = int(header.get("NumberOfFrames") or 1)
    if max(len(own), stated) > MOST_FRAMES:
        raise CaseError(
            "too_large",
            f"The Parametric Map has more than {MOST_FRAMES} frames; split it into several files.",
        )
    if len(own) != stated:
        raise CaseError(
            "heatmap_unreadable",
            f"The Parametric Map has {stated} frames and functional groups of {len(own)}; export it again.",
        )
    return [(groups, shared) for groups in own]


def _group(groups: Dataset, shared: Dataset, keyword: str) -> Any:
    return groups.get(keyword) or shared.get(keyword) or []


def _plane(groups: Dataset, shared: Dataset) -> MapPlane:
    sources = [
        image
        for derivation in _group(groups, shared, "DerivationImageSequence")
        for image in derivation.get("SourceImageSequence", [])
    ]
    mapping = (_group(groups, shared, "RealWorldValueMappingSequence") or [Dataset()])[0]
    label = str(mapping.get("LUTExplanation") or mapping.get("LUTLabel") or "")
    finding = _qualifier(mapping, *FINDING, "TextValue") or label.strip()
    if len(sources) != 1:  # a frame derived from several images may not lie on the grid of any
        return MapPlane("", 0, finding)
    number = sources[0].get("ReferencedFrameNumber")
    frame = None if number is None else int(number) - 1
    probability = _qualifier(mapping, *CERTAINTY, "NumericValue")
    point = _own(groups, OPERATING_POINT)
    return MapPlane(
        str(sources[0].ReferencedSOPInstanceUID),
        frame,
        finding,
        method=_qualifier(mapping, *METHOD, "TextValue"),
        probability=float(probability) if probability else None,
        operating_point=point[0] if point else None,
        placement=_placement(groups),
    )


def _placement(groups: Dataset) -> Placement | None:
    """Where the map's own grid lies on its image, as `heatproof export` writes it."""
    shapes, scale, offset, reach = (_own(groups, element) for element in (SHAPES, SCALE, OFFSET, OVERHANG))
    if not shapes:
        return None
    numbers = (*shapes, *scale, *offset, *reach)
    if len(numbers) != NUMBERS or not all(map(math.isfinite, numbers)) or 0 in scale:
        raise CaseError("heatmap_unreadable", UNREADABLE)
    rows, columns, image_rows, image_columns = map(int, shapes)
    return Placement(
        model_shape=(rows, columns),
        image_shape=(image_rows, image_columns),
        scale=(scale[0], scale[1]),
        offset=(offset[0], offset[1]),
        overhang=((reach[0], reach[1]), (reach[2], reach[3])),
    )


def _own(groups: Dataset, element: int) -> tuple[float, ...]:
    """The numbers of a private element; empty without it. Implicit VR leaves them as bytes."""
    try:
        value = groups.private_block(GROUP, CREATOR)[element].value
    except KeyError:
        return ()
    if isinstance(value, bytes):
        return tuple(np.frombuffer(value, "<f8").tolist())
    return tuple(map(float, value)) if isinstance(value, Iterable) else (float(value),)


def _qualifier(mapping: Dataset, scheme: str, code: str, keyword: str) -> str:
    """What the quantity definition says of a concept, as `heatproof export` writes it; empty without it."""
    for item in mapping.get("QuantityDefinitionSequence") or ():
        for name in item.get("ConceptNameCodeSequence") or ():
            if (name.get("CodingSchemeDesignator"), name.get("CodeValue")) == (scheme, code):
                return str(item.get(keyword) or "").strip()
    return ""


PARAMETRIC_MAP = HeatmapFormat(suffixes=(), read=read)
