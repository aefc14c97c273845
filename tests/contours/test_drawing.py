from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.contours import RULES
from pipeline.contours.drawing import closed_gate, draw
from pipeline.errors import CaseError
from pipeline.geometry import cropped, mirrored, resample_to_image, resized, whole
from pipeline.records import Drawing, Heatmap, Intensity, Outline, Placement

HALF = 0.5


def heatmap(relevance: object, placement: Placement | None = None) -> Heatmap:
    cells: Intensity = np.array(relevance, np.float32)
    rows, columns = cells.shape
    return Heatmap("case", "nodule", "gradcam", cells, "logit", placement or whole((rows, columns)))


def absolute(relevance: object, level: float, **options: object) -> Drawing:
    return draw(heatmap(relevance), rule="absolute", threshold=level, **options)  # type: ignore[arg-type]


def bounds(outline: Outline) -> tuple[float, ...]:
    """(left, top, right, bottom)."""
    return (*outline.min(axis=0).tolist(), *outline.max(axis=0).tolist())


TWO_BLOBS = [
    [0, 0, 0, 0, 0],
    [0, 4, 4, 0, 0],
    [0, 4, 0, 0, 0],
    [0, 0, 0, 0, 8],
    [0, 0, 0, 0, 8],
]
RING = [
    [0, 0, 0, 0, 0],
    [0, 2, 2, 2, 0],
    [0, 2, 0, 2, 0],
    [0, 2, 2, 2, 0],
    [0, 0, 0, 0, 0],
]


def test_two_blobs_are_two_regions_the_higher_peak_first() -> None:
    drawing = absolute(TWO_BLOBS, 3)
    assert [(r.corner, r.area_px, r.peak) for r in drawing.regions] == [((3, 4), 2, 8.0), ((1, 1), 3, 4.0)]
    np.testing.assert_array_equal(drawing.mask, np.array(TWO_BLOBS) > 0)
    np.testing.assert_array_equal(drawing.regions[1].mask, [[True, True], [True, False]])


def test_without_outlines_a_drawing_is_the_same() -> None:
    drawn, plain = absolute(RING, 1), absolute(RING, 1, outlined=False)
    assert [len(drawing.regions[0].outlines) for drawing in (drawn, plain)] == [2, 0]
    assert (plain.regions[0].corner, plain.peak) == (drawn.regions[0].corner, drawn.peak)
    np.testing.assert_array_equal(plain.mask, drawn.mask)
    np.testing.assert_array_equal(plain.regions[0].mask, drawn.regions[0].mask)


def test_a_region_says_where_it_comes_from() -> None:
    region = draw(heatmap(TWO_BLOBS), rule="fraction", threshold=0.25).regions[0]
    found = (region.case_id, region.finding, region.method, region.rule, region.level)
    assert found == ("case", "nodule", "gradcam", "fraction", 2.0)


def test_a_pixel_exactly_at_the_level_is_inside() -> None:
    assert absolute(TWO_BLOBS, 4).mask.sum() == 5


def test_the_peak_is_the_first_of_equal_maxima() -> None:
    assert absolute(TWO_BLOBS, 3).peak == (3, 4)


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"otsu"}))
def test_of_equally_high_plateaus_the_largest_has_the_peak_whatever_rows_a_rule_reads(rule: str) -> None:
    """Cells of 9 pixels. The two cells below are one plateau: from centre to centre, down to the edge."""
    cells = np.array([[0, 0, 0, 0], [0, 9, 0, 0], [0, 0, 0, 0], [0, 9, 9, 0]])
    drawing = draw(heatmap(cells, resized(whole((36, 36)), (4, 4))), rule=rule, threshold=0.5)
    assert drawing.peak == (31, 17)  # of the row of the centres, 31, and columns 13 … 22


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    drawing = absolute([[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], HALF)
    assert [len(region.outlines) for region in drawing.regions] == [1]


def test_a_hole_is_the_second_outline() -> None:
    (region,) = absolute(RING, 1).regions
    assert [bounds(outline) for outline in region.outlines] == [(0.5, 0.5, 3.5, 3.5), (1.5, 1.5, 2.5, 2.5)]
    assert region.area_px == 8


def test_a_region_at_the_border_is_closed_along_the_edge_of_its_pixels() -> None:
    (region,) = absolute([[4, 4, 0], [4, 4, 0], [0, 0, 0]], 2).regions
    (outline,) = region.outlines
    assert bounds(outline) == (-0.5, -0.5, 1.5, 1.5)


def test_a_border_that_stays_at_the_level_is_closed_too() -> None:
    (region,) = absolute([[2, 2, 0], [2, 2, 0], [0, 0, 0]], 2).regions
    assert bounds(region.outlines[0]) == (0, 0, 1, 1)
    assert cv2.contourArea(region.outlines[0]) == 1


def test_a_region_that_fills_the_image_is_closed_along_the_image_s_edge() -> None:
    (region,) = absolute([[4, 5], [5, 6]], 2).regions
    assert bounds(region.outlines[0]) == (-0.5, -0.5, 1.5, 1.5)


def test_a_contour_of_a_linear_ramp_lies_where_it_crosses_the_level() -> None:
    # Each row is 0, 1, … 9: it crosses 6.3 at x = 6.3 and ends at the image's edge, x = 9.5.
    (region,) = absolute(np.tile(np.arange(10), (6, 1)), 6.3).regions
    left, top, right, bottom = bounds(region.outlines[0])
    assert (left, right) == pytest.approx((6.3, 9.5), abs=1e-3)
    assert (top, bottom) == (-0.5, 5.5)


def test_a_contour_of_a_ramp_of_coarse_cells_lies_at_the_interpolated_crossing() -> None:
    # Four cells of 10 pixels, centred at x = 4.5, 14.5, 24.5, 34.5, valued 0, 10, 20, 30: 13 is at x = 17.5.
    ramp = heatmap(np.tile([0, 10, 20, 30], (2, 1)), resized(whole((20, 40)), (2, 4)))
    (region,) = draw(ramp, rule="absolute", threshold=13).regions
    assert bounds(region.outlines[0])[0] == pytest.approx(17.5, abs=0.05)
    assert region.corner == (0, 18)


def test_the_area_of_the_polygons_is_that_of_the_pixels() -> None:
    row, column = np.mgrid[:60, :60]
    cone = 30 - np.hypot(row - 30, column - 28)
    ring = np.where(cone > 22, 0, cone)
    for surface in (cone, ring):
        (region,) = absolute(surface, 10).regions
        outer, *holes = (cv2.contourArea(outline) for outline in region.outlines)
        assert outer - sum(holes) == pytest.approx(region.area_px, rel=0.02)


def test_simplified_outlines_stay_within_a_twentieth_of_a_pixel() -> None:
    row, column = np.mgrid[:80, :80]
    (region,) = absolute(60 - np.hypot(row - 40.2, column - 39.7), 30).regions
    (outline,) = region.outlines
    radius = np.hypot(outline[:, 0] - 39.7, outline[:, 1] - 40.2)
    middle = (outline + np.roll(outline, 1, axis=0)) / 2
    assert len(outline) < 100
    np.testing.assert_allclose(radius, 30, atol=0.02)
    np.testing.assert_allclose(np.hypot(middle[:, 0] - 39.7, middle[:, 1] - 40.2), 30, atol=0.07)


def test_outlines_do_not_repeat_their_first_point() -> None:
    outline = absolute(RING, 1).regions[0].outlines[0]
    assert not np.array_equal(outline[0], outline[-1])


def test_a_pixel_that_just_touches_the_level_has_an_outline_around_it() -> None:
    (region,) = absolute([[0, 0, 0], [0, 2, 0], [0, 0, 0]], 2).regions
    assert bounds(region.outlines[0]) == (0.5, 0.5, 1.5, 1.5)


def test_a_part_that_stays_at_the_level_is_inside_the_outline() -> None:
    (region,) = absolute([[0, 0, 0, 0, 0, 0], *[[0, 4, 2, 2, 2, 0]] * 3, [0, 0, 0, 0, 0, 0]], 2).regions
    assert bounds(region.outlines[0])[2] == 4


def test_a_region_within_the_bounds_of_another_is_no_part_of_its_outlines() -> None:
    bent = [[0, 5, 0, 0], [0, 5, 0, 3], [0, 5, 0, 0], [0, 5, 5, 5]]
    drawing = absolute(bent, 2)
    assert [(len(r.outlines), r.area_px, r.peak) for r in drawing.regions] == [(1, 6, 5.0), (1, 1, 3.0)]
    higher_inside = absolute([[9 if cell == 3 else cell for cell in row] for row in bent], 2)
    assert [(len(r.outlines), r.area_px, r.peak) for r in higher_inside.regions] == [(1, 1, 9.0), (1, 6, 5.0)]


def test_the_whole_maximum_keeps_the_peak() -> None:
    drawing = draw(heatmap(TWO_BLOBS), rule="fraction", threshold=1)
    assert (drawing.mask.sum(), drawing.peak) == (2, (3, 4))


def test_negative_relevance_is_set_to_0_before_it_is_interpolated() -> None:
    # Cells 2 and -2 are centred at x = 4.5 and 14.5. With -2 set to 0, level 1 is crossed at 9.5, else at 7.
    signs = heatmap([[2, -2]], resized(whole((10, 20)), (1, 2)))
    (region,) = draw(signs, rule="absolute", threshold=1).regions
    assert region.mask.shape == (10, 10)


def test_a_level_of_zero_draws_the_positive_part_only() -> None:
    assert absolute(TWO_BLOBS, 0).mask.sum() == 5
    assert absolute(TWO_BLOBS, -3).mask.sum() == 5


def test_a_level_above_the_maximum_draws_nothing_but_has_a_peak() -> None:
    drawing = absolute(TWO_BLOBS, 9)
    assert (drawing.regions, drawing.mask.any(), drawing.peak) == ((), False, (3, 4))


def test_regions_under_the_minimum_area_are_dropped_and_counted() -> None:
    drawing = absolute(TWO_BLOBS, 3, minimum_area_px=3)
    assert ([r.area_px for r in drawing.regions], drawing.dropped, drawing.mask.sum()) == ([3], 1, 3)


def test_the_minimum_area_in_mm2_counts_where_the_spacing_is_known() -> None:
    # Pixels of 0.5 × 2 mm are 1 mm² each: 2 pixels are 2 mm², 3 are 3 mm².
    with_spacing = absolute(TWO_BLOBS, 3, minimum_area_mm2=2.5, spacing_mm=(0.5, 2.0))
    assert ([r.area_px for r in with_spacing.regions], with_spacing.dropped) == ([3], 1)
    assert absolute(TWO_BLOBS, 3, minimum_area_mm2=2.5).dropped == 0


def test_a_map_with_nan_is_skipped() -> None:
    with pytest.raises(CaseError) as caught:
        absolute([[0, np.nan], [1, 0]], HALF)
    assert caught.value.reason == "heatmap_not_finite"


def test_behind_a_closed_gate_there_is_nothing() -> None:
    hot = heatmap(np.ones((3, 4)))
    drawing = closed_gate(hot)
    assert (drawing.regions, drawing.peak, drawing.dropped, drawing.mask.shape) == ((), None, 0, (3, 4))
    assert not drawing.mask.any()
    assert drawing.heatmap is hot


def test_a_map_with_nan_is_skipped_behind_a_closed_gate_too() -> None:
    with pytest.raises(CaseError, match="NaN or infinity"):
        closed_gate(heatmap([[0, np.nan], [1, 0]]))


@pytest.mark.parametrize("level", [3, 100], ids=["contours", "none"])
def test_a_drawing_carries_its_map(level: float) -> None:
    drawing = absolute(TWO_BLOBS, level)
    assert drawing.heatmap is not None
    np.testing.assert_array_equal(drawing.heatmap.relevance, TWO_BLOBS)


@pytest.mark.parametrize(("rule", "threshold"), [("fraction", 0.6), ("otsu", 0), ("percentile", 80)])
@pytest.mark.parametrize("seed", range(3))
def test_the_drawing_is_the_thresholded_placed_map(rule: str, threshold: float, seed: int) -> None:
    placement = resized(cropped(whole((90, 70)), (10, 5), (60, 60)), (7, 7))
    cells = np.random.default_rng(seed).normal(size=(7, 7)).astype(np.float32)
    drawing = draw(heatmap(cells, placement), rule=rule, threshold=threshold)
    placed = resample_to_image(np.maximum(cells, 0), placement)
    np.testing.assert_array_equal(drawing.mask, placed >= drawing.regions[0].level)
    assert drawing.peak is not None
    assert placed[drawing.peak] == pytest.approx(placed.max(), rel=1e-6)


def test_the_peak_of_a_map_that_is_flat_at_the_edge_is_at_the_centre_of_the_cell() -> None:
    # Cells of 4 pixels: the map is flat beyond the centre of the corner cell at 1.5, so in pixels 0 and 1.
    cells = np.array([[5.0, 1.0], [1.0, 0.0]], np.float32)
    drawing = draw(heatmap(cells, resized(whole((8, 8)), (2, 2))), rule="fraction", threshold=0.6)
    assert drawing.peak == (1, 1)
    # The maximum is now in the bottom left cell: flat in rows 6 and 7 and columns 0 and 1 of the image.
    drawing = draw(
        heatmap(cells[::-1].copy(), resized(whole((8, 8)), (2, 2))), rule="fraction", threshold=0.6
    )
    assert drawing.peak == (6, 1)


def test_the_drawing_of_the_mirrored_view_is_mirrored_back() -> None:
    placement = resized(cropped(whole((50, 40)), (5, 5), (40, 30)), (5, 5))
    cells = np.random.default_rng(1).random((5, 5), dtype=np.float32)
    one = draw(heatmap(cells, placement), rule="fraction", threshold=0.6)
    other = draw(heatmap(cells[:, ::-1].copy(), mirrored(placement)), rule="fraction", threshold=0.6)
    np.testing.assert_array_equal(one.mask, other.mask)
    assert one.peak == other.peak


@pytest.mark.parametrize("level", [float("nan"), float("inf")])
def test_a_rule_without_a_finite_level_skips_the_image(monkeypatch: pytest.MonkeyPatch, level: float) -> None:
    monkeypatch.setitem(RULES._loaded, "absolute", replace(RULES["absolute"], level=lambda *_: level))
    with pytest.raises(CaseError, match=f"The rule 'absolute' gave the level {level}") as skipped:
        absolute([[0, 1], [2, 3]], 0.5)
    assert skipped.value.reason == "level_not_finite"
