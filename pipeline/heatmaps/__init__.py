"""Heatmaps: maps that were computed elsewhere, in any format → raw relevance on a grid over the image.

To add a format: its file, its line in `FORMATS`, and its writer in tests/contracts/test_heatmap_laws.py.
Contours in DICOM SEG are no maps; `pipeline.annotations` reads them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.contents import refuse_changed
from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError
from pipeline.records import HeatmapItem, Intensity, Shape
from pipeline.registry import Registry

FORMATS: Registry[HeatmapFormat] = Registry(
    "heatmap format",
    {
        "array": "pipeline.heatmaps.array:ARRAY",
        "nifti": "pipeline.heatmaps.nifti:NIFTI",
        "png": "pipeline.heatmaps.png:PNG",
        "parametric_map": "pipeline.heatmaps.parametric_map:PARAMETRIC_MAP",
    },
)
SUFFIXES = {".npy": "array", ".npz": "array", ".nii": "nifti", ".nii.gz": "nifti", ".png": "png"}
"""Of files, in lower case. DICOM files are known by what they hold."""


def read_heatmap(item: HeatmapItem, *, shape: Shape) -> Intensity:
    """The map (rows, columns), on a grid that covers the whole of an image of `shape`, edges on edges.

    Raises CaseError: "heatmap_unreadable", "heatmap_shape", "heatmap_in_colour", "heatmap_not_finite",
    "heatmap_transposed", "heatmap_too_fine", "file_changed" (since the item says what the file held).
    """
    if item.held:
        refuse_changed(item.path, item.held)
    values = FORMATS[item.format].read(Path(item.path), item.plane)
    if values.dtype.kind not in "biuf" or values.size == 0:
        raise CaseError("heatmap_shape", "The heatmap holds nothing, or values that are not plain numbers.")
    relevance = values.astype(np.float32)
    if not np.isfinite(relevance).all():
        raise CaseError("heatmap_not_finite", "The heatmap holds NaN or infinity.")
    _check_size(relevance.shape, shape)
    return relevance


def _check_size(found: tuple[int, ...], image: Shape) -> None:
    """A grid that is turned against its image would be stretched over it, unseen."""
    words = f"{found[0]} × {found[1]} cells (rows × columns), its image {image[0]} × {image[1]} pixels"
    if found == image[::-1] and found != image:
        raise CaseError("heatmap_transposed", f"The heatmap has {words}: rows and columns are exchanged.")
    if found[0] > image[0] or found[1] > image[1]:
        raise CaseError("heatmap_too_fine", f"The heatmap has {words}; bring it to the image's size.")
