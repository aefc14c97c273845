"""Shapes: specks next to a mask, and holes in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.validation.checks.check import Check, Found, found_in, mask_count, measured_references, percent
from pipeline.validation.checks.coverage import is_inverted
from pipeline.validation.facts import ImageFacts, MeasuredReference, StudySet
from pipeline.validation.pieces import Piece

SPECK_OF_LARGEST = 0.01
SPECK_OF_IMAGE = 0.0005
"""Largest area of a speck, as shares of the mask's largest part and of the image; both limits hold. In a real
set specks have 1 to 8 pixels, and a true second lesion has 569 pixels next to one of 15,310."""
PINHOLE = 0.01
"""Largest area of a pinhole, as a share of the mask's area; a larger hole may be an outline that was not
filled."""


def _specks(study: StudySet) -> Iterator[Found]:
    for image, entry in measured_references(study, "mask"):
        small = _small_pieces(image, entry)
        if small:
            largest = entry.pieces[0].area_px
            yield found_in(image, entry, f"{_listed(small, 'speck')} next to a part of {largest:,} pixels.")


def _small_pieces(image: ImageFacts, entry: MeasuredReference) -> list[Piece]:
    most = min(SPECK_OF_LARGEST * entry.pieces[0].area_px, SPECK_OF_IMAGE * image.shape[0] * image.shape[1])
    return [piece for piece in entry.pieces[1:] if piece.area_px <= most]


def _holes(study: StudySet) -> Iterator[Found]:
    for image, entry in measured_references(study, "mask"):
        large = [piece for piece in entry.holes if piece.area_px > PINHOLE * entry.area_px]
        if large and not is_inverted(entry):
            yield found_in(image, entry, f"{_listed(large, 'hole')} in a mask of {entry.area_px:,} pixels.")


def _pinholes(study: StudySet) -> Iterator[Found]:
    for image, entry in measured_references(study, "mask"):
        small = [piece for piece in entry.holes if piece.area_px <= PINHOLE * entry.area_px]
        if small:
            yield found_in(
                image, entry, f"{_listed(small, 'pinhole')} in a mask of {entry.area_px:,} pixels."
            )


def _listed(pieces: Sequence[Piece], noun: str) -> str:
    """Number of pieces, and size and position of the largest."""
    first = pieces[0]
    pixels = f"{first.area_px:,} pixel{'' if first.area_px == 1 else 's'}"
    position = f"at column {first.column:,}, row {first.row:,}"
    if len(pieces) == 1:
        return f"A {noun} of {pixels} {position},"
    return f"{len(pieces):,} {noun}s, the largest of {pixels} {position},"


SPECKS = Check(
    title="Specks next to a mask",
    level="warning",
    looks_for=f"connected parts of at most {percent(SPECK_OF_LARGEST)} of the mask's largest part and at "
    f"most {percent(SPECK_OF_IMAGE)} of the image",
    remedy="Remove them. If connected parts count as lesions (instances: components), each speck would be a "
    "lesion that no model finds.",
    of="masks",
    count=mask_count,
    find=_specks,
)
HOLES = Check(
    title="Holes in a mask",
    level="warning",
    looks_for=f"holes with more than {percent(PINHOLE)} of the mask's area",
    remedy="Fill them, unless the finding itself has a hole. If the hole is most of the shape, only the "
    "outline was saved: export the filled mask.",
    of="masks",
    count=mask_count,
    find=_holes,
)
PINHOLES = Check(
    title="Pinholes in a mask",
    level="note",
    looks_for=f"holes with at most {percent(PINHOLE)} of the mask's area",
    remedy="Fill them: they change distances between outlines, although they hardly change overlaps.",
    of="masks",
    count=mask_count,
    find=_pinholes,
)
