"""Measuring: one image and its annotations → the facts on which the checks work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from pipeline.cohort.near_duplicates import picture_hashes
from pipeline.records import Box, Image, Intensity, Mask, Reference, Shape, scored_as
from pipeline.validation.background import background, shares
from pipeline.validation.contrast import contrasts
from pipeline.validation.facts import Agreement, Brightness, ImageFacts, MeasuredReference, Refused
from pipeline.validation.pieces import holes, parts

MOST_PIECES = 64
"""Most parts and holes that are kept per mask, the largest first; a noisy mask has thousands."""


def measure_image(
    *,
    case_id: str,
    patient_id: str,
    shape: Shape,
    labels: Mapping[str, int | None],
    image: Image | None,
    references: Sequence[Reference],
    refused: Sequence[Refused] = (),
) -> ImageFacts:
    """Facts of one image; `image` is None if it cannot be decoded.

    Each of `references` is one reader's annotation of one finding.
    """
    covered = [_covered(reference, shape) for reference in references]
    outside_body = None if image is None or not references else background(image.pixels)
    return ImageFacts(
        case_id=case_id,
        patient_id=patient_id,
        shape=shape,
        labels=labels,
        picture=None if image is None else picture_hashes(image.pixels),
        references=tuple(
            _measure(reference, mask, image, outside_body)
            for reference, mask in zip(references, covered, strict=True)
        ),
        refused=tuple(refused),
        agreements=tuple(_agreements(references, covered)),
        brightness=None if image is None else brightness(image.pixels),
    )


def brightness(pixels: Intensity) -> Brightness:
    """Percentiles and mean of an image (rows, columns), 0 … 1."""
    darkest, brightest = np.percentile(pixels, [1, 99]).tolist()
    return Brightness(darkest, float(pixels.mean(dtype=np.float64)), brightest)


def boxes_mask(boxes: Sequence[Box], shape: Shape) -> Mask:
    """Mask (rows, columns), True where a pixel's centre lies in one of the boxes.

    Right and bottom edges are not part of a box, unlike in `geometry.box_pixels`, so that adjacent boxes
    share no pixel.
    """
    mask = np.zeros(shape, np.bool_)
    for box in boxes:
        top, bottom = (_first_pixel(edge) for edge in (box.y, box.y + box.height))
        left, right = (_first_pixel(edge) for edge in (box.x, box.x + box.width))
        mask[top:bottom, left:right] = True
    return mask


def dice(one: Mask, other: Mask) -> float:
    """2 |A ∩ B| / (|A| + |B|) of two masks, at least one of which is not empty."""
    return 2 * int((one & other).sum()) / (int(one.sum()) + int(other.sum()))


def _covered(reference: Reference, shape: Shape) -> Mask:
    """One mask (rows, columns) of everything that a reader drew."""
    if reference.kind == "box":
        return boxes_mask(reference.boxes, shape)
    if reference.kind == "point":
        pixels = (Box(point.x - 0.5, point.y - 0.5, 1, 1) for point in reference.points)
        return boxes_mask(tuple(pixels), shape)
    return np.logical_or.reduce(reference.masks) if reference.masks else np.zeros(shape, np.bool_)


def _measure(
    reference: Reference, covered: Mask, image: Image | None, outside_body: Mask | None
) -> MeasuredReference:
    is_mask = scored_as(reference.kind) == "mask"
    is_drawn = bool(covered.any())
    return MeasuredReference(
        finding=reference.finding,
        reader=reference.reader,
        kind=reference.kind,
        area_px=max(int(covered.sum()), reference.lesions),  # a box can lie between the pixels' centres
        boxes=reference.boxes,
        fingerprint=_fingerprint(reference, covered),
        pieces=parts(covered)[:MOST_PIECES] if is_mask and is_drawn else (),
        holes=holes(reference.masks)[:MOST_PIECES] if is_mask and is_drawn else (),
        background=shares(covered, outside_body) if is_drawn and outside_body is not None else None,
        widest=_widest(reference.masks),
        contrasts=contrasts(image.pixels, covered) if is_mask and is_drawn and image is not None else {},
    )


def _widest(masks: Sequence[Mask]) -> tuple[float, float]:
    """Share of the image, and of its outermost pixels, in the largest mask."""
    if not masks:
        return 0.0, 0.0
    largest = max(masks, key=np.count_nonzero)
    edge = np.concatenate([largest[[0, -1]].ravel(), largest[1:-1, [0, -1]].ravel()])
    return float(largest.mean()), float(edge.mean())


def _fingerprint(reference: Reference, covered: Mask) -> str:
    """Hash of a mask's pixels and their position, or of the boxes' coordinates; empty if nothing is drawn."""
    if reference.boxes:
        return hashlib.sha256(repr(sorted(map(repr, reference.boxes))).encode()).hexdigest()
    if not covered.any():
        return ""
    return hashlib.sha256(repr(covered.shape).encode() + np.packbits(covered).tobytes()).hexdigest()


def _agreements(references: Sequence[Reference], covered: Sequence[Mask]) -> Iterator[Agreement]:
    """Agreement of each pair of readers with the same finding and kind, if at least one of them drew it."""
    for (one, first), (other, second) in combinations(zip(references, covered, strict=True), 2):
        same = (one.finding, one.kind) == (other.finding, other.kind)
        if same and one.finding and (first.any() or second.any()):
            yield Agreement(one.finding, one.kind, (one.reader, other.reader), dice(first, second))


def _first_pixel(edge: float) -> int:
    """Index of the first pixel whose centre is at or after an edge; 0 if the edge lies before the image."""
    return max(0, int(np.ceil(edge)))
