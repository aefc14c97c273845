"""Box groups: all boxes of a reader, and how else the columns of their table may be read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.records import Box, Shape
from pipeline.validation.checks.check import Found
from pipeline.validation.facts import ImageFacts, StudySet

EDGE = -0.5
"""Left and top edge of the image, in image coordinates."""
FEWEST_BOXES = 3
"""Fewest boxes for which another reading is tried."""
FAR = 0.05
"""Part of the image's side by which a box leaves it that no rounding explains."""


def count_boxes(study: StudySet) -> int:
    """Number of boxes, used or refused."""
    return sum(1 for _ in boxes(study))


def boxes(study: StudySet) -> Iterator[tuple[ImageFacts, str, str, Box]]:
    """Image, finding, reader and box of each box, used or refused."""
    for image in study.images:
        for part in (image.references, image.refused):
            for entry in part:
                yield from ((image, entry.finding, entry.reader, box) for box in entry.boxes)


def is_finite(box: Box) -> bool:
    """Whether all coordinates are numbers."""
    return all(map(math.isfinite, (box.x, box.y, box.width, box.height)))


def has_area(box: Box) -> bool:
    """Whether all coordinates are numbers, and width and height above 0."""
    return is_finite(box) and min(box.width, box.height) > 0


def reach(box: Box, shape: Shape) -> float:
    """Largest distance in pixels by which the box crosses the image's edge; 0 or less: it does not."""
    rows, columns = shape
    beyond_right = box.x + box.width - (columns + EDGE)
    beyond_bottom = box.y + box.height - (rows + EDGE)
    return max(EDGE - box.x, EDGE - box.y, beyond_right, beyond_bottom)


@dataclass(frozen=True, slots=True)
class ReaderBoxes:
    """All boxes of one reader."""

    reader: str
    drawn: Sequence[tuple[ImageFacts, Box]]

    @property
    def images(self) -> tuple[str, ...]:
        """Pseudonyms of the images."""
        return tuple(dict.fromkeys(image.case_id for image, _ in self.drawn))

    @property
    def ends(self) -> tuple[float, float]:
        """Farthest right edge and lower edge, in pixels from the image's corner."""
        return max(_right(box) for _, box in self.drawn), max(_bottom(box) for _, box in self.drawn)

    @property
    def parts(self) -> tuple[float, float]:
        """The same as parts of the images' widths and heights."""
        return (
            max(_right(box) / image.shape[1] for image, box in self.drawn),
            max(_bottom(box) / image.shape[0] for image, box in self.drawn),
        )

    def found(self, message: str) -> Found:
        """A problem of all boxes."""
        return Found(message, self.images, reader=self.reader, items=len(self.drawn))


def by_reader(study: StudySet) -> list[ReaderBoxes]:
    found: dict[str, list[tuple[ImageFacts, Box]]] = {}
    for image, _, reader, box in boxes(study):
        if is_finite(box):
            found.setdefault(reader, []).append((image, box))
    return [ReaderBoxes(reader, drawn) for reader, drawn in found.items()]


class OtherReading(NamedTuple):
    """Another reading of a table of boxes, by which all of them lie inside their images."""

    wrong: int
    """Number of boxes that leave their image, or end before they begin, as they are read now."""
    words: str
    """What the columns may hold, as the end of a sentence."""


def other_reading(group: ReaderBoxes) -> OtherReading | None:
    """The first reading that makes sense of all boxes, if as they are read now some make none."""
    wrong = sum(_is_wrong(image, box) for image, box in group.drawn)
    if not wrong or len(group.drawn) < FEWEST_BOXES:
        return None
    for words, read in READINGS.items():
        if all(_fits(image, read(box)) for image, box in group.drawn):
            return OtherReading(wrong, words)
    return None


def _as_corners(box: Box) -> Box:
    return Box(box.x, box.y, box.width - (box.x - EDGE), box.height - (box.y - EDGE))


def _as_sizes(box: Box) -> Box:
    return Box(box.x, box.y, box.width + (box.x - EDGE), box.height + (box.y - EDGE))


READINGS: Mapping[str, Callable[[Box], Box]] = {
    "x and y are exchanged": lambda box: Box(box.y, box.x, box.height, box.width),
    "the widths and heights are right and lower edges (x_max and y_max)": _as_corners,
    "the right and lower edges (x_max and y_max) are widths and heights": _as_sizes,
}
"""What the columns may hold instead → the box if they do."""


def _is_wrong(image: ImageFacts, box: Box) -> bool:
    return min(box.width, box.height) < 0 or reach(box, image.shape) > FAR * min(image.shape)


def _fits(image: ImageFacts, box: Box) -> bool:
    return has_area(box) and reach(box, image.shape) <= 1


def _right(box: Box) -> float:
    return box.x + box.width - EDGE


def _bottom(box: Box) -> float:
    return box.y + box.height - EDGE
