"""Lines lie where their points are, as wide as they say, with the gaps that they say."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.reporting.figures.strokes import disc, stroke


def drawn(points: list[list[float]], *, width: float, closed: bool = False, dashes: tuple[float, ...] = ()):
    coverage = np.zeros((40, 60), np.float32)
    stroke(coverage, np.array(points, float), width=width, closed=closed, dashes=dashes)
    return coverage


@pytest.mark.parametrize("width", [1.0, 2.0, 3.3, 4.6])
@pytest.mark.parametrize("x", [20.0, 20.25, 20.5, 20.9])
def test_a_line_is_centred_on_its_points_and_as_wide_as_it_says(width: float, x: float) -> None:
    row = drawn([[x, 5], [x, 35]], width=width)[20]
    centres = np.arange(60) + 0.5
    assert (row * centres).sum() / row.sum() == pytest.approx(x, abs=0.03)
    assert row.sum() == pytest.approx(width, abs=0.03)


def test_a_slanted_line_covers_its_length_times_its_width() -> None:
    assert drawn([[10, 8], [40, 30]], width=3).sum() == pytest.approx(3 * np.hypot(30, 22), rel=0.01)


def test_a_line_narrower_than_a_pixel_is_pale() -> None:
    assert drawn([[20.5, 5], [20.5, 35]], width=0.4)[20].max() == pytest.approx(0.4)


def test_dashes_and_gaps_have_their_lengths() -> None:
    row = drawn([[5, 20.5], [55, 20.5]], width=1, dashes=(6, 4))[20]
    assert [round(float(value)) for value in row[5:55]] == ([1] * 6 + [0] * 4) * 5
    assert row[:5].sum() + row[55:].sum() == 0


def test_dashes_go_round_corners() -> None:
    coverage = drawn([[10, 10], [20, 10], [20, 20]], width=2, dashes=(20, 100))
    assert coverage.sum() == pytest.approx(40, abs=1)
    assert coverage[10:12, 19:21].min() > 0.2


def test_a_closed_line_joins_its_ends_and_an_open_one_does_not() -> None:
    corners = [[10, 10], [30, 10], [30, 30], [10, 30]]
    assert drawn(corners, width=2, closed=True)[20, 9:11].min() == 1
    assert drawn(corners, width=2)[20, 9:11].max() == 0


def test_what_lies_outside_is_left_out() -> None:
    assert drawn([[-50, -50], [-10, -10]], width=3).sum() == 0
    assert drawn([[-50, 20.5], [100, 20.5]], width=1)[20].min() == 1


def test_a_disc_has_its_centre_and_area() -> None:
    coverage = np.zeros((40, 60), np.float32)
    disc(coverage, 20.3, 12.7, radius=5)
    rows, columns = np.mgrid[:40, :60] + 0.5
    assert coverage.sum() == pytest.approx(np.pi * 25, rel=0.02)
    assert (coverage * columns).sum() / coverage.sum() == pytest.approx(20.3, abs=0.02)
    assert (coverage * rows).sum() / coverage.sum() == pytest.approx(12.7, abs=0.02)
