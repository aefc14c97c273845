"""Contours at the border: thin beyond the centres of the outermost cells, and one region with the scores."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page

from pipeline.contours.drawing import draw
from pipeline.geometry import cropped, mirrored, resized, whole
from pipeline.records import Heatmap, Placement, Prediction
from pipeline.store.scripts import map_json
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

SHAPE = (180, 240)
BORDERS = np.zeros((6, 8), np.float32)
BORDERS[0:3, 1] = BORDERS[0:2, 3] = (
    1  # a pipe to the upper edge, and beside it another one with a slit between
)
BORDERS[0, 2], BORDERS[1, 2] = 0.35, 0.9
BORDERS[4, 5] = 1  # a contour inside
BORDERS[5, 0] = 1  # a corner
WHOLE, CROP = whole(SHAPE), cropped(whole(SHAPE), (20, 30), (140, 180))
PLACEMENTS = {
    "whole": resized(WHOLE, (6, 8)),
    "crop": resized(CROP, (6, 8)),
    "mirrored": mirrored(resized(WHOLE, (6, 8))),
    "a single row": resized(WHOLE, (1, 8)),
}
SPLIT = """([map, outlines]) => heatproof.margins.split(outlines, heatproof.decoding.map(map))"""


def heatmap(placement: Placement) -> Heatmap:
    cells = BORDERS[: placement.model_shape[0]]
    return Heatmap("c", "benign", "gradcam", cells, "logit", placement)


def split(page: Page, of: Heatmap, outlines: list[Any]) -> dict[str, list[np.ndarray]]:
    found = page.evaluate(SPLIT, [map_json(of), [outline.tolist() for outline in outlines]])
    return {kind: [np.array(line, np.float64) for line in lines] for kind, lines in found.items()}


def length(line: np.ndarray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def outside(points: np.ndarray, placement: Placement) -> np.ndarray:
    """How far points (x, y) lie outside the span of the cells' centres, in cells."""
    position = (points[:, ::-1] - placement.offset) / placement.scale
    last = np.array(placement.model_shape) - 1
    return np.maximum(np.maximum(-position, position - last), 0).max(axis=1)


@pytest.mark.parametrize("name", PLACEMENTS)
def test_thin_lines_lie_beyond_the_outermost_centres_and_thick_ones_do_not(
    workbench: Page, name: str
) -> None:
    of = heatmap(PLACEMENTS[name])
    outlines = [line for r in draw(of, rule="fraction", threshold=0.5).regions for line in r.outlines]
    found = split(workbench, of, outlines)
    assert found["beyond"]
    for line in found["closed"] + found["inside"]:
        assert outside(line, of.placement).max() < 0.01
    for line in found["beyond"]:
        middles = (line[1:] + line[:-1]) / 2
        assert outside(middles, of.placement).min() > 0
        assert outside(line, of.placement).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("name", PLACEMENTS)
def test_all_parts_together_are_the_outline_that_is_scored(workbench: Page, name: str) -> None:
    """Joined at their ends, the parts of each outline have its length and enclose its area."""
    of = heatmap(PLACEMENTS[name])
    for region in draw(of, rule="fraction", threshold=0.5).regions:
        for outline in region.outlines:
            found = split(workbench, of, [outline])
            open_lines = found["inside"] + found["beyond"]
            if not open_lines:
                assert np.array_equal(found["closed"][0].astype(np.float32), outline)
                continue
            whole_line = joined(open_lines)
            assert length(whole_line) == pytest.approx(cv2.arcLength(outline, closed=True), rel=1e-5)
            area = cv2.contourArea(whole_line.astype(np.float32))
            assert area == pytest.approx(cv2.contourArea(outline), rel=1e-4)


def joined(lines: list[np.ndarray]) -> np.ndarray:
    """Lines that meet end to start, as one closed line."""
    left = list(lines)
    found = [left.pop(0)]
    while left:
        index = next(i for i, line in enumerate(left) if np.allclose(line[0], found[-1][-1], atol=1e-6))
        found.append(left.pop(index)[1:])
    closed = np.concatenate(found)
    assert np.allclose(closed[0], closed[-1], atol=1e-6)
    return closed


def test_a_page_without_maps_draws_whole_outlines(workbench: Page) -> None:
    outline = [[-0.5, -0.5], [9, -0.5], [9, 9]]
    found = workbench.evaluate("(outlines) => heatproof.margins.split(outlines, null)", [outline])
    assert found == {"closed": [outline], "inside": [], "beyond": []}


@pytest.fixture(scope="module")
def bordered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def vary(case: Any) -> Any:
        of = replace(heatmap(PLACEMENTS["whole"]), case_id=case.case_id)
        regions = draw(of, rule="fraction", threshold=0.6).regions
        return replace(
            case, heatmaps=(of,), regions=regions,
            predictions=(Prediction(case.case_id, "benign", 1.0, 0.73, 0.5),),
        )  # fmt: skip

    run = make_run(tmp_path_factory.mktemp("bordered"), cases=1, shape=SHAPE, vary=vary)
    write_report(run)
    return run


def points(path: str) -> np.ndarray:
    return np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", path), np.float64)


def test_a_page_draws_them_thin_and_says_so(opened: Opened, bordered: Path) -> None:
    page = opened.case(bordered, 0, finding="benign")
    assert page.locator("#beyond-legend").is_visible()
    thick, thin = page.locator(".over .network").first, page.locator(".over .network-beyond").first
    widths = [
        float(one.evaluate("(p) => parseFloat(getComputedStyle(p).strokeWidth)")) for one in (thick, thin)
    ]
    assert widths[0] >= 2 * widths[1] > 0
    drawn = points(thin.get_attribute("d"))
    assert outside(drawn, PLACEMENTS["whole"]).max() == pytest.approx(0.5, abs=0.01)  # closed along the edge
    assert outside(points(thick.get_attribute("d")), PLACEMENTS["whole"]).max() < 0.01
    page.keyboard.press("c")
    settle(page)
    assert page.locator("#beyond-legend").is_hidden()


def test_pictures_of_the_overview_draw_them_thin_too(opened: Opened, bordered: Path) -> None:
    opened.folder, page = bordered, opened.page
    page.goto((bordered / "index.html").as_uri())
    thick, thin = (
        page.locator(f".picture-of-case .line.{name}").first for name in ("network", "network-beyond")
    )
    widths = [
        float(one.evaluate("(p) => parseFloat(getComputedStyle(p).strokeWidth)")) for one in (thick, thin)
    ]
    assert widths[0] > widths[1] > 0
    assert outside(points(thin.get_attribute("d")), PLACEMENTS["whole"]).max() == pytest.approx(0.5, abs=0.01)


def test_a_pointed_contour_lights_up_whole(opened: Opened, bordered: Path) -> None:
    page = opened.case(bordered, 0, finding="benign")
    reaching = page.locator(".over .network-beyond").count()
    page.locator(".contours tbody tr").first.hover()
    settle(page)
    assert page.locator(".over .network.highlighted").count() == 1
    assert page.locator(".over .network-beyond.highlighted").count() == 1
    assert page.locator(".over .network-beyond").count() == reaching


def test_where_no_contour_reaches_the_border_nothing_is_said(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    assert page.locator(".over .network").count() == 1
    assert page.locator(".over .network-beyond").count() == 0
    assert page.locator("#beyond-legend").is_hidden()
