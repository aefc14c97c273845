"""DICOM Parametric Map: one map of real values per frame, with a reference to its image (PS3.3 A.75)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError
from pipeline.guards.deflate import refuse_decompression_bomb
from pipeline.records import MapPlane

PREFIX = slice(128, 132)
"""Position of "DICM" (PS3.10, 7.1)."""
STORAGE_CLASS = "1.2.840.10008.5.1.4.1.1.30"
MOST_FRAMES = 2**16
UNREADABLE = "The heatmap is not a readable DICOM Parametric Map; export it again."


def is_dicom(path: Path) -> bool:
    """Whether a file has the DICOM preamble and prefix."""
    try:
        with path.open("rb") as stream:
            return stream.read(PREFIX.stop)[PREFIX] == b"DICM"
    except OSError:
        return False


def planes(path: Path) -> tuple[MapPlane, ...]:
    """Image, frame and finding of each frame of the file.

    Raises CaseError: "heatmap_unreadable" (not a Parametric Map, or malformed), "too_large".
    """
    frames = list(_frames(_header(path)))
    if len(frames) > MOST_FRAMES:
        raise CaseError(
            "too_large",
            f"The Parametric Map has more than {MOST_FRAMES} frames; split it into several files.",
        )
    try:
        return tuple(_plane(groups, shared) for _, groups, shared in frames)
    except Exception as error:  # elements may be missing or hold anything
        raise CaseError("heatmap_unreadable", UNREADABLE) from error


def read(path: Path, plane: int) -> NDArray[np.generic]:
    """The real values of one frame: stored values, with slope and intercept applied if there is a mapping."""
    frames = list(_frames(_header(path)))
    try:
        stored: NDArray[np.generic] = pixel_array(path, index=plane, raw=True)
        mapping = _group(*frames[plane][1:], "RealWorldValueMappingSequence")
        slope, intercept = (
            float(mapping[0].get(name, default)) if mapping else default
            for name, default in (("RealWorldValueSlope", 1.0), ("RealWorldValueIntercept", 0.0))
        )
    except Exception as error:  # decoder plug-ins may raise anything
        raise CaseError("heatmap_unreadable", UNREADABLE) from error
    return np.asarray(stored, np.float64) * slope + intercept


def _header(path: Path) -> Dataset:
    """The header of the file. Warnings of pydicom are suppressed, because they quote values of elements."""
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refuse_decompression_bomb(stream)
            stream.seek(0)
            header = dcmread(stream, stop_before_pixels=True)
        is_map = header.SOPClassUID == STORAGE_CLASS
    except CaseError:
        raise
    except Exception as error:  # pydicom may raise anything on a malformed file
        raise CaseError("heatmap_unreadable", UNREADABLE) from error
    if not is_map:
        raise CaseError(
            "heatmap_unreadable",
            "The DICOM file is neither a Parametric Map nor a SEG; export the map as one of them.",
        )
    return header


def _frames(header: Dataset) -> Iterator[tuple[int, Dataset, Dataset]]:
    """Number, own functional groups and shared functional groups of each frame."""
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    for number, groups in enumerate(header.get("PerFrameFunctionalGroupsSequence") or [Dataset()]):
        yield number, groups, shared


def _group(groups: Dataset, shared: Dataset, keyword: str) -> Any:
    return groups.get(keyword) or shared.get(keyword) or []


def _plane(groups: Dataset, shared: Dataset) -> MapPlane:
    sources = [
        image
        for derivation in _group(groups, shared, "DerivationImageSequence")
        for image in derivation.get("SourceImageSequence", [])
    ]
    mapping = _group(groups, shared, "RealWorldValueMappingSequence")
    finding = str(mapping[0].get("LUTExplanation") or mapping[0].get("LUTLabel") or "") if mapping else ""
    if len(sources) != 1:  # a frame derived from several images may not lie on the grid of any
        return MapPlane("", 0, finding.strip())
    number = sources[0].get("ReferencedFrameNumber")
    frame = None if number is None else int(number) - 1
    return MapPlane(str(sources[0].ReferencedSOPInstanceUID), frame, finding.strip())


PARAMETRIC_MAP = HeatmapFormat(suffixes=(), read=read)
