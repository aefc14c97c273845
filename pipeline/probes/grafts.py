"""Grafts: a lesion of one image, ready to be cloned into another patient's image at the same place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from pipeline.contracts import ProbedImage
from pipeline.probes.fills import filled, shown
from pipeline.probes.regions import Shift, body, moved, nearest_place, places, widened
from pipeline.records import Intensity, Mask

LARGEST = 4.0
"""Longest side of a scaled donor in those of the recipient; beyond it, the bodies were not found rightly."""
HALF = 0.5
"""Share of a pixel that counts as the region's."""
CANDIDATES = 24
"""Places with the most similar surroundings, of which that with the least seam is taken."""

Position = tuple[int, int]
"""(Rows, columns) by which the donor is moved onto the recipient."""


@dataclass(frozen=True, slots=True)
class Graft:
    """What can be cloned into an image. All arrays have that image's shape."""

    pixels: Intensity
    """The image without what is annotated in it."""
    tissue: Mask
    """Its body, without what was annotated in it."""
    region: Mask
    """Where the lesion comes to lie."""
    lesion: Intensity
    """The donor's image, moved so that its lesion lies in the region."""
    control: Intensity
    """The donor's image, moved so that unmarked tissue lies in the region."""

    def cloned(self, texture: Intensity, by: Shift = Shift(0, 0, 0.0)) -> Intensity:  # noqa: B008  # frozen
        """The image with the texture in the region, after both were moved."""
        return filled(self.pixels, moved(self.region, by), _moved_texture(texture, by))

    def seam(self, by: Shift) -> float:
        """That of the lesion after it was moved."""
        return seam(self.pixels, _moved_texture(self.lesion, by), moved(self.region, by))


def graft(donor: ProbedImage, finding: str, recipient: ProbedImage) -> Graft | None:
    """The donor's largest lesion for the same place in the recipient's body, scaled as the bodies are.

    None if it does not fit there, or if the donor has no unmarked tissue of its shape.
    """
    pixels, own, other = _emptied(recipient, finding), body(donor.image.pixels), body(recipient.image.pixels)
    scale = _scale(own, other, donor.image.shape)
    if pixels is None or scale is None:
        return None
    scaled, lesion, marked = (
        _scaled(each, scale)
        for each in (donor.image.pixels, widened(_largest(donor.regions[finding])), donor.marked)
    )
    region = lesion > HALF
    found = places(scaled, region, within=body(scaled), without=marked > 0) if region.any() else []
    position = _same_place(region, own, other, scale) if found else None
    if position is None:
        return None
    placed, (rows, columns) = _placed(region, position, other.shape), position
    textures = [
        shown(scaled, (by.rows - rows, by.columns - columns), shape=other.shape)
        for by in (Shift(0, 0, 0.0), *found[:CANDIDATES])
    ]
    control = _least_seam(pixels, textures[1:], placed)
    return Graft(pixels, other & ~_kept_out(recipient), placed, textures[0], control)


def _moved_texture(texture: Intensity, by: Shift) -> Intensity:
    return shown(texture, (-by.rows, -by.columns), shape=texture.shape)


def seam(pixels: Intensity, texture: Intensity, region: Mask) -> float:
    """SD of the difference to a texture around a region, which is what cloning cannot even out."""
    around = widened(region) & ~region
    return float((pixels[around] - texture[around]).std()) if around.any() else 0.0


def _least_seam(pixels: Intensity, textures: Sequence[Intensity], region: Mask) -> Intensity:
    return min(textures, key=lambda texture: seam(pixels, texture, region))


def _largest(region: Mask) -> Mask:
    """The largest connected part."""
    parts, _ = label(region)
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    largest: Mask = parts == areas.argmax()
    return largest


def _kept_out(recipient: ProbedImage) -> Mask:
    """What is annotated in an image, with a margin."""
    return widened(recipient.marked) if recipient.marked.any() else recipient.marked


def _emptied(recipient: ProbedImage, finding: str) -> Intensity | None:
    """The image with texture from elsewhere in each annotated region.

    Regions that fit nowhere, such as an enlarged heart, stay. None if one of the finding does.
    """
    pixels, tissue, kept_out = recipient.image.pixels, body(recipient.image.pixels), _kept_out(recipient)
    own = recipient.regions.get(finding, np.zeros_like(kept_out))
    parts, count = label(kept_out)
    for part in (parts == number for number in range(1, count + 1)):
        donors = places(pixels, part, within=tissue, without=kept_out)[:CANDIDATES]
        textures = [shown(pixels, (by.rows, by.columns), shape=pixels.shape) for by in donors]
        if textures:
            pixels = filled(pixels, part, _least_seam(pixels, textures, part))
        elif (part & own).any():
            return None
    return pixels


def _scale(own: Mask, other: Mask, shape: tuple[int, int]) -> float | None:
    """Size of the recipient's body in that of the donor's, alike along rows and columns to keep forms."""
    if not own.any() or not other.any():
        return None
    scale = float(np.sqrt(np.prod(_box(other)[1] / _box(own)[1])))
    return scale if scale * max(shape) <= LARGEST * max(other.shape) else None


def _scaled(values: Intensity | Mask, scale: float) -> Intensity:
    rows, columns = (max(round(side * scale), 1) for side in values.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(values.astype(np.float32), (columns, rows), interpolation=way).astype(np.float32)


def _same_place(region: Mask, own: Mask, other: Mask, scale: float) -> Position | None:
    """By how much the scaled region is moved so that its centre has the same place in the other body.

    From there it is moved as little as is needed for it to lie within the body; None if that is far.
    """
    (start, size), (other_start, other_size) = _box(own), _box(other)
    top, shape = _box(region)
    centre = top + shape / 2
    wanted = other_start + (centre / scale - start) / size * other_size
    position = np.rint(wanted - centre)
    room = np.array(other.shape) - shape
    if (room < 0).any():
        return None
    rows, columns = (np.clip(position + top, 0, room) - top).astype(int).tolist()
    near = nearest_place(_placed(region, (rows, columns), other.shape), within=other)
    return None if near is None else (rows + near.rows, columns + near.columns)


def _placed(region: Mask, position: Position, shape: tuple[int, ...]) -> Mask:
    """The region on the recipient's grid."""
    rows, columns = np.nonzero(region)
    placed = np.zeros(shape, bool)
    placed[rows + position[0], columns + position[1]] = True
    return placed


def _box(mask: Mask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Top left corner and size (rows, columns) of the smallest box around a mask."""
    ends = np.array([[index.min(), index.max() + 1] for index in np.nonzero(mask)], np.float64)
    return ends[:, 0], ends[:, 1] - ends[:, 0]
