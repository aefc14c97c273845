"""Map formats: files of external maps → raw relevance on a grid that covers the image.

To add a format, write its file, add a line to `FORMATS` and a writer to tests/contracts/test_heatmap_laws.py.
Contours in DICOM SEG are read by `pipeline.annotations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.file_hashes import refuse_changed
from pipeline.records import HeatmapItem, Intensity, Shape
from pipeline.registry import Registry

FORMATS: Registry[HeatmapFormat] = Registry(
    "heatmap format",
    {
        "array": "pipeline.external_maps.formats.array:ARRAY",
        "nifti": "pipeline.external_maps.formats.nifti:NIFTI",
        "png": "pipeline.external_maps.formats.png:PNG",
        "parametric_map": "pipeline.external_maps.formats.parametric_map:PARAMETRIC_MAP",
    },
    group="heatproof.external_maps",
    wanted=HeatmapFormat,
)


def format_of(path: Path) -> str | None:
    """The format of a file by its suffix, None if no format has it. DICOM files are recognised by content."""
    return _suffixes().get(suffix_of(path))


def suffix_of(path: Path) -> str:
    """The longest format suffix at the end of the file name, in lower case; empty if there is none."""
    return max((suffix for suffix in _suffixes() if path.name.lower().endswith(suffix)), key=len, default="")


@cache
def _suffixes() -> Mapping[str, str]:
    """File suffix → format. Raises ConfigError if two formats have the same suffix."""
    formats: dict[str, str] = {}
    for name in FORMATS:
        for suffix in FORMATS[name].suffixes:
            if suffix in formats:
                raise ConfigError(
                    f"the heatmap formats '{formats[suffix]}' and '{name}' both read {suffix} files; "
                    "uninstall the package of one of them"
                )
            formats[suffix] = name
    return formats


def read_heatmap(item: HeatmapItem, *, shape: Shape) -> Intensity:
    """The map (rows, columns) on a grid that covers an image of `shape` from edge to edge.

    Raises CaseError: "heatmap_unreadable", "heatmap_shape", "heatmap_in_colour", "heatmap_not_finite",
    "heatmap_transposed", "heatmap_too_fine", "file_changed" (since `item.sha256` was computed).
    """
    if item.sha256:
        refuse_changed(item.path, item.sha256)
    values = FORMATS[item.format].read(Path(item.path), item.plane)
    if values.dtype.kind not in "biuf" or values.size == 0:
        raise CaseError(
            "heatmap_shape", "The heatmap is empty or its values are not plain numbers; save it as numbers."
        )
    with np.errstate(over="ignore"):  # becomes infinite, and is refused
        relevance = values.astype(np.float32)
    if not np.isfinite(relevance).all():
        raise CaseError(
            "heatmap_not_finite", "The heatmap has NaN or infinite values; replace them with numbers."
        )
    _check_size(relevance.shape, shape)
    return relevance


def _check_size(found: tuple[int, ...], image: Shape) -> None:
    """Refuse a transposed grid, which would be stretched over its image, and one finer than the image."""
    sizes = f"{found[0]} × {found[1]} cells (rows × columns), its image {image[0]} × {image[1]} pixels"
    if found == image[::-1] and found != image:
        raise CaseError(
            "heatmap_transposed", f"The heatmap has {sizes}; rows and columns are swapped, transpose it."
        )
    if found[0] > image[0] or found[1] > image[1]:
        raise CaseError("heatmap_too_fine", f"The heatmap has {sizes}; resample it to the image's size.")
