"""Burned-in text: find regions that may show text, such as a patient's name. The text itself is not returned.

A heuristic takes rows of small, flat, sharply contrasted shapes of similar height for text. It has a few
false positives, and it ignores single letters such as side markers. If Tesseract is installed, its words are
added: it finds short words such as "RT6", but hardly any white text over tissue, so it is not used alone.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipeline.contracts import Detector
from pipeline.records import Box, Intensity

Grey: TypeAlias = NDArray[np.uint8]

LONGEST_SIDE: Final = 1536
"""Pixels; larger images are shrunk to this size, because burned-in text is made to be read on a screen."""
STROKE: Final = 13
"""Pixels; upper limit for the width of a letter's strokes."""
CONTRAST: Final = 56
"""Grey levels (of 255) by which letters differ from their surroundings."""
FAINT: Final = 40
"""Grey levels; fainter structures are removed from the image that Tesseract reads."""
HEIGHTS: Final = (6, 56)
"""Smallest and largest height of a letter in pixels."""
WIDEST: Final = 2.6
"""Largest ratio of width to height; above 1 because small letters touch."""
FILLED: Final = (0.12, 0.95)
"""Range of the share of its bounding box that a letter fills."""
FLAT: Final = 90
"""Grey levels below a letter's brightest pixel that count as the same colour; text is not shaded."""
LEAST_FLAT: Final = 0.55
"""Smallest share of a letter's pixels within `FLAT`."""
LEAST_LETTERS: Final = 4
"""Smallest number of letters in a line of text."""
LEAST_VARIED: Final = 0.12
"""Smallest ratio of standard deviation to mean of the letters' areas; ruler marks are all equal."""
SAME_COLOUR: Final = 10
"""Largest standard deviation in grey levels of the letters' brightest pixels."""
MOST_SHAPES: Final = 2000
"""Largest number of letter-like shapes, because each is compared with every other."""
MARGIN: Final = 3
"""Pixels around a line that are blanked too, because edges are blurred."""
SURE: Final = 70
"""Smallest confidence of a Tesseract word, of 100."""
SHORTEST_WORD: Final = 3
"""Smallest number of letters and digits in a Tesseract word."""
TESSERACT_SECONDS: Final = 60
"""Time limit for one image."""


class TooManyShapesError(ValueError):
    """An image has too many letter-like shapes to search for lines of text."""


def find_text(pixels: Intensity, detector: Detector) -> tuple[Box, ...]:
    """Boxes around possible text in an image with values 0 … 1, from top to bottom.

    Raises TooManyShapesError if the image cannot be searched, and OSError, ValueError, LookupError or
    SubprocessError if Tesseract fails.
    """
    shrink = max(1.0, max(pixels.shape) / LONGEST_SIDE)
    grey: Any = cv2.convertScaleAbs(pixels, alpha=255.0)
    if shrink > 1:
        rows, columns = (max(1, round(side / shrink)) for side in pixels.shape)
        grey = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)
    found = list(_lines(grey))
    if detector == "tesseract":
        found += [word for word in _words(grey) if not any(_contains_centre(line, word) for line in found)]
    return tuple(sorted({_box(corners, shrink, pixels.shape) for corners in found}, key=lambda b: (b.y, b.x)))


def _box(corners: tuple[int, int, int, int], shrink: float, shape: tuple[int, ...]) -> Box:
    """(left, top, right, bottom), exclusive, in the shrunk image → box with margin in the original image."""
    rows, columns = shape
    left, top = (max(0, int((value - MARGIN) * shrink)) for value in corners[:2])
    right = min(columns, int(np.ceil((corners[2] + MARGIN) * shrink)))
    bottom = min(rows, int(np.ceil((corners[3] + MARGIN) * shrink)))
    return Box(x=left - 0.5, y=top - 0.5, width=float(right - left), height=float(bottom - top))


def _contains_centre(line: tuple[int, int, int, int], word: tuple[int, int, int, int]) -> bool:
    """Whether the centre of the word lies in the line."""
    x, y = (word[0] + word[2]) / 2, (word[1] + word[3]) / 2
    return line[0] <= x <= line[2] and line[1] <= y <= line[3]


def _lines(grey: Grey) -> Iterator[tuple[int, int, int, int]]:
    """Corners of lines of bright text on dark, then of dark text on bright."""
    kernel = np.ones((STROKE, STROKE), np.uint8)
    for picture in (grey, 255 - grey):
        top_hat = cv2.morphologyEx(picture, cv2.MORPH_TOPHAT, kernel)
        thin: Any = cv2.threshold(top_hat, CONTRAST, 1, cv2.THRESH_BINARY)[1]
        yield from _lines_of(_letters(thin, picture))


def _letters(thin: Grey, picture: Grey) -> NDArray[np.int32]:
    """(letters, 6): left, top, width, height, area and highest value of letter-like shapes."""
    left, top, columns, rows = cv2.boundingRect(thin)
    if rows < HEIGHTS[0]:  # the usual case: no contrasted shapes at all
        return np.zeros((0, 6), np.int32)
    thin, picture = (image[top : top + rows, left : left + columns].copy() for image in (thin, picture))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    indices = np.flatnonzero(thin)
    component, values = labels.ravel()[indices].astype(np.intp), picture.ravel()[indices].astype(np.int32)
    brightest = np.zeros(len(stats), np.int32)
    np.maximum.at(brightest, component, values)
    flat = np.bincount(component, weights=values >= brightest[component] - FLAT, minlength=len(stats))
    _, _, width, height, area = stats.T
    filled = area / np.maximum(width * height, 1)  # the background has no box if the shapes cover everything
    like_letters = (
        (height >= HEIGHTS[0])
        & (height <= HEIGHTS[1])
        & (width <= WIDEST * height)
        & (filled > FILLED[0])
        & (filled < FILLED[1])
        & (flat >= LEAST_FLAT * area)
    )
    like_letters[0] = False
    found: NDArray[np.int32] = np.column_stack([stats, brightest])[like_letters] + [left, top, 0, 0, 0, 0]
    if len(found) > MOST_SHAPES:
        raise TooManyShapesError(f"more than {MOST_SHAPES} shapes look like letters")
    return found


def _lines_of(letters: NDArray[np.int32]) -> Iterator[tuple[int, int, int, int]]:
    """Corners of rows of neighbouring letters."""
    if len(letters) < LEAST_LETTERS:
        return
    left, top, width, height, area, brightest = letters.T
    tallest = np.maximum(height[:, None], height)
    level = np.abs((top + height)[:, None] - (top + height)) <= 0.3 * tallest
    similar = np.minimum(height[:, None], height) >= 0.55 * tallest
    gap = np.maximum(left[:, None], left) - np.minimum((left + width)[:, None], left + width)
    count, line = connected_components(csr_array(level & similar & (gap <= 1.0 * tallest)), directed=False)
    for number in range(count):
        members = line == number
        areas = area[members]
        if (
            len(areas) >= LEAST_LETTERS
            and areas.std() >= LEAST_VARIED * areas.mean()
            and brightest[members].std() <= SAME_COLOUR
        ):
            yield (
                int(left[members].min()),
                int(top[members].min()),
                int((left + width)[members].max()),
                int((top + height)[members].max()),
            )


def _words(grey: Grey) -> Iterator[tuple[int, int, int, int]]:
    """Corners of the words that Tesseract recognises with confidence; the words themselves are dropped.

    Tesseract is made for printed pages and reads nothing in an unprocessed radiograph, so it gets the
    contrasted structures as dark on white.
    """
    top_hat = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((STROKE, STROKE), np.uint8))
    page = 255 - cv2.threshold(top_hat, FAINT, 255, cv2.THRESH_TOZERO)[1]
    picture = cv2.imencode(".png", page)[1].tobytes()
    completed = subprocess.run(
        ["tesseract", "stdin", "stdout", "--psm", "11", "tsv"],  # noqa: S607  the installed one, from PATH
        input=picture,
        capture_output=True,
        timeout=TESSERACT_SECONDS,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        check=True,
    )
    table = io.StringIO(completed.stdout.decode("utf-8", "replace"))
    for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
        if float(row["conf"]) >= SURE and sum(map(str.isalnum, row["text"] or "")) >= SHORTEST_WORD:
            left, top, width, height = (int(row[key]) for key in ("left", "top", "width", "height"))
            yield left, top, left + width, top + height
