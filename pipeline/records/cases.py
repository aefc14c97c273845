"""Cases: one image at each stage of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.records.annotations import AnnotationItem, Box, Reference
from pipeline.records.arrays import Intensity, Shape
from pipeline.records.heatmaps import Heatmap, ModelInput, Prediction
from pipeline.records.images import Caution, ImageSource
from pipeline.records.planes import Directions, SpacingAt
from pipeline.records.regions import Dropped, Peak, Region
from pipeline.records.scores import Candidates, Curve, Fit, Score


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that was not audited, and the reason. `subject` is a pseudonym."""

    subject: str
    stage: str
    reason: str
    """A short code in snake_case."""
    message: str
    """One plain sentence without identifiers."""


@dataclass(frozen=True, slots=True)
class Case:
    """One image under its pseudonym."""

    case_id: str
    patient_id: str
    source: ImageSource
    object_id: str = ""
    """Pseudonym of the multi-frame object; empty if the image is its only frame."""
    other_stems: tuple[str, ...] = ()
    """Stems of files that were skipped because they have the same SOP instance UID."""


@dataclass(frozen=True, slots=True)
class DecodedCase:
    """A decoded image: the network's input, and what the stages after the network need."""

    case: Case
    model_input: ModelInput
    """After the network its tensor is empty, because later stages need only the placement."""
    shape: Shape
    spacing_mm: tuple[float, float] | None
    attributes: Mapping[str, str]
    sha256: str
    baselines: Mapping[str, Intensity] = field(default_factory=dict)
    """Maps of the baselines that depend on the image's pixels, computed when it is decoded."""
    look: str = ""
    """`cohort.near_duplicates.look_of` its pixels; empty if it was not looked for."""
    cautions: tuple[Caution, ...] = ()
    directions: Directions | None = None
    spacing_at: SpacingAt = ""

    @property
    def case_id(self) -> str:
        """The image's pseudonym."""
        return self.case.case_id


@dataclass(frozen=True, slots=True)
class ExplainedCase:
    """An image with its predictions, heatmaps, annotations and labels."""

    decoded: DecodedCase
    predictions: tuple[Prediction, ...]
    """Predictions of the findings whose probability is known."""
    heatmaps: tuple[Heatmap, ...]
    items: tuple[AnnotationItem, ...]
    labels: Mapping[str, int | None]
    findings: tuple[str, ...]
    """All findings, in the order of tables."""
    expected: frozenset[tuple[str, str]] = frozenset()
    """(method, finding) of the maps that should exist; if one is missing, all its scores are undefined."""
    skipped: tuple[Skipped, ...] = ()
    """Maps of this image that could not be used."""

    @property
    def case_id(self) -> str:
        """The image's pseudonym."""
        return self.decoded.case_id


@dataclass(frozen=True, slots=True)
class FinishedCase:
    """All results of one image."""

    case_id: str
    patient_id: str
    frame: int
    shape: Shape
    spacing_mm: tuple[float, float] | None
    attributes: Mapping[str, str]
    sha256: str
    view: Box
    """The part of the image that the network saw."""
    labels: Mapping[str, int | None]
    """Finding → 1 present, 0 absent, None unknown."""
    predictions: tuple[Prediction, ...]
    heatmaps: tuple[Heatmap, ...]
    peaks: tuple[Peak, ...]
    regions: tuple[Region, ...]
    dropped: tuple[Dropped, ...]
    references: tuple[Reference, ...]
    scores: tuple[Score, ...]
    skipped: tuple[Skipped, ...]
    """Annotations of this image that could not be used."""
    candidates: tuple[Candidates, ...] = ()
    curves: tuple[Curve, ...] = ()
    fits: tuple[Fit, ...] = ()
    look: str = ""
    """As in `DecodedCase`."""
    object_id: str = ""
    """Pseudonym of the multi-frame object; empty if the image is its only frame."""
    cautions: tuple[Caution, ...] = ()
    """Warnings that the report shows with the image."""
    directions: Directions | None = None
    """As in `Image`."""
    spacing_at: SpacingAt = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run."""

    done: int
    """Number of finished images, including those of earlier, interrupted tries of the run."""
    total: int
    skipped: int
    doing: str = ""
    """What is done with the images, where it is not the command's first task: "Probing"."""
