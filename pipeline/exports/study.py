"""Study: the results on the images of one patient's study, as exports take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from pipeline.records import Heatmap, Region

Picture = Callable[[], NDArray[np.uint8]]
"""The image as the report first shows it: (rows, columns, 3), 0 … 255, bright = dense or bright tissue."""
Overlay = Callable[[str, str, str], NDArray[np.uint8]]
"""overlay(finding, method, colours): the picture with that map over it, from 0 to the map's maximum."""


@dataclass(frozen=True, slots=True)
class Concept:
    """A code (PS3.3, 8.8): scheme designator, value and meaning; free text has the scheme `codes.OWN`."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """What all objects of a run share."""

    run_id: str
    created: str
    """ISO date on which the run was first written: the date of its objects, whenever they are exported."""
    version: str
    """Of Heatproof, which drew and scored."""
    model: str
    """Name on the model card."""
    model_version: str
    """The beginning of the hash of the weights; "unknown" for external maps."""
    weights_sha256: str
    """Empty for external maps."""
    findings: Mapping[str, Concept]
    """Finding → its code, in the order of tables."""
    verdicts: Mapping[str, str]
    """Finding → the run's verdict on it, in words."""
    methods: tuple[str, ...]
    """The network's methods, in the order of tables; baselines are not exported."""
    font: bytes = b""
    """TrueType font of texts in pictures; empty: Pillow's own, which has Latin letters only."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The intersection over union of all contours of one map with one reader's annotation."""

    method: str
    reader: str
    iou: float | None
    undefined_because: str = ""


@dataclass(frozen=True, slots=True)
class ContourOverlap:
    """The intersection over union of one contour with each lesion of one reader."""

    method: str
    contour: int
    """Among the contours of that method, in their order; counted from 0."""
    reader: str
    ious: tuple[float, ...]
    """One per lesion; empty if the reader says that there is none."""


@dataclass(frozen=True, slots=True)
class ReaderMarks:
    """One reader's annotation of a finding, in image coordinates as `Region.outlines`."""

    reader: str
    outlines: tuple[NDArray[np.floating], ...]
    """Of masks, polygons and boxes, (points, 2) as (x, y)."""
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ExportedFinding:
    """The results for one finding on one frame."""

    finding: str
    probability: float | None
    """0 … 1; None if unknown."""
    threshold: float | None
    """Probability from which the finding counts as positive."""
    label: int | None
    """1 present, 0 absent, None unknown, by the readers."""
    contours: tuple[Region, ...]
    """Of all methods, highest peak first."""
    maps: tuple[Heatmap, ...]
    """The raw map of each method, with its place on the image."""
    agreements: tuple[Agreement, ...]
    overlaps: tuple[ContourOverlap, ...] = ()
    """Unknown for annotations that have no area, such as points."""
    readers: tuple[ReaderMarks, ...] = ()
    """Of the readers who marked it, in the order of the run."""


@dataclass(frozen=True, slots=True)
class ExportedFrame:
    """One frame of an image: a case of the run."""

    case_id: str
    frame: int
    """Counted from 0."""
    shape: tuple[int, int]
    spacing_mm: tuple[float, float] | None
    findings: tuple[ExportedFinding, ...]
    picture: Picture | None
    """None if it cannot be shown."""
    overlay: Overlay | None = None
    why_no_picture: str = ""
    """Why `picture` is None."""
    is_worst: bool = False
    """Whether the report lists it among the worst cases."""
    is_disputed: bool = False
    """Whether reviewers disagree about it."""


@dataclass(frozen=True, slots=True)
class ExportedImage:
    """One SOP instance with its audited frames, in their order."""

    header: Dataset
    """The image's own header without its pixel data, or the pseudonymous one."""
    frames: tuple[ExportedFrame, ...]


@dataclass(frozen=True, slots=True)
class ExportedStudy:
    """The audited images of one study of one patient."""

    run: ExportedRun
    study_id: str
    """Pseudonym of the study, for names of folders."""
    images: tuple[ExportedImage, ...]
    options: Mapping[str, str]
    """Keys of the config's section `exports` that kinds read: `segmentation`, `map_grid`, `overlay`."""
