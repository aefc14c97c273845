"""Input sizes that 32 does not divide: maps were laid out too wide (case model-size-not-divisible-by-32).

The last grid of a DenseNet at 240 pixels has seven cells, centred at 14 + 32 i; stretched over 240 pixels the
outer ones were drawn 14 pixels farther out. The network reads brightness, so the peak must lie in the bright
square: a hit on all six, and an IoU of at least 0.4.

Source: sicara/tf-explain#42, keras-team/keras-io#784, brucechou1983/CheXNet-Keras#29; centres worked by hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.metamorphic.pixels import Line, Square, image, peak

HALF = 9
CENTRES = [(206, 206), (174, 206), (206, 174), (174, 174), (206, 142), (142, 206)]


@pytest.mark.parametrize(("row", "column"), CENTRES)
def test_the_peak_of_the_last_layer_is_in_the_square_and_the_contour_fits_it(
    row: int, column: int, tmp_path: Path
) -> None:
    square = Square(row, column, HALF)
    drawing = Line(tmp_path, 240).drawings(image(240, square))["last"]
    assert max(abs(peak(drawing).row - row), abs(peak(drawing).column - column)) <= 1
    truth = image(240, square) > 100
    assert np.count_nonzero(truth & drawing.mask) / np.count_nonzero(truth | drawing.mask) >= 0.4


def test_where_32_divides_the_side_a_square_at_a_cells_centre_is_hit_as_well(tmp_path: Path) -> None:
    drawing = Line(tmp_path, 256).drawings(image(256, Square(206, 206, HALF)))["last"]
    assert max(abs(peak(drawing).row - 206), abs(peak(drawing).column - 206)) <= 1
