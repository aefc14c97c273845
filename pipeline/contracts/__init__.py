"""Contracts: the interface of each kind of plug-in, with shapes, ranges and units."""

from pipeline.contracts.annotations import AnnotationFormat, HeatmapFormat
from pipeline.contracts.contours import Baseline, ThresholdRule
from pipeline.contracts.execution import Detector, Executor
from pipeline.contracts.metrics import (
    IMAGE_DIAGONAL,
    Emptiness,
    Metric,
    Scored,
    Side,
    Undefined,
    side_of_drawing,
    side_of_reference,
)
from pipeline.contracts.networks import AttributionMethod, Check, Explanation, Forward, LoadedModel, Maps

__all__ = [
    "IMAGE_DIAGONAL",
    "AnnotationFormat",
    "AttributionMethod",
    "Baseline",
    "Check",
    "Detector",
    "Emptiness",
    "Executor",
    "Explanation",
    "Forward",
    "HeatmapFormat",
    "LoadedModel",
    "Maps",
    "Metric",
    "Scored",
    "Side",
    "ThresholdRule",
    "Undefined",
    "side_of_drawing",
    "side_of_reference",
]
