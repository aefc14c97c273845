"""Contours: a heatmap → the regions that the network drew, by a threshold rule of one file each."""

from pipeline.contracts import ThresholdRule
from pipeline.registry import Registry

RULES: Registry[ThresholdRule] = Registry(
    "threshold rule",
    {
        "fraction": "pipeline.contours.fraction:fraction",
        "otsu": "pipeline.contours.otsu:otsu",
        "percentile": "pipeline.contours.percentile:percentile",
        "absolute": "pipeline.contours.absolute:absolute",
    },
)

EXTREMES_SUFFICE = frozenset({"fraction", "absolute"})
"""Rules that read no more of a map than its maximum and minimum: for them not all of it is interpolated."""
