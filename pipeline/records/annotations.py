"""Annotations: readers' findings on an image, before and after their file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from pipeline.records.arrays import Mask, Outline
from pipeline.records.notices import Notice
from pipeline.records.planes import ImagePlane

Kind: TypeAlias = Literal["mask", "polygon", "box", "point"]
"""Geometry of an annotation. Scores for masks and polygons, for boxes and for points are never pooled."""


Says: TypeAlias = Literal["shapes", "present", "nothing", "word"]
"""What an annotation says.

shapes: what its payload holds. present: the image shows the finding, somewhere. nothing: its file lists the
image, with nothing on it. word: its file may name the finding on any image; it belongs to none.
"""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in image coordinates; `x`, `y` is its top left corner, lengths are in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class AnnotationItem:
    """One annotation found in a folder or file, not yet read: its image, finding and reader."""

    format: str
    """Name of the annotation format that reads it."""
    image: str
    """SOP instance UID of the image, or its name without suffix, with folders if they were given."""
    finding: str | None
    """The annotators' name of it; None: the finding that the image's label calls present."""
    reader: str
    payload: Mapping[str, object]
    """Picklable data that the format needs to read the annotation.

    Files are named only by the keys "path" and "paths", so that a hash can use their contents instead.
    """
    frame: int | None = None
    """Frame of a multi-frame image, counted from 0; None: it names no frame."""
    absent: bool = False
    """Whether the image's labels say that no finding is present; a shape then belongs to no finding."""
    denies: bool = False
    """Whether its reader says that none of the findings is present, by the words of the config or source."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Path of a file → its `guards.file_hashes.file_hash`; changes of other files are not detected."""
    place: ImagePlane | None = None
    """The plane by which the image is found; None: by its name."""
    plane: ImagePlane | None = None
    """The plane of the image, once it is found; None: unknown."""
    kind: Kind | None = None
    """Its geometry, where its format has several kinds; None: the format has one."""
    slice_mm: float | None = None
    """Position of the image along the normal of its plane, if its name is that of several slices."""
    says: Says = "shapes"
    unmarked: tuple[str, ...] = ()
    """The annotators' words of findings that are absent where its reader marks none; empty: unknown."""


@dataclass(frozen=True, slots=True)
class Point:
    """A position in image coordinates."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Reference:
    """One reader's annotation of one finding on one image. Without any geometry, the finding is absent."""

    case_id: str
    finding: str
    reader: str
    kind: Kind
    masks: tuple[Mask, ...] = ()
    """One per instance, in the image's shape, never empty. For polygons, the pixels with centres inside."""
    boxes: tuple[Box, ...] = ()
    polygons: tuple[Outline, ...] = ()
    """Outlines as drawn, in the order of `masks`."""
    points: tuple[Point, ...] = ()
    notices: tuple[Notice, ...] = ()
    """What its file did not say and was decided, and what contradicts itself in it."""

    @property
    def lesions(self) -> int:
        """Number of instances."""
        return len(self.masks) + len(self.boxes) + len(self.points)


def joined(first: Reference, second: Reference) -> Reference:
    """Two annotations of one finding by one reader, as one; a mask and a polygon become masks."""
    same_kind = first.kind == second.kind
    return replace(
        first,
        kind=first.kind if same_kind else scored_as(first.kind),
        masks=(*first.masks, *second.masks),
        boxes=(*first.boxes, *second.boxes),
        polygons=(*first.polygons, *second.polygons) if same_kind else (),
        points=(*first.points, *second.points),
        notices=(*first.notices, *second.notices),
    )


def scored_as(kind: Kind) -> Kind:
    """The kind whose metrics score a reference: polygons are scored as masks."""
    return "mask" if kind == "polygon" else kind


Labels = Mapping[str, int | None]
"""Finding → 1 present, 0 absent, None unknown."""
