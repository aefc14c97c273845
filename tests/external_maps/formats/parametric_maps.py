"""DICOM Parametric Maps for tests, written by highdicom."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
from highdicom import VOILUTTransformation
from highdicom.pm import ParametricMap, RealWorldValueMapping
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from tests.annotations.segmentations import source_image

IN_SPACE = {
    "FrameOfReferenceUID": "1.2.3.8",
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "SliceThickness": 1,
}
"""Elements that highdicom requires of source images."""


def write_parametric_map(
    path: Path,
    relevance: np.ndarray,
    *,
    image: str = "",
    finding: str = "",
    slope: float = 1,
    frames: tuple[int, ...] = (),
) -> Path:
    """Write maps (planes, rows, columns) of one image or of its `frames` (from 1); `image` "" names none."""
    planes, rows, columns = relevance.shape
    stored = relevance if relevance.dtype.kind == "f" else relevance.astype(np.uint16)
    mapping = RealWorldValueMapping(
        lut_label=finding[:16] or "none",
        lut_explanation=finding or "none",
        unit=codes.UCUM.NoUnits,
        value_range=(0.0, 1e6) if relevance.dtype.kind == "f" else (0, 2**16 - 1),
        slope=slope,
        intercept=0,
    )
    written = ParametricMap(
        [source_image(image or "1.2.3.9", (rows, columns), **IN_SPACE)],
        stored[:1],
        generate_uid(entropy_srcs=["series"]),
        1,
        generate_uid(entropy_srcs=[str(path)]),
        1,
        "none",
        "none",
        "1",
        "1",
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[VOILUTTransformation(window_center=0.5, window_width=1.0)],
    )
    written.save_as(path)
    _finish(path, stored, image, frames or (1,) * planes, named=bool(finding))
    return path


def _finish(path: Path, stored: np.ndarray, image: str, frames: tuple[int, ...], *, named: bool) -> None:
    """Refer all planes to their images; highdicom itself only writes planes at different positions."""
    data = dcmread(path)
    first = data.PerFrameFunctionalGroupsSequence[0]
    data.PerFrameFunctionalGroupsSequence = Sequence([deepcopy(first) for _ in frames])
    data.NumberOfFrames = len(frames)
    keyword = "FloatPixelData" if stored.dtype.kind == "f" else "PixelData"
    setattr(data, keyword, stored.tobytes())
    for groups, frame in zip(data.PerFrameFunctionalGroupsSequence, frames, strict=True):
        source = Dataset()
        source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", image
        source.ReferencedFrameNumber = frame
        derivation = Dataset()
        derivation.SourceImageSequence = Sequence([source])
        groups.DerivationImageSequence = Sequence([derivation] if image else [])
    if not named:
        for groups in (*data.PerFrameFunctionalGroupsSequence, *data.SharedFunctionalGroupsSequence):
            for mapping in groups.get("RealWorldValueMappingSequence", []):
                mapping.LUTExplanation = mapping.LUTLabel = ""
    data.save_as(path)
