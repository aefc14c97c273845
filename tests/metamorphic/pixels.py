"""Pixels: what must happen to peak and contour if the stored image is changed in a known way.

Every run goes from a DICOM file to the contour: header, decoding, preprocessing, network, map, placement,
threshold. The network reads brightness, so the map of a dark image with a bright square has to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.classifiers import Preprocessing, prepare
from pipeline.contours.drawing import draw
from pipeline.geometry import placed
from pipeline.loaders import decode, read_header
from pipeline.records import Drawing, Heatmap, Mask
from tests.metamorphic.brightness import brightness
from tests.study import write_image

SIZES = (224, 230, 240, 250, 280, 299, 300, 333, 400, 500, 600)
"""Sides of the network's input; stride 32 divides only the first."""
STRIDES = {"last": 32, "stride16": 16, "stride8": 8}
"""Target layer → pixels of the input between its cells."""
PLACES = (0.25, 0.5, 0.7)
"""Where squares lie, as shares of the side; farther out their contours reach the end of the grid."""
DARK, BRIGHT = 8, 230

Pixels = NDArray[np.uint8]


class Square(NamedTuple):
    """A bright square, by its centre and the pixels from it to each edge."""

    row: int
    column: int
    half: int


@dataclass(frozen=True)
class Line:
    """The line from file to contour for one size of the input; `crop` cuts its middle from a larger one."""

    folder: Path
    size: int
    crop: int | None = None

    def drawings(self, pixels: Pixels, **header: str) -> dict[str, Drawing]:
        """Target layer → what is drawn on the stored image."""
        write_image(self.folder, 1, pixels, **header)
        (source,) = read_header(self.folder / "image1.dcm", root=self.folder)
        given = prepare(decode(source, case_id="case", window="full"), self._preprocessing)
        batch = torch.from_numpy(given.tensor[None])
        explanation = explainer_of(batch.shape[2]).explain(batch)
        found = {}
        for name, maps in explanation.maps.items():
            placement = placed(given.placement, explanation.cells[name])
            heatmap = Heatmap("case", "bright", name, maps[0, 0], "logit", placement)
            found[name.removeprefix("gradcam@")] = draw(heatmap, rule="fraction", threshold=0.6)
        return found

    @property
    def _preprocessing(self) -> Preprocessing:
        content: dict[str, object] = {"window": "full", "resize": {"rule": "exact", "size": self.size}}
        if self.crop is not None:
            content["crop"] = {"centre": [self.crop, self.crop]}
        return Preprocessing.model_validate(content)


@lru_cache(maxsize=2)
def explainer_of(side: int) -> Explainer:
    """Grad-CAM at every layer, for inputs of one size."""
    torch.manual_seed(0)
    example = torch.rand(2, 1, side, side)
    return open_explainer(brightness(), methods=[f"gradcam@{layer}" for layer in STRIDES], example=example)


def image(side: int, square: Square) -> Pixels:
    """A dark image with a bright square."""
    pixels = np.full((side, side), DARK, np.uint8)
    row, column, half = square
    pixels[row - half : row + half + 1, column - half : column + half + 1] = BRIGHT
    return pixels


def squares(size: int) -> Iterator[Square]:
    """Squares of about one cell of stride 32, in places that cells of every layer hold."""
    for down, across in zip(PLACES, PLACES[::-1], strict=True):
        yield Square(round(down * size), round(across * size), 12)


class Peak(NamedTuple):
    row: float
    column: float


def peak(drawing: Drawing) -> Peak:
    assert drawing.peak is not None
    return Peak(*drawing.peak)


def farther(one: Peak, other: Peak, pixels: float) -> bool:
    """Whether two peaks differ by more than `pixels` along an axis."""
    return max(abs(one.row - other.row), abs(one.column - other.column)) > pixels


Relation = Callable[[Line, Square], Iterator[tuple[str, bool]]]
"""relation(line, square): for each layer, whether it is violated."""


def beside_the_lesion(line: Line, square: Square) -> Iterator[tuple[str, bool]]:
    """The peak lies within half a cell, and a pixel for rounding, of the square's middle."""
    for layer, drawing in line.drawings(image(line.size, square)).items():
        yield layer, farther(peak(drawing), Peak(square.row, square.column), STRIDES[layer] / 2 + 1)


def shifted(line: Line, square: Square) -> Iterator[tuple[str, bool]]:
    """A square shifted by one cell of stride 32 has its peak and its contour shifted by as much."""
    toward = 32 if square.row < line.size / 2 else -32
    before = line.drawings(image(line.size, square))
    after = line.drawings(image(line.size, square._replace(row=square.row + toward)))
    for layer, drawing in before.items():
        wanted = Peak(peak(drawing).row + toward, peak(drawing).column)
        yield (
            layer,
            farther(peak(after[layer]), wanted, 1)
            or _unlike(np.roll(drawing.mask, toward, axis=0), after[layer].mask),
        )


def mirrored(line: Line, square: Square) -> Iterator[tuple[str, bool]]:
    """The mirrored image has its peak mirrored: within a cell, as cells do not lie symmetrically."""
    pixels = image(line.size, square)
    after = line.drawings(np.ascontiguousarray(pixels[:, ::-1]))
    for layer, drawing in line.drawings(pixels).items():
        found = peak(drawing)
        wanted = Peak(found.row, line.size - 1 - found.column)
        yield layer, farther(peak(after[layer]), wanted, STRIDES[layer] + 1)


def padded(line: Line, square: Square) -> Iterator[tuple[str, bool]]:
    """A dark margin of one cell around an image, which the network then reads larger, moves all by a cell."""
    pixels = image(line.size, square)
    larger = Line(line.folder, line.size + 64)
    after = larger.drawings(np.pad(pixels, 32, constant_values=DARK))
    for layer, drawing in line.drawings(pixels).items():
        found = peak(drawing)
        yield layer, farther(peak(after[layer]), Peak(found.row + 32, found.column + 32), 1)


def cropped(line: Line, square: Square) -> Iterator[tuple[str, bool]]:
    """The middle that a card cuts from a larger image has the peak and contour of that middle alone."""
    pixels = image(line.size, square)
    cutting = Line(line.folder, line.size + 64, crop=line.size)
    after = cutting.drawings(np.pad(pixels, 32, constant_values=BRIGHT))
    for layer, drawing in line.drawings(pixels).items():
        found = peak(drawing)
        yield (
            layer,
            farther(peak(after[layer]), Peak(found.row + 32, found.column + 32), 0)
            or _unlike(np.pad(drawing.mask, 32), after[layer].mask),
        )


def resized(line: Line, square: Square) -> Iterator[tuple[str, bool]]:
    """A stored image of two pixels for each has its peak at twice the place, and the contour enlarged.

    Of cells that the square fills alike, rounding decides which is the highest: within a cell.
    """
    pixels = image(line.size, square)
    after = line.drawings(np.repeat(np.repeat(pixels, 2, axis=0), 2, axis=1))
    for layer, drawing in line.drawings(pixels).items():
        found = peak(drawing)
        wanted = Peak(2 * found.row + 0.5, 2 * found.column + 0.5)
        enlarged = np.repeat(np.repeat(drawing.mask, 2, axis=0), 2, axis=1)
        yield (
            layer,
            farther(peak(after[layer]), wanted, 2 * STRIDES[layer] + 1)
            or _unlike(enlarged, after[layer].mask),
        )


def inverted(line: Line, square: Square) -> Iterator[tuple[str, bool]]:
    """The same picture stored as MONOCHROME1 has the same peak and contour."""
    pixels = image(line.size, square)
    after = line.drawings(255 - pixels, PhotometricInterpretation="MONOCHROME1")
    for layer, drawing in line.drawings(pixels).items():
        yield layer, farther(peak(after[layer]), peak(drawing), 0) or _unlike(drawing.mask, after[layer].mask)


RELATIONS: Mapping[str, Relation] = {
    "peak at the lesion": beside_the_lesion,
    "shifted": shifted,
    "mirrored": mirrored,
    "padded": padded,
    "cropped": cropped,
    "resized": resized,
    "inverted": inverted,
}


def violations(folder: Path, relation: str, size: int) -> dict[str, int]:
    """Target layer → how many squares violate the relation at one size of the input."""
    found = dict.fromkeys(STRIDES, 0)
    for square in squares(size):
        for layer, violated in RELATIONS[relation](Line(folder, size), square):
            found[layer] += violated
    return found


def _unlike(one: Mask, other: Mask) -> bool:
    """Whether two contours share less than 90 % of their union; a rim of one pixel is about half of it."""
    return bool(np.count_nonzero(one & other) < 0.9 * np.count_nonzero(one | other))
