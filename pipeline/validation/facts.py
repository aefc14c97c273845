"""Facts: numbers and hashes of a study set on which the checks work. No pixels are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from pipeline.cohort.near_duplicates import Picture, near_duplicate_groups
from pipeline.records import Box, Kind, Shape, Skipped
from pipeline.validation.pieces import Piece


@dataclass(frozen=True, slots=True)
class MeasuredReference:
    """One reader's annotation of one finding on one image, measured on the image's own grid."""

    finding: str
    """Empty if the annotation names no finding and the image's labels call every finding absent."""
    reader: str
    kind: Kind
    area_px: int
    """Area in pixels of all its masks or boxes together; 0: the reader says that the finding is absent."""
    boxes: tuple[Box, ...] = ()
    fingerprint: str = ""
    """Hash of shape and position; empty if nothing is drawn."""
    pieces: tuple[Piece, ...] = ()
    """Connected parts of a mask, the largest first."""
    holes: tuple[Piece, ...] = ()
    """Holes of a mask, the largest first."""
    background: tuple[float, float] | None = None
    """Shares (0 … 1) of the shape, and of the band around it, outside the body; None if unknown."""
    widest: tuple[float, float] = (0.0, 0.0)
    """Shares (0 … 1) of the image and of its outermost pixels that the largest of its masks covers."""
    contrasts: Mapping[str, float] = field(default_factory=dict)
    """Orientation → contrast across the mask's outline; see the module `contrast`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An annotation that is not used: it is unreadable, does not fit, or has no image or finding."""

    subject: str
    """Pseudonym of the image, or of the annotation if it has no image."""
    finding: str
    reader: str
    reason: str
    message: str
    boxes: tuple[Box, ...] = ()
    file: str = ""
    """Path of its file, for the terminal alone; empty if it has none of its own."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Dice (0 … 1) of two readers' annotations of one finding on one image."""

    finding: str
    kind: Kind
    readers: tuple[str, str]
    dice: float


class Brightness(NamedTuple):
    """How bright an image is, as shares (0 … 1) of the range that its file can hold or its window shows."""

    darkest: float
    """1st percentile of the pixels."""
    middle: float
    """Mean of the pixels."""
    brightest: float
    """99th percentile of the pixels."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image with its labels and measured annotations."""

    case_id: str
    patient_id: str
    shape: Shape
    labels: Mapping[str, int | None]
    picture: Picture | None
    """Hashes of the pixels; None if the image cannot be decoded."""
    references: tuple[MeasuredReference, ...] = ()
    refused: tuple[Refused, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    brightness: Brightness | None = None
    """None if the image cannot be decoded, or was not."""

    @property
    def annotated(self) -> frozenset[str]:
        """Findings that have an annotation, whether it can be used or not."""
        return frozenset(entry.finding for part in (self.references, self.refused) for entry in part)

    def label_of(self, finding: str) -> int | None:
        """1 present, 0 absent, None unknown: the image's label, or else what the annotations show."""
        if self.labels.get(finding) is not None:
            return self.labels[finding]
        areas = [entry.area_px for entry in self.references if entry.finding == finding]
        return int(any(areas)) if areas else None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names of findings that labels and annotations may use."""

    findings: tuple[str, ...]
    """All findings of labels and annotations."""
    declared: tuple[str, ...]
    """Findings that the config names; empty if it names none."""
    words: Mapping[str, int]
    """Finding, translated by the config if it is listed there → number of its annotations."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym of a finding → its name, to compare spellings; it is never shown."""


@dataclass(frozen=True)
class StudySet:
    """Facts of a study set with its annotations, as the checks receive them."""

    images: tuple[ImageFacts, ...]
    vocabulary: Vocabulary
    refused: tuple[Refused, ...] = ()
    """Annotations and rows of labels without an image or a finding."""
    skipped: tuple[Skipped, ...] = ()
    """Files and images that could not be used, with reasons."""
    unread: tuple[Skipped, ...] = ()
    """Files below the annotations that are not read, with reasons."""
    elsewhere: int = 0
    """Number of annotations of images that are not among `images`, because the config selects others."""

    @property
    def case_ids(self) -> frozenset[str]:
        """Pseudonyms of the images."""
        return frozenset(image.case_id for image in self.images)

    @cached_property
    def near_duplicates(self) -> tuple[tuple[ImageFacts, ...], ...]:
        """Groups of images that look the same, including identical ones."""
        decoded = [image for image in self.images if image.picture is not None]
        pictures = [image.picture for image in decoded if image.picture is not None]
        return tuple(tuple(decoded[index] for index in group) for group in near_duplicate_groups(pictures))
