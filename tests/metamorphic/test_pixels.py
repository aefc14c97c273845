"""Pixels: `make metamorphic` tries every size, these tests three, of which 32 divides none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.metamorphic.pixels import RELATIONS, SIZES, STRIDES, Line, image, peak, squares, violations

FEW = (240, 299, 333)


@pytest.mark.parametrize("size", FEW)
@pytest.mark.parametrize("relation", RELATIONS)
def test_what_is_done_to_the_image_is_done_to_peak_and_contour(
    relation: str, size: int, tmp_path: Path
) -> None:
    assert size in SIZES
    assert violations(tmp_path, relation, size) == dict.fromkeys(STRIDES, 0)


def test_a_lesion_beside_the_peak_is_a_violation(tmp_path: Path) -> None:
    line, square = Line(tmp_path, 240), next(squares(240))
    pixels = image(240, square._replace(row=square.row + 24))
    found = peak(line.drawings(pixels)["last"])
    assert abs(found.row - square.row) > STRIDES["last"] / 2 + 1
