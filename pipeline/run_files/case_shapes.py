"""Case shapes: what case.json and skipped.json hold, as types that pydantic checks; more keys may occur."""

from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from pipeline.records.annotations import Kind
from pipeline.records.names import OVERLAPS, POINTING
from pipeline.records.planes import SpacingAt
from pipeline.run_files.shapes import Four, Grid, Name, Number, Pair, Share, Side, Whole

Direction = Annotated[str, Field(pattern="^[RLAPHF]{1,3}$")]
"""Letters of a direction in the patient, the main one first."""
Directions = Annotated[list[Direction], Field(min_length=2, max_length=2)]


def _not_zero(steps: list[float]) -> list[float]:
    if not all(steps):
        raise ValueError("wanted numbers other than 0")
    return steps


def _positive(lengths: list[float]) -> list[float]:
    if not min(lengths) > 0:
        raise ValueError("wanted positive numbers")
    return lengths


Step = Annotated[Pair, AfterValidator(_not_zero)]
Spacing = Annotated[Pair, AfterValidator(_positive)]
"""Millimetres (between rows, between columns)."""


class PredictionEntry(TypedDict):
    """A prediction in case.json."""

    finding: Name
    probability: Share
    threshold: Number


class MapEntry(TypedDict):
    """Facts about a raw map."""

    finding: Name
    method: Name
    grid: Grid
    maximum: Number
    scale: NotRequired[Step]
    offset: NotRequired[Pair]
    overhang: NotRequired[Annotated[list[Pair], Field(min_length=2, max_length=2)]]


class PeakEntry(TypedDict):
    """The highest point of a map."""

    finding: Name
    method: Name
    x: Number
    y: Number


class DroppedEntry(TypedDict):
    """The number of contours below the minimum area."""

    finding: Name
    method: Name
    count: Whole


class RegionEntry(TypedDict):
    """A contour."""

    finding: Name
    method: Name
    outlines: list[list[Pair]]


class ReferenceEntry(TypedDict):
    """A reader's annotation."""

    finding: Name
    reader: str
    outlines: list[list[Pair]]
    boxes: list[Four]
    points: NotRequired[list[Pair]]


class ScoreEntry(TypedDict):
    """A score; None if it is undefined."""

    finding: Name
    reader: str
    method: Name
    metric: Name
    value: Number | None
    undefined_because: NotRequired[str]
    lesion: NotRequired[Whole | None]


def _within(score: ScoreEntry) -> ScoreEntry:
    value = score["value"]
    if score["metric"] in (*OVERLAPS, *POINTING) and value is not None and not 0 <= value <= 1:
        raise ValueError("wanted a value from 0 to 1 of this metric")
    return score


class CautionEntry(TypedDict):
    """A warning about an image."""

    reason: str
    message: str


class SkippedEntry(TypedDict):
    """Why an input was skipped."""

    subject: str
    stage: str
    reason: str
    message: str


class Case(TypedDict):
    """What the pages need of a case.json."""

    case_id: Name
    frame: Whole
    rows: Side
    columns: Side
    spacing_mm: Spacing | None
    attributes: dict[str, str]
    labels: dict[str, Literal[0, 1] | None]
    predictions: list[PredictionEntry]
    regions: list[RegionEntry]
    references: list[ReferenceEntry]
    scores: list[Annotated[ScoreEntry, AfterValidator(_within)]]
    object_id: NotRequired[str]
    maps: NotRequired[list[MapEntry]]
    peaks: NotRequired[list[PeakEntry]]
    dropped: NotRequired[list[DroppedEntry]]
    cautions: NotRequired[list[CautionEntry]]
    spacing_at: NotRequired[SpacingAt]
    directions: NotRequired[Directions | None]


class CandidatesEntry(TypedDict):
    """Contours and lesions, for matching."""

    finding: Name
    reader: str
    method: Name
    kind: Kind
    lesions: Whole
    scores: list[Number]
    affinity: dict[str, list[list[Number]]]
    shares: list[Number]
    areas_mm2: list[Number]


def _rectangular(entry: CandidatesEntry) -> CandidatesEntry:
    for rows in entry["affinity"].values():
        if len(rows) != len(entry["scores"]) or any(len(row) != entry["lesions"] for row in rows):
            raise ValueError("wanted a row per contour and a column per lesion")
    if any(len(areas) not in {0, entry["lesions"]} for areas in (entry["shares"], entry["areas_mm2"])):
        raise ValueError("wanted an area per lesion, or none")
    return entry


class CurveEntry(TypedDict):
    """IoU at each level of `metrics.pixels.LEVELS`."""

    finding: Name
    reader: str
    method: Name
    ious: list[Share]


class ProbedOutputEntry(TypedDict):
    """The output of a network for one finding and one version of an image."""

    probe: Name
    variant: str
    finding: Name
    logit: Number


class ProbedCase(TypedDict):
    """The outputs of a network for the versions of an image."""

    case_id: Name
    outputs: list[ProbedOutputEntry]


class MapTestEntry(TypedDict):
    """A number that a test of an attribution method gives for one map."""

    finding: Name
    method: Name
    test: Name
    measure: Name
    variant: str
    value: Number | None
    undefined_because: str


class MapTestedCase(TypedDict):
    """The numbers of the map tests of one image."""

    case_id: Name
    values: list[MapTestEntry]


class FitEntry(TypedDict):
    """How well the map of an output fits an annotation, after each transform or as it is."""

    finding: Name
    reader: str
    method: Name
    output: Name
    ranks: list[Share | None]
    hits: list[Share | None]


def _alike(entry: FitEntry) -> FitEntry:
    if len(entry["ranks"]) != len(entry["hits"]) or not entry["ranks"]:
        raise ValueError("wanted as many hits as ranks, one or more")
    return entry


class FinishedCase(Case):
    """What the tables over all cases, too, need of a case.json."""

    patient_id: Name
    skipped: list[SkippedEntry]
    candidates: list[Annotated[CandidatesEntry, AfterValidator(_rectangular)]]
    curves: list[CurveEntry]
    fits: list[Annotated[FitEntry, AfterValidator(_alike)]]
    look: Annotated[str, Field(pattern="^([0-9a-f]{1040})?$")]
