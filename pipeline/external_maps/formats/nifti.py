"""NIfTI: a map as a volume of one slice; the first stored axis runs along the image's rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813  the abbreviation used in its manual
from numpy.typing import NDArray

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError
from pipeline.guards.nifti_files import stored_voxels
from pipeline.guards.reading import about, guarded


def read(path: Path, plane: int) -> NDArray[np.generic]:  # noqa: ARG001  a file holds one map
    """The slice (y, x) in the axis order of ITK-based tools; the affine is ignored."""
    with about("The heatmap", "heatmap_unreadable"):
        voxels = stored_voxels(path)
    with guarded("heatmap_unreadable", "The heatmap is not a readable NIfTI file; save it again."):
        reader: Any = sitk.ImageFileReader()  # type: ignore[no-untyped-call]  # SimpleITK has no types
        reader.SetImageIO("NiftiImageIO")
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        sizes = reader.GetSize()
        if any(length != 1 for length in sizes[2:]) or reader.GetNumberOfComponents() != 1:
            raise CaseError(
                "heatmap_shape",
                "The heatmap has several slices or values per voxel; save one slice with one value each.",
            )
        if len(sizes) == 1:
            raise CaseError("heatmap_shape", "The heatmap has one row of voxels; save rows × columns.")
        if not voxels.finite:  # ITK reads NaN and infinity as 0
            raise CaseError(
                "heatmap_not_finite", "The heatmap has NaN or infinite values; replace them with numbers."
            )
        values: NDArray[np.generic] = sitk.GetArrayFromImage(reader.Execute())
        return values.reshape(sizes[1], sizes[0])


NIFTI = HeatmapFormat(suffixes=(".nii", ".nii.gz"), read=read)
