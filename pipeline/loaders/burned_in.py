"""Burned in: places where text may be part of the picture, such as a patient's name. None of it is read out.

Lines of small, flat, sharply contrasted shapes of like height are text; so are a few things that are none,
and a single letter, as for left and right, is not. Where Tesseract is installed its words are added: it reads
short ones, such as "RT6", but hardly a name in white over tissue, and so it does not look alone.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipeline.records import Box, Intensity

Detector: TypeAlias = Literal["tesseract", "contrast"]
Grey: TypeAlias = NDArray[np.uint8]

LONGEST_SIDE: Final = 1536
"""Pixels in which is looked for text: it is made for a screen."""
STROKE: Final = 13
"""Strokes of letters are thinner."""
CONTRAST: Final = 56
"""Grey levels of 255 by which letters stand out."""
FAINT: Final = 40
"""Grey levels by which nothing stands out that Tesseract gets to see."""
HEIGHTS: Final = (6, 56)
WIDEST: Final = 2.6
"""Width by height: small letters touch."""
FILLED: Final = (0.12, 0.95)
"""Of a letter's box."""
FLAT: Final = 90
"""Grey levels within which most of a letter lies: nobody shades text."""
LEAST_FLAT: Final = 0.55
LEAST_LETTERS: Final = 4
LEAST_VARIED: Final = 0.12
"""Of the letters' areas, standard deviation by mean: the marks of a ruler are all alike."""
SAME_COLOUR: Final = 10
"""Grey levels, standard deviation of the letters' own."""
MOST_SHAPES: Final = 2000
"""Like letters; each is held against each other."""
MARGIN: Final = 3
"""Pixels around a line that are blanked too: blurred edges."""
SURE: Final = 70
"""Of 100, Tesseract's confidence in a word."""
SHORTEST_WORD: Final = 3
TESSERACT_SECONDS: Final = 60


class TooManyShapesError(ValueError):
    """There is so much in a picture that looks like a letter that lines of text cannot be told."""


def installed_detector() -> Detector:
    """Tesseract, where it can be started."""
    return "tesseract" if shutil.which("tesseract") else "contrast"


def find_text(pixels: Intensity, detector: Detector) -> tuple[Box, ...]:
    """Boxes around what may be text in a picture of 0 … 1, from top to bottom.

    Raises TooManyShapesError where not all of the picture can be looked through, and whatever Tesseract's
    failing raises: OSError, ValueError, LookupError or SubprocessError.
    """
    shrink = max(1.0, max(pixels.shape) / LONGEST_SIDE)
    grey: Any = cv2.convertScaleAbs(pixels, alpha=255.0)
    if shrink > 1:
        rows, columns = (max(1, round(side / shrink)) for side in pixels.shape)
        grey = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)
    found = list(_lines(grey))
    if detector == "tesseract":
        found += [word for word in _words(grey) if not any(_holds(line, word) for line in found)]
    return tuple(sorted({_box(corners, shrink, pixels.shape) for corners in found}, key=lambda b: (b.y, b.x)))


def _box(corners: tuple[int, int, int, int], shrink: float, shape: tuple[int, ...]) -> Box:
    """left, top, right, bottom (exclusive) of the small picture, with a margin, in the image's own pixels."""
    rows, columns = shape
    left, top = (max(0, int((value - MARGIN) * shrink)) for value in corners[:2])
    right = min(columns, int(np.ceil((corners[2] + MARGIN) * shrink)))
    bottom = min(rows, int(np.ceil((corners[3] + MARGIN) * shrink)))
    return Box(x=left - 0.5, y=top - 0.5, width=float(right - left), height=float(bottom - top))


def _holds(line: tuple[int, int, int, int], word: tuple[int, int, int, int]) -> bool:
    """Whether the middle of the word is in the line."""
    x, y = (word[0] + word[2]) / 2, (word[1] + word[3]) / 2
    return line[0] <= x <= line[2] and line[1] <= y <= line[3]


def _lines(grey: Grey) -> Iterator[tuple[int, int, int, int]]:
    """Of bright text on dark, then of dark text on bright."""
    kernel = np.ones((STROKE, STROKE), np.uint8)
    for picture in (grey, 255 - grey):
        standing_out = cv2.morphologyEx(picture, cv2.MORPH_TOPHAT, kernel)
        thin: Any = cv2.threshold(standing_out, CONTRAST, 1, cv2.THRESH_BINARY)[1]
        yield from _lines_of(_letters(thin, picture))


def _letters(thin: Grey, picture: Grey) -> NDArray[np.int32]:
    """(letters, 6): left, top, width, height, area and highest value of shapes that may be letters."""
    left, top, columns, rows = cv2.boundingRect(thin)
    if rows < HEIGHTS[0]:  # mostly nothing stands out at all
        return np.zeros((0, 6), np.int32)
    thin, picture = (image[top : top + rows, left : left + columns].copy() for image in (thin, picture))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    places = np.flatnonzero(thin)
    inside, values = labels.ravel()[places].astype(np.intp), picture.ravel()[places].astype(np.int32)
    brightest = np.zeros(len(stats), np.int32)
    np.maximum.at(brightest, inside, values)
    flat = np.bincount(inside, weights=values >= brightest[inside] - FLAT, minlength=len(stats))
    _, _, width, height, area = stats.T
    filled = area / np.maximum(width * height, 1)  # the ground has no box where shapes cover all
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
    """Bounding boxes of rows of letters beside each other."""
    if len(letters) < LEAST_LETTERS:
        return
    left, top, width, height, area, brightest = letters.T
    tallest = np.maximum(height[:, None], height)
    level = np.abs((top + height)[:, None] - (top + height)) <= 0.3 * tallest
    alike = np.minimum(height[:, None], height) >= 0.55 * tallest
    gap = np.maximum(left[:, None], left) - np.minimum((left + width)[:, None], left + width)
    count, line = connected_components(csr_array(level & alike & (gap <= 1.0 * tallest)), directed=False)
    for number in range(count):
        of_line = line == number
        areas = area[of_line]
        if (
            len(areas) >= LEAST_LETTERS
            and areas.std() >= LEAST_VARIED * areas.mean()
            and brightest[of_line].std() <= SAME_COLOUR
        ):
            yield (
                int(left[of_line].min()),
                int(top[of_line].min()),
                int((left + width)[of_line].max()),
                int((top + height)[of_line].max()),
            )


def _words(grey: Grey) -> Iterator[tuple[int, int, int, int]]:
    """Where Tesseract is sure of a word; the words themselves are dropped here.

    It is made for paper, and gets what stands out, dark on white: in a film as it is it reads nothing.
    """
    standing_out = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((STROKE, STROKE), np.uint8))
    paper = 255 - cv2.threshold(standing_out, FAINT, 255, cv2.THRESH_TOZERO)[1]
    picture = cv2.imencode(".png", paper)[1].tobytes()
    ended = subprocess.run(
        ["tesseract", "stdin", "stdout", "--psm", "11", "tsv"],  # noqa: S607  whichever Debian installed
        input=picture,
        capture_output=True,
        timeout=TESSERACT_SECONDS,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        check=True,
    )
    said = io.StringIO(ended.stdout.decode("utf-8", "replace"))
    for row in csv.DictReader(said, delimiter="\t", quoting=csv.QUOTE_NONE):
        if float(row["conf"]) >= SURE and sum(map(str.isalnum, row["text"] or "")) >= SHORTEST_WORD:
            left, top, width, height = (int(row[key]) for key in ("left", "top", "width", "height"))
            yield left, top, left + width, top + height
