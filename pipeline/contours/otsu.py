"""Otsu: the level that best separates the map's pixels into two classes (Otsu 1979)."""

from skimage.filters import threshold_otsu

from pipeline.contours.flatness import is_flat
from pipeline.records import Intensity


def otsu(relevance: Intensity, threshold: float) -> float | None:  # noqa: ARG001  Otsu needs no number
    """The level over all pixels of the image, by a histogram of 256 bins; `threshold` is not used."""
    return None if is_flat(relevance) else float(threshold_otsu(relevance))
