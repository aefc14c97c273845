"""Facts: what the checks know of a study set. No pixel is kept, whatever the images' size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from pipeline.records import Box, Shape, Skipped
from pipeline.validation.alikes import Picture, alike
from pipeline.validation.pieces import Piece

Kind: TypeAlias = Literal["mask", "box"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one reader says of one finding on one image, measured on the image's own grid."""

    finding: str
    """Empty where the image's labels call every finding absent, and the annotation names none."""
    reader: str
    kind: Kind
    area_px: int
    """Of all its masks or boxes together; 0: "it is not there"."""
    boxes: tuple[Box, ...] = ()
    fingerprint: str = ""
    """Of its shape and place; empty where nothing is drawn."""
    pieces: tuple[Piece, ...] = ()
    """The connected parts of a mask, the largest first."""
    holes: tuple[Piece, ...] = ()
    """What a mask encloses without covering it, the largest first."""
    background: tuple[float, float] | None = None
    """Shares of the shape, and of the band around it, that lie beside the body; None where unknown."""
    contrasts: Mapping[str, float] = field(default_factory=dict)
    """Orientation → contrast across the mask's outline; see `contrast`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An annotation that is not used: it cannot be read, does not fit, or belongs to no image or finding."""

    subject: str
    """Pseudonym of the image, or of the annotation where it has none."""
    finding: str
    reader: str
    reason: str
    message: str
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two readers agree on one finding of one image."""

    finding: str
    kind: Kind
    readers: tuple[str, str]
    dice: float


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image with everything that was said of it."""

    case_id: str
    patient_id: str
    shape: Shape
    labels: Mapping[str, int | None]
    picture: Picture | None
    """None where the image cannot be decoded."""
    drawn: tuple[Drawn, ...] = ()
    refused: tuple[Refused, ...] = ()
    agreements: tuple[Agreement, ...] = ()

    @property
    def annotated(self) -> frozenset[str]:
        """The findings that an annotation is about, usable or not."""
        return frozenset(entry.finding for part in (self.drawn, self.refused) for entry in part)

    def says(self, finding: str) -> int | None:
        """1 present, 0 absent, None unknown: by its label, else by what was drawn."""
        if self.labels.get(finding) is not None:
            return self.labels[finding]
        areas = [entry.area_px for entry in self.drawn if entry.finding == finding]
        return int(any(areas)) if areas else None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which findings there can be."""

    findings: tuple[str, ...]
    """All that labels and annotations are about."""
    declared: tuple[str, ...]
    """Those that the config names; empty where it names none."""
    words: Mapping[str, int]
    """Finding, in the network's word where the config has one → how many annotations are about it."""


@dataclass(frozen=True)
class StudySet:
    """A study set with its annotations, as far as the checks may know it."""

    images: tuple[ImageFacts, ...]
    vocabulary: Vocabulary
    refused: tuple[Refused, ...] = ()
    """Annotations and rows of labels that belong to no image or no finding."""
    skipped: tuple[Skipped, ...] = ()
    """Files and images that could not be used."""

    @cached_property
    def alike(self) -> tuple[tuple[ImageFacts, ...], ...]:
        """Groups of images that look the same, identical ones included; see `alikes`."""
        there = [image for image in self.images if image.picture is not None]
        pictures = [image.picture for image in there if image.picture is not None]
        return tuple(tuple(there[index] for index in group) for group in alike(pictures))
