"""Burned-in text: found by its appearance alone; from Tesseract only positions are used, not words."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.loaders.burned_in import _words, find_text
from pipeline.phantoms.radiograph import phantom
from pipeline.plan import installed_detector
from pipeline.records import Box, Intensity

PLACE = (60, 400)
"""(x, y) of the text's baseline."""


def film(text: str = "", *, scale: float = 0.8, thickness: int = 2) -> Intensity:
    return written(phantom(3, 1, size=512).pixels.astype(np.float32) * 0.6, text, 255, scale, thickness)


def written(pixels: Intensity, text: str, colour: int, scale: float = 0.8, thickness: int = 2) -> Intensity:
    grey = np.rint(pixels * 255).astype(np.uint8)
    cv2.putText(grey, text, PLACE, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA)
    return grey.astype(np.float32) / 255


real_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="tesseract-ocr is not installed"
)


@pytest.mark.parametrize(("scale", "thickness"), [(0.5, 1), (0.8, 2), (1.2, 2)])
def test_a_name_in_white_is_found_where_it_stands(scale: float, thickness: int) -> None:
    pixels = film("DOE^JANE 1951", scale=scale, thickness=thickness)
    (width, height), _ = cv2.getTextSize("DOE^JANE 1951", cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    found = np.zeros(pixels.shape, bool)
    for box in find_text(pixels, "contrast"):
        top, left = round(box.y + 0.5), round(box.x + 0.5)
        found[top : top + round(box.height), left : left + round(box.width)] = True
    assert found[PLACE[1] - height : PLACE[1], PLACE[0] : PLACE[0] + width].mean() > 0.75
    assert found.mean() < 0.1


def test_dark_text_on_bright_ground_is_found() -> None:
    pixels = film()
    pixels[350:430] = 0.9
    assert find_text(pixels, "contrast") == ()
    assert find_text(written(pixels, "Roe Ann 4711", 0), "contrast")


def test_a_film_without_text_a_letter_and_a_ruler_are_not_flagged() -> None:
    assert find_text(film(), "contrast") == ()
    assert find_text(film("L", scale=1.5), "contrast") == ()
    ruler = film()
    for x in range(40, 400, 14):
        ruler[300:312, x : x + 3] = 1.0
    assert find_text(ruler, "contrast") == ()


def test_a_large_picture_is_shrunk_and_its_boxes_are_in_its_own_pixels() -> None:
    pixels = cv2.resize(film("DOE^JANE 1951", scale=0.6), (2560, 2560), interpolation=cv2.INTER_LINEAR)
    (box, *_) = find_text(pixels, "contrast")
    assert 5 * (PLACE[1] - 30) < box.y < 5 * PLACE[1]
    assert 5 * (PLACE[0] - 5) < box.x < 5 * (PLACE[0] + 40)


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (7, 3)])
def test_the_smallest_pictures_are_searched(shape: tuple[int, int]) -> None:
    assert find_text(np.ones(shape, np.float32), "contrast") == ()


FAKE = """#!/usr/bin/env python3
import sys
assert sys.argv[1:] == ["stdin", "stdout", "--psm", "11", "tsv"]
assert sys.stdin.buffer.read(8) == b"\\x89PNG\\r\\n\\x1a\\n"
head = "level page_num block_num par_num line_num word_num left top width height conf text"
print("\\t".join(head.split()))
for row in ("5 1 1 1 1 1 20 30 40 10 91.5 DOE^JANE", "5 1 1 1 1 2 70 30 9 10 95 L",
            "5 1 1 1 1 3 9 9 9 9 12 texture", "1 1 0 0 0 0 0 0 512 512 -1"):
    print("\\t".join(row.split()))
"""


def test_tesseract_gives_places_of_sure_words_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "tesseract"
    script.write_text(FAKE)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert installed_detector() == "tesseract"
    assert find_text(film(), "tesseract") == (Box(x=16.5, y=26.5, width=46.0, height=16.0),)
    lines = find_text(film("DOE^JANE 1951"), "contrast")
    assert set(lines) < set(find_text(film("DOE^JANE 1951"), "tesseract"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert installed_detector() == "contrast"


@real_tesseract
@pytest.mark.parametrize("text", ["RT6", "MRN 2214"])
def test_tesseract_itself_reads_what_is_too_short_for_a_line(text: str) -> None:
    """Tesseract is made for black letters on white; these are white letters on a radiograph."""
    word = text.rsplit(maxsplit=1)[-1]
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    boxes = _words(np.rint(film(text, scale=1.0) * 255).astype(np.uint8))
    assert any(
        left <= PLACE[0] + width - 10 * len(word) <= right and top <= PLACE[1] - height // 2 <= bottom
        for left, top, right, bottom in boxes
    )
    assert find_text(film(), "tesseract") == ()
