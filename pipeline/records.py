"""Records: the frozen nouns that pass between stages.

Only `ImageSource` and `AnnotationItem` hold identifiers of the input; these reach `crosswalk.csv` alone.

Arrays are indexed (row, column). Image coordinates are (x, y) = (column, row) with (0, 0) at the *centre* of
the top left pixel, so that this pixel covers -0.5 … 0.5 in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Intensity: TypeAlias = NDArray[np.float32]
"""Real values on a grid, (rows, columns)."""
Mask: TypeAlias = NDArray[np.bool_]
"""True inside, (rows, columns)."""
Outline: TypeAlias = NDArray[np.float32]
"""A closed polygon without its repeated last point, (points, 2) as (x, y) in image coordinates."""
Shape: TypeAlias = tuple[int, int]
"""(rows, columns)."""

IMAGE_SUFFIXES = (
    ".dcm", ".dicom", ".dic", ".dc3", ".ima", ".img", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp",
)  # fmt: skip
"""Of files that are, or that tables name as, images. Other endings stay: "IM.0001", SOP instance UIDs."""


def file_stem(name: str) -> str:
    """A file's name without folders and image suffixes: "a/17.png.dcm" → "17", "a/IM.0001" → "IM.0001"."""
    stem = name.rsplit("/", 1)[-1]
    while "." in stem[1:] and stem.lower().endswith(IMAGE_SUFFIXES):
        stem = stem.rpartition(".")[0]
    return stem


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where one image lies: a frame of a file. Its identifiers leave the run in `crosswalk.csv` alone."""

    path: str
    """Absolute path of the file."""
    relative_path: str
    """Below the study folder, with forward slashes."""
    sop_instance_uid: str
    """Empty where the header has none."""
    patient: str
    """Patient ID with its issuer; where absent the study, then the file: the unit of resampling."""
    frame: int
    """Counted from 0."""
    frames: int
    shape: Shape
    size_bytes: int
    modified_ns: int
    fingerprint: str = ""
    """Of the file when it was listed, see `loaders.dataset.fingerprint`; empty: it is not held against it."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Allow-listed: modality, view, laterality, sex, age, manufacturer, model, body_part, photometric,
    transfer_syntax, bits_stored."""
    study_date: str = ""
    """As the header writes it, which is for no output."""
    changed_ns: int = 0
    """When the file or what the file system knows of it last changed, which no program can set."""
    whole: bool = True
    """Whether the file holds all the pixel data that its header announces, see `loaders.wholeness`."""

    @property
    def stem(self) -> str:
        """`file_stem` of the file, by which annotations may refer to it where no other file has the same."""
        return file_stem(self.relative_path)


@dataclass(frozen=True, slots=True)
class Display:
    """What a viewer shows: values at their full depth, and the window through which they come at first."""

    values: NDArray[np.uint8 | np.uint16]
    """(rows, columns), bright = dense or bright tissue."""
    low: float
    """Shown black."""
    high: float
    """Shown white."""
    slope: float | None = None
    """A value times slope plus intercept is in the modality's unit; None where none is known."""
    intercept: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One decoded image."""

    case_id: str
    pixels: Intensity
    """0 … 1, bright = dense or bright tissue."""
    spacing_mm: tuple[float, float] | None
    """Distance of neighbouring pixel centres (down a column, along a row); None where unknown."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    """Of the bytes of the file that were decoded."""
    display: Display | None = None
    """None for an image that nobody will look at."""

    @property
    def shape(self) -> Shape:
        """(rows, columns)."""
        rows, columns = self.pixels.shape
        return rows, columns


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in image coordinates; `x`, `y` is its top left corner, lengths are in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class AnnotationItem:
    """One annotation found in a folder or file, not yet read: which image, finding and reader it is about."""

    format: str
    """Name of the annotation format that reads it."""
    image: str
    """SOP instance UID or file stem of the image."""
    finding: str | None
    """In the annotators' words; None: the finding that the image's label says is present."""
    reader: str
    payload: Mapping[str, object]
    """What the format needs to read it; pickles. Files stand under "path" or "paths" and nowhere else in it,
    so that a hash can be taken of what they hold and not of where they lie."""
    frame: int = 0
    """Of a multi-frame image, counted from 0."""
    absent: bool = False
    """The image's labels say that nothing is there: a shape in the annotation belongs to no finding."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Path of each of its files → what `contents` says of it; a file that is not named here may change."""


@dataclass(frozen=True, slots=True)
class MapPlane:
    """What one frame of a DICOM file of maps says that it is of; empty where it does not say."""

    image: str
    """SOP instance UID."""
    frame: int
    """Of the image, counted from 0."""
    finding: str


@dataclass(frozen=True, slots=True)
class HeatmapItem:
    """One map, or the contours, that was computed elsewhere, not yet read: of which image and finding."""

    format: str
    """Of `pipeline.heatmaps`, or "dicom_seg" for contours."""
    path: str
    image: str
    """SOP instance UID or file stem of the image."""
    finding: str
    """In the words of whoever made the map."""
    method: str
    probability: float | None = None
    """Of the finding on the image; None where nobody says."""
    frame: int = 0
    """Of a multi-frame image, counted from 0."""
    plane: int = 0
    """Which map of the file, counted from 0."""
    contours: AnnotationItem | None = None
    """What reads them, where the item is no map."""
    held: str = ""
    """What `contents` says of its file; empty: it may change."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What one reader says of one finding on one image. Without masks and boxes: "it is not there"."""

    case_id: str
    finding: str
    reader: str
    kind: Literal["mask", "box"]
    masks: tuple[Mask, ...] = ()
    """One an instance, each of the image's shape, none empty."""
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the model's grid lies on the image: image = scale × model + offset, for rows and for columns.

    Both grids have their origin at the centre of their first cell. A negative scale is a flip.
    """

    model_shape: Shape
    image_shape: Shape
    scale: tuple[float, float]
    offset: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ModelInput:
    """One image as the network takes it."""

    case_id: str
    tensor: NDArray[np.float32]
    """(channels, height, width)."""
    placement: Placement


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the network says of one finding on one image."""

    case_id: str
    finding: str
    logit: float
    probability: float
    """0 … 1."""
    threshold: float
    """The operating point: positive from this probability up."""

    @property
    def positive(self) -> bool:
        """Whether the probability reaches the operating point."""
        return self.probability >= self.threshold


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Raw relevance of one finding on the attribution grid: not rescaled, not upsampled, signs kept."""

    case_id: str
    finding: str
    method: str
    relevance: Intensity
    unit: Literal["logit", "relative", "contour"]
    """`contour`: drawn elsewhere, 1 inside and 0 outside. It is shown like a map, but ranks nothing."""
    placement: Placement
    """From the attribution grid (its `model_shape`) to the image."""


@dataclass(frozen=True, slots=True)
class Region:
    """One contour of the network: a connected part of a thresholded heatmap on the image's own grid."""

    case_id: str
    finding: str
    method: str
    rule: str
    threshold: float
    """The level that was applied, in the heatmap's unit."""
    corner: tuple[int, int]
    """(row, column) of the top left pixel of `mask` in the image."""
    mask: Mask
    """The region within its bounding box."""
    outlines: tuple[Outline, ...]
    """The outer boundary first, then holes."""
    peak: float
    """Highest relevance inside, in the heatmap's unit."""
    drawn: Box | None = None
    """The box that a reader drew, which need not end at pixels; None for contours."""

    @property
    def area_px(self) -> int:
        """Pixels inside."""
        return int(self.mask.sum())

    @property
    def box(self) -> Box:
        """The bounding box, edge to edge of its outermost pixels, or the box that was drawn."""
        if self.drawn is not None:
            return self.drawn
        row, column = self.corner
        height, width = self.mask.shape
        return Box(x=column - 0.5, y=row - 0.5, width=float(width), height=float(height))


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one case, finding, reader and method; `value` is None where it is undefined."""

    case_id: str
    finding: str
    reader: str
    method: str
    metric: str
    value: float | None
    undefined_because: str = ""
    """A short code in snake_case, empty when there is a value."""
    lesion: int | None = None
    """Which instance of the reference, counted from 1; None where the score is of the whole image."""


@dataclass(frozen=True, slots=True)
class Peak:
    """Where a heatmap is highest, in image coordinates, and its highest raw relevance."""

    finding: str
    method: str
    x: float
    y: float
    relevance: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many regions of a drawing were left out because they were smaller than the minimum area."""

    finding: str
    method: str
    count: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A metric over all cases, with its interval."""

    finding: str
    reader: str
    method: str
    metric: str
    n: int
    """Defined scores."""
    undefined: Mapping[str, int]
    """Reason → how many scores were undefined for it."""
    patients: int
    """Distinct patients among the defined scores: the units that were resampled."""
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """The contours of one drawing, in its order, and the lesions of one reference, in its order."""

    case_id: str
    finding: str
    reader: str
    method: str
    kind: Literal["mask", "box"]
    """Of the reference: scores of masks and of boxes are kept apart."""
    lesions: int
    """0: the reader says that the finding is not there."""
    scores: tuple[float, ...]
    """Of the contours."""
    affinity: Mapping[str, tuple[tuple[float, ...], ...]]
    """Criterion → a row a contour, a column a lesion: 0 … 1."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The IoU of one map with one reader's masks, at each of the levels of `metrics.pixels`."""

    case_id: str
    finding: str
    reader: str
    method: str
    ious: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not audited, and why. `subject` is a pseudonym."""

    subject: str
    stage: str
    reason: str
    """A short code in snake_case."""
    message: str
    """One plain sentence without identifiers."""


@dataclass(frozen=True, slots=True)
class Caution:
    """What a reader of an audited image's result should know. No identifiers in it."""

    reason: str
    """A short code in snake_case."""
    message: str


@dataclass(frozen=True, slots=True)
class FinishedCase:
    """Everything a run found out about one image."""

    case_id: str
    patient_id: str
    frame: int
    shape: Shape
    spacing_mm: tuple[float, float] | None
    attributes: Mapping[str, str]
    sha256: str
    view: Box
    """The part of the image's plane that the network saw."""
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
    object_id: str = ""
    """What the image is a frame of, under a pseudonym; empty where it is the only one."""
    cautions: tuple[Caution, ...] = ()
    """Warnings that the report shows with the image."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    done: int
    """Images finished, those of earlier tries of the same run included."""
    total: int
    skipped: int
