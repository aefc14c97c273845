"""DICOM Parametric Map: real values a frame, with the image that each frame is of (PS3.3 A.75)."""

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
from pipeline.inflation import refuse_inflation
from pipeline.records import MapPlane

PREFIX = slice(128, 132)
"""Where "DICM" stands (PS3.10, 7.1)."""
STORAGE_CLASS = "1.2.840.10008.5.1.4.1.1.30"
MOST_FRAMES = 2**16
UNREADABLE = "The heatmap is not a readable DICOM Parametric Map."


def is_dicom(path: Path) -> bool:
    """Whether a file has the preamble and prefix of DICOM."""
    try:
        with path.open("rb") as stream:
            return stream.read(PREFIX.stop)[PREFIX] == b"DICM"
    except OSError:
        return False


def planes(path: Path) -> tuple[MapPlane, ...]:
    """What each frame says it is of.

    Raises CaseError: "heatmap_unreadable" (no parametric map, or a broken one), "too_large".
    """
    frames = list(_frames(_header(path)))
    if len(frames) > MOST_FRAMES:
        raise CaseError("too_large", f"The Parametric Map has more than {MOST_FRAMES} frames.")
    try:
        return tuple(_plane(groups, shared) for _, groups, shared in frames)
    except Exception as error:  # elements are missing, or hold anything
        raise CaseError("heatmap_unreadable", UNREADABLE) from error


def read(path: Path, plane: int) -> NDArray[np.generic]:
    """The real values of one frame: stored values times slope plus intercept, where a mapping is given."""
    frames = list(_frames(_header(path)))
    try:
        stored: NDArray[np.generic] = pixel_array(path, index=plane, raw=True)
        mapping = _group(*frames[plane][1:], "RealWorldValueMappingSequence")
        slope, intercept = (
            float(mapping[0].get(name, default)) if mapping else default
            for name, default in (("RealWorldValueSlope", 1.0), ("RealWorldValueIntercept", 0.0))
        )
    except Exception as error:  # decoders are plug-ins and raise whatever they like
        raise CaseError("heatmap_unreadable", UNREADABLE) from error
    return np.asarray(stored, np.float64) * slope + intercept


def _header(path: Path) -> Dataset:
    """What the file says; pydicom's warnings hold values of elements, and are not for a log."""
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refuse_inflation(stream)
            stream.seek(0)
            header = dcmread(stream, stop_before_pixels=True)
        is_map = header.SOPClassUID == STORAGE_CLASS
    except CaseError:
        raise
    except Exception as error:  # pydicom raises whatever it likes on a broken file
        raise CaseError("heatmap_unreadable", UNREADABLE) from error
    if not is_map:
        raise CaseError("heatmap_unreadable", "The DICOM file is neither a Parametric Map nor a SEG.")
    return header


def _frames(header: Dataset) -> Iterator[tuple[int, Dataset, Dataset]]:
    """Number, own functional groups and shared ones of each frame."""
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
    if len(sources) != 1:  # derived from several images, it may lie on the grid of none
        return MapPlane("", 0, finding.strip())
    frame = sources[0].get("ReferencedFrameNumber", 1)
    return MapPlane(str(sources[0].ReferencedSOPInstanceUID), int(frame) - 1, finding.strip())


PARAMETRIC_MAP = HeatmapFormat(read=read)
