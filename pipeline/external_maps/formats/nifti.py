"""NIfTI: a map as a volume of one slice; the first stored axis runs along the image's rows."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813  the abbreviation used in its manual
from numpy.typing import NDArray

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError

NIFTI_1 = 348
"""Size of the header in bytes, stored in its first field."""
FLOATS = {16: "f4", 64: "f8"}
"""Code in the header's `datatype` → NumPy type."""


def read(path: Path, plane: int) -> NDArray[np.generic]:  # noqa: ARG001  a file holds one map
    """The slice (y, x) in the axis order of ITK-based tools; the affine is ignored."""
    try:
        reader: Any = sitk.ImageFileReader()  # type: ignore[no-untyped-call]  # SimpleITK has no types
        reader.SetImageIO("NiftiImageIO")
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        columns, rows, *others = reader.GetSize()
        if any(length != 1 for length in others) or reader.GetNumberOfComponents() != 1:
            raise CaseError(
                "heatmap_shape",
                "The heatmap has several slices or values per voxel; save one slice with one value each.",
            )
        values: NDArray[np.generic] = sitk.GetArrayFromImage(reader.Execute())
        _refuse_not_finite(path)
    except (OSError, RuntimeError, EOFError, struct.error, ValueError) as error:
        message = "The heatmap is not a readable NIfTI file; save it again."
        raise CaseError("heatmap_unreadable", message) from error
    return values.reshape(rows, columns)


def _refuse_not_finite(path: Path) -> None:
    """Refuse NaN and infinity in the stored values, because ITK silently reads them as 0."""
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        content = stream.read()
    order = "<" if struct.unpack_from("<i", content)[0] == NIFTI_1 else ">"
    if struct.unpack_from(f"{order}i", content)[0] != NIFTI_1:
        return
    (code,) = struct.unpack_from(f"{order}h", content, 70)  # datatype
    (start,) = struct.unpack_from(f"{order}f", content, 108)  # vox_offset
    if (
        code in FLOATS
        and not np.isfinite(np.frombuffer(content, f"{order}{FLOATS[code]}", -1, int(start))).all()
    ):
        raise CaseError(
            "heatmap_not_finite", "The heatmap has NaN or infinite values; replace them with numbers."
        )


NIFTI = HeatmapFormat(suffixes=(".nii", ".nii.gz"), read=read)
