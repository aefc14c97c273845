"""Records: frozen data classes that pass between stages.

Identifiers of the input occur only in `ImageSource`, `AnnotationItem`, `HeatmapItem`, `MapPlane` and
`Case.other_stems`. Of a run's outputs, only `crosswalk.csv` contains them.

Arrays are indexed (row, column). Image coordinates are (x, y) = (column, row) with (0, 0) at the *centre* of
the top left pixel, so that this pixel covers -0.5 … 0.5 in both directions.
"""

from pipeline.records.annotations import (
    AnnotationItem,
    Box,
    Kind,
    Labels,
    Point,
    Reference,
    Says,
    joined,
    scored_as,
)
from pipeline.records.arrays import Intensity, Mask, Outline, Shape, Values
from pipeline.records.cases import Case, DecodedCase, ExplainedCase, FinishedCase, Progress, Skipped
from pipeline.records.heatmaps import Cells, Heatmap, HeatmapItem, MapPlane, ModelInput, Placement, Prediction
from pipeline.records.images import (
    BRIGHTNESSES,
    IMAGE_SUFFIXES,
    Caution,
    Display,
    Image,
    ImageSource,
    Member,
    file_stem,
    pixel_hash,
)
from pipeline.records.map_tests import MapTestValue
from pipeline.records.notices import Notice, NoticeKind
from pipeline.records.planes import Directions, ImagePlane, SpacingAt, Vector, image_plane
from pipeline.records.probes import Features, LayerStatistics, NetworkReading, ProbedOutput
from pipeline.records.regions import ContourRule, Drawing, Dropped, Peak, Region
from pipeline.records.scores import (
    ENOUGH_PATIENTS,
    Candidates,
    Curve,
    Fit,
    Score,
    Summary,
    SurfaceDefinition,
    Tolerances,
    main_reader,
)
from pipeline.records.suspicions import Strength, Suspect, Suspicion

__all__ = [
    "BRIGHTNESSES",
    "ENOUGH_PATIENTS",
    "IMAGE_SUFFIXES",
    "AnnotationItem",
    "Box",
    "Candidates",
    "Case",
    "Caution",
    "Cells",
    "ContourRule",
    "Curve",
    "DecodedCase",
    "Directions",
    "Display",
    "Drawing",
    "Dropped",
    "ExplainedCase",
    "Features",
    "FinishedCase",
    "Fit",
    "Heatmap",
    "HeatmapItem",
    "Image",
    "ImagePlane",
    "ImageSource",
    "Intensity",
    "Kind",
    "Labels",
    "LayerStatistics",
    "MapPlane",
    "MapTestValue",
    "Mask",
    "Member",
    "ModelInput",
    "NetworkReading",
    "Notice",
    "NoticeKind",
    "Outline",
    "Peak",
    "Placement",
    "Point",
    "Prediction",
    "ProbedOutput",
    "Progress",
    "Reference",
    "Region",
    "Says",
    "Score",
    "Shape",
    "Skipped",
    "SpacingAt",
    "Strength",
    "Summary",
    "SurfaceDefinition",
    "Suspect",
    "Suspicion",
    "Tolerances",
    "Values",
    "Vector",
    "file_stem",
    "image_plane",
    "joined",
    "main_reader",
    "pixel_hash",
    "scored_as",
]
