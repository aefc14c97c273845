"""Measuring: one image and what was drawn on it → the facts that the checks go by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from pipeline.records import Box, Image, Mask, Reference, Shape
from pipeline.validation.alikes import pictured
from pipeline.validation.background import background, shares
from pipeline.validation.contrast import contrasts
from pipeline.validation.facts import Agreement, Drawn, ImageFacts, Refused
from pipeline.validation.pieces import holes, parts

MOST_PIECES = 64
"""Of a mask's parts and holes that are kept, the largest: a mask of dust has thousands."""


def measured(
    *,
    case_id: str,
    patient_id: str,
    shape: Shape,
    labels: Mapping[str, int | None],
    image: Image | None,
    references: Sequence[Reference],
    refused: Sequence[Refused] = (),
) -> ImageFacts:
    """The facts of one image; `image` is None where it cannot be decoded.

    One reference is one reader's word on one finding.
    """
    covered = [_covered(reference, shape) for reference in references]
    beside = None if image is None or not references else background(image.pixels)
    return ImageFacts(
        case_id=case_id,
        patient_id=patient_id,
        shape=shape,
        labels=labels,
        picture=None if image is None else pictured(image.pixels),
        drawn=tuple(_drawn(r, c, image, beside) for r, c in zip(references, covered, strict=True)),
        refused=tuple(refused),
        agreements=tuple(_agreements(references, covered)),
    )


def boxed(boxes: Sequence[Box], shape: Shape) -> Mask:
    """True where a pixel's centre lies in one of the boxes."""
    mask = np.zeros(shape, np.bool_)
    for box in boxes:
        top, bottom = (_first_pixel(edge) for edge in (box.y, box.y + box.height))
        left, right = (_first_pixel(edge) for edge in (box.x, box.x + box.width))
        mask[top:bottom, left:right] = True
    return mask


def dice(one: Mask, other: Mask) -> float:
    """2 |A ∩ B| / (|A| + |B|), of masks that are not both empty."""
    return 2 * int((one & other).sum()) / (int(one.sum()) + int(other.sum()))


def _covered(reference: Reference, shape: Shape) -> Mask:
    """Everything that a reader drew, as one mask."""
    if reference.kind == "box":
        return boxed(reference.boxes, shape)
    return np.logical_or.reduce(reference.masks) if reference.masks else np.zeros(shape, np.bool_)


def _drawn(reference: Reference, covered: Mask, image: Image | None, beside: Mask | None) -> Drawn:
    is_mask = reference.kind == "mask"
    there = bool(covered.any())
    return Drawn(
        finding=reference.finding,
        reader=reference.reader,
        kind=reference.kind,
        area_px=int(covered.sum()),
        boxes=reference.boxes,
        fingerprint=_fingerprint(reference, covered),
        pieces=parts(covered)[:MOST_PIECES] if is_mask and there else (),
        holes=holes(reference.masks)[:MOST_PIECES] if is_mask and there else (),
        background=shares(covered, beside) if there and beside is not None else None,
        contrasts=contrasts(image.pixels, covered) if is_mask and there and image is not None else {},
    )


def _fingerprint(reference: Reference, covered: Mask) -> str:
    """A hash of a mask's pixels and their place, or of the boxes as they were written."""
    if reference.boxes:
        return hashlib.sha256(repr(sorted(map(repr, reference.boxes))).encode()).hexdigest()
    if not covered.any():
        return ""
    return hashlib.sha256(repr(covered.shape).encode() + np.packbits(covered).tobytes()).hexdigest()


def _agreements(references: Sequence[Reference], covered: Sequence[Mask]) -> Iterator[Agreement]:
    """Each pair of readers who spoke of the same finding in the same way, one of whom at least drew it."""
    for (one, first), (other, second) in combinations(zip(references, covered, strict=True), 2):
        same = (one.finding, one.kind) == (other.finding, other.kind)
        if same and one.finding and (first.any() or second.any()):
            yield Agreement(one.finding, one.kind, (one.reader, other.reader), dice(first, second))


def _first_pixel(edge: float) -> int:
    """The first pixel whose centre is not before an edge; the edges before the image give its first."""
    return max(0, int(np.ceil(edge)))
