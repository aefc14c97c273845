"""Contracts: the interface of each kind of plug-in, with shapes, ranges and units."""

from pipeline.contracts.annotations import AnnotationFormat, HeatmapFormat
from pipeline.contracts.contours import Baseline, ThresholdRule
from pipeline.contracts.execution import Detector, Executor, Hosts
from pipeline.contracts.exports import Export
from pipeline.contracts.map_tests import MapTest, Measure
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
from pipeline.contracts.probes import Probe, ProbedImage, Variant

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
    "Export",
    "Forward",
    "HeatmapFormat",
    "Hosts",
    "LoadedModel",
    "MapTest",
    "Maps",
    "Measure",
    "Metric",
    "Probe",
    "ProbedImage",
    "Scored",
    "Side",
    "ThresholdRule",
    "Undefined",
    "Variant",
    "side_of_drawing",
    "side_of_reference",
]
