"""Shapes: specks beside a mask, and holes in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.validation.check import Check, Found, about, drawn, masks, percent
from pipeline.validation.facts import Drawn, ImageFacts, StudySet
from pipeline.validation.pieces import Piece

SPECK_OF_LARGEST = 0.01
SPECK_OF_IMAGE = 0.0005
"""Both at most: a real second lesion of 569 pixels is beside one of 15,310, and specks have 1 to 8."""
PINHOLE = 0.01
"""Of the mask's area: a larger hole may be an outline that was not filled."""


def _specks(study: StudySet) -> Iterator[Found]:
    for image, entry in drawn(study, "mask"):
        small = _small_pieces(image, entry)
        if small:
            largest = entry.pieces[0].area_px
            yield about(image, entry, f"{_listed(small, 'speck')} beside a part of {largest:,} pixels.")


def _small_pieces(image: ImageFacts, entry: Drawn) -> list[Piece]:
    most = min(SPECK_OF_LARGEST * entry.pieces[0].area_px, SPECK_OF_IMAGE * image.shape[0] * image.shape[1])
    return [piece for piece in entry.pieces[1:] if piece.area_px <= most]


def _holes(study: StudySet) -> Iterator[Found]:
    for image, entry in drawn(study, "mask"):
        large = [piece for piece in entry.holes if piece.area_px > PINHOLE * entry.area_px]
        if large:
            yield about(image, entry, f"{_listed(large, 'hole')} in a mask of {entry.area_px:,} pixels.")


def _pinholes(study: StudySet) -> Iterator[Found]:
    for image, entry in drawn(study, "mask"):
        small = [piece for piece in entry.holes if piece.area_px <= PINHOLE * entry.area_px]
        if small:
            yield about(image, entry, f"{_listed(small, 'pinhole')} in a mask of {entry.area_px:,} pixels.")


def _listed(pieces: Sequence[Piece], noun: str) -> str:
    """How many, how large, and where the largest is."""
    first = pieces[0]
    pixels = f"{first.area_px:,} pixel{'' if first.area_px == 1 else 's'}"
    place = f"at column {first.column:,}, row {first.row:,}"
    if len(pieces) == 1:
        return f"A {noun} of {pixels} {place},"
    return f"{len(pieces):,} {noun}s, the largest of {pixels} {place},"


SPECKS = Check(
    title="Specks beside a mask",
    level="warning",
    looks_for=f"connected parts of at most {percent(SPECK_OF_LARGEST)} of the mask's largest part and "
    f"{percent(SPECK_OF_IMAGE)} of the image",
    remedy="Remove them. Where parts are counted as lesions (instances: components) each would be one "
    "that no network finds.",
    of="masks",
    count=masks,
    find=_specks,
)
HOLES = Check(
    title="Holes in a mask",
    level="warning",
    looks_for=f"parts of more than {percent(PINHOLE)} of a mask's area that it encloses and does not cover",
    remedy="Fill them, unless the finding has a hole; where most is hole, the outline was saved and not its "
    "inside.",
    of="masks",
    count=masks,
    find=_holes,
)
PINHOLES = Check(
    title="Pinholes in a mask",
    level="note",
    looks_for=f"parts of at most {percent(PINHOLE)} of a mask's area that it encloses and does not cover",
    remedy="Fill them; they change distances between outlines, and overlaps hardly.",
    of="masks",
    count=masks,
    find=_pinholes,
)
