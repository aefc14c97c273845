from dataclasses import replace

import numpy as np
import pytest
from skimage.measure import find_contours

from pipeline.contracts import Scored
from pipeline.metrics import METRICS
from pipeline.metrics.surface import hausdorff_95, normalised_surface_distance, surface_distances
from pipeline.metrics.surfels import surfels
from pipeline.records import Mask, Tolerances
from tests.metrics.samples import drawing, mask, masks

DOWN, ACROSS = 3.0, 4.0
SLANTED = 2.5
"""Half the diagonal of a pixel of 3 × 4 mm."""


def by_corner(*rows: str) -> dict[tuple[float, float], float]:
    """(row, column) in pixels → length of the outline there, in mm."""
    points, lengths = surfels(mask(*rows), spacing=(DOWN, ACROSS))
    return {
        (float(y) / DOWN, float(x) / ACROSS): float(length)
        for (y, x), length in zip(points, lengths, strict=True)
    }


def test_a_pixel_has_four_slanted_pieces() -> None:
    assert by_corner("...", ".#.") == {(row, column): SLANTED for row in (0.5, 1.5) for column in (0.5, 1.5)}


def test_sides_are_as_long_as_pixels_and_corners_inside_have_none() -> None:
    found = by_corner("##", "##")  # at the image's edge on all sides
    assert found == {
        (-0.5, -0.5): SLANTED, (-0.5, 0.5): ACROSS, (-0.5, 1.5): SLANTED,
        (0.5, -0.5): DOWN, (0.5, 1.5): DOWN,
        (1.5, -0.5): SLANTED, (1.5, 0.5): ACROSS, (1.5, 1.5): SLANTED,
    }  # fmt: skip


def test_where_pixels_touch_at_a_corner_there_are_two_pieces() -> None:
    assert by_corner("#.", ".#")[0.5, 0.5] == by_corner(".#", "#.")[0.5, 0.5] == 2 * SLANTED


def test_a_corner_with_one_pixel_outside_is_slanted() -> None:
    assert by_corner("##", "#.")[0.5, 0.5] == SLANTED


def noise(seed: int) -> tuple[Mask, Mask]:
    return tuple(np.random.default_rng(seed).random((2, 14, 11)) < 0.6)  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(5))
def test_the_whole_outline_is_as_long_as_that_of_marching_squares(seed: int) -> None:
    one, _ = noise(seed)
    lines = find_contours(np.pad(one, 1).astype(float), 0.5)
    pieces = np.concatenate([np.diff(line, axis=0) for line in lines])
    _, lengths = surfels(one, spacing=(DOWN, ACROSS))
    assert lengths.sum() == pytest.approx(np.hypot(*(pieces * (DOWN, ACROSS)).T).sum())


@pytest.mark.parametrize("seed", range(5))
def test_distances_are_those_of_an_explicit_loop(seed: int) -> None:
    one, other = noise(seed)
    (there, _), (back, _) = surface_distances(one, other, spacing=(DOWN, ACROSS), definition="surfel")
    first, second = (surfels(each, spacing=(DOWN, ACROSS))[0] for each in (one, other))
    assert there == pytest.approx([min(np.hypot(*(p - q)) for q in second) for p in first])
    assert back == pytest.approx([min(np.hypot(*(p - q)) for q in first) for p in second])


def test_half_the_outline_of_a_dot_is_within_1_of_one_two_pixels_away() -> None:
    one, other = mask("#.."), mask("..#")
    options = {"spacing": (1, 1), "definition": "surfel"}
    assert normalised_surface_distance(one, other, tolerance=1, **options) == 0.5  # type: ignore[arg-type]
    assert hausdorff_95(one, other, **options) == 2  # type: ignore[arg-type]


def test_the_95th_percentile_is_the_distance_within_which_95_percent_of_the_length_lies() -> None:
    # A line of n pixels has two sides of n - 1 and four slanted pieces of √½. The other line is longer by two
    # pixels on the right: its last corners, with a side before each, are 2 and 1 away. Of 30 pixels the last
    # slanted pieces are 2.3 % of the length, with the sides before them 5.6 %; of 50 those are 3.4 %.
    line = np.zeros((3, 60), np.bool_)
    line[1, 2:32] = True
    longer = line.copy()
    longer[1, 32:34] = True
    assert hausdorff_95(line, longer, spacing=(1, 1), definition="surfel") == 1
    line[1, 2:52] = longer[1, 2:52] = True
    longer[1, 52:54] = True
    assert hausdorff_95(line, longer, spacing=(1, 1), definition="surfel") == 0


def test_metrics_measure_what_the_run_asks_for() -> None:
    pair = drawing(mask("#..")), masks(mask("..#"))
    pixels = Scored(*pair, (1, 1), Tolerances(surface_mm=1))
    pieces = replace(pixels, tolerances=Tolerances(surface_mm=1, surface="surfel"))
    assert [METRICS["surface_distance"].score(scored) for scored in (pixels, pieces)] == [(0.0,), (0.5,)]
    box = np.zeros((1, 40), np.bool_)
    box[0, :30] = True
    longer = np.zeros((1, 40), np.bool_)
    longer[0, :32] = True
    both = Scored(drawing(box), masks(longer), (1, 1))
    of_pieces = replace(both, tolerances=Tolerances(surface="surfel"))
    assert METRICS["hd95"].score(both) == (pytest.approx(0.45),)  # 0.95 · 31 = 29.45: between 0 and 1
    assert METRICS["hd95"].score(of_pieces) == (1.0,)
