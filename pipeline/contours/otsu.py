"""Otsu: the level that best separates the map's pixels into two classes (Otsu 1979)."""

from skimage.filters import threshold_otsu

from pipeline.contours.flatness import is_flat
from pipeline.contracts import ThresholdRule
from pipeline.records import Intensity


def otsu(relevance: Intensity, threshold: float) -> float | None:  # noqa: ARG001  same signature as every rule
    """Otsu's level from a 256-bin histogram of all pixels, None for a flat map; `threshold` is ignored."""
    return None if is_flat(relevance) else float(threshold_otsu(relevance))


OTSU = ThresholdRule(
    level=otsu,
    words="pixels above Otsu’s threshold",
    tuned_over=(0.5,),
    script="pipeline.contours:otsu.js",
)
