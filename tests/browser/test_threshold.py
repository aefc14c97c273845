"""The live threshold: what the page shows is what the pipeline gives at the same threshold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from pipeline.contours.drawing import draw
from pipeline.geometry import resized, whole
from pipeline.metrics.scoring import score_drawing
from pipeline.records import Drawing, Heatmap, Reference
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import FINDINGS, METHODS, MINIMUM_AREA_PX, make_run

SHAPE = (180, 240)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Case id → the records that the run was written from."""
    kept: dict[str, Any] = {}

    def keep(case: Any) -> Any:
        kept[case.case_id] = case
        return case

    make_run(tmp_path_factory.mktemp("again"), cases=9, shape=SHAPE, vary=keep)
    return kept


def heatmap(run: Path, case: Any, finding: str, method: str) -> Heatmap:
    if method == METHODS[0]:
        (found,) = (h for h in case.heatmaps if h.finding == finding)
        return found
    with np.load(run / "baselines.npz") as maps:
        relevance = maps[f"{method}/{finding}" if f"{method}/{finding}" in maps else method]
    return Heatmap(
        case.case_id, finding, method, relevance, "relative", resized(whole(SHAPE), relevance.shape)
    )


def wanted(drawing: Drawing, references: list[Reference]) -> list[float]:
    """IoU and Dice of a mask, box IoU of each box, in the order of readers."""
    values = []
    for reference in references:
        scores = score_drawing(drawing, reference, method="m", shape=SHAPE)
        values += [s.value for s in scores if s.metric in {"iou", "dice", "box_iou"} and s.value is not None]
    return values


def shown(page: Page) -> list[float]:
    settle(page)
    return [float(one.get_attribute("value")) for one in page.locator("#live-scores data").all()]


def choose(page: Page, rule: str, threshold: float) -> None:
    page.select_option("#rule", rule)
    settle(page)
    if rule != "otsu":
        page.fill("#threshold-number", repr(threshold))
        page.press("#threshold-number", "Tab")
    settle(page)


RULES = [
    ("fraction", 0.3), ("fraction", 0.6), ("fraction", 0.87), ("absolute", 0.2), ("absolute", 0.55),
    ("percentile", 80.0), ("percentile", 93.5), ("otsu", 0.0),
]  # fmt: skip


@pytest.mark.parametrize("number", [0, 1, 3, 4])
def test_iou_dice_areas_and_levels_are_the_pipelines_at_any_threshold(
    opened: Opened, run: Path, known: dict[str, Any], number: int
) -> None:
    case = known[f"{number:04x}c0ffee"]
    checked = 0
    for finding in FINDINGS:
        references = [r for r in case.references if r.finding == finding]
        page = opened.case(run, number, finding=finding)
        settle(page)
        for method in (METHODS[0], METHODS[1 + number % 2]):
            page.select_option("#method", method)
            settle(page)
            page.wait_for_selector("#scale .scale-figure")
            for rule, threshold in RULES:
                choose(page, rule, threshold)
                drawing = draw(
                    heatmap(run, case, finding, method),
                    rule=rule,
                    threshold=threshold,
                    minimum_area_px=MINIMUM_AREA_PX,
                )
                assert shown(page) == wanted(drawing, references), (finding, method, rule, threshold)
                assert areas(page) == [f"{region.area_px:,}" for region in drawing.regions]
                assert page.locator(".over path.network").count() == len(drawing.regions)
                checked += len(drawing.regions)
    assert checked >= len(RULES)


def areas(page: Page) -> list[str]:
    return page.locator(".contours tbody td:nth-child(3)").all_inner_texts()


@pytest.mark.parametrize("number", range(9))
def test_as_audited_the_page_shows_the_scores_and_regions_on_file(
    opened: Opened, run: Path, number: int
) -> None:
    content = json.loads((run / f"cases/{number:04x}c0ffee/case.json").read_text())
    for finding in FINDINGS:
        page = opened.case(run, number, finding=finding)
        page.select_option("#method", METHODS[0])
        settle(page)
        regions = [r for r in content["regions"] if r["finding"] == finding]
        assert areas(page) == [f"{region['area_px']:,}" for region in regions]
        level = page.locator("#level").inner_text()
        assert level == (f"level {regions[0]['level']:.3g} logit" if regions else "")
        for method in METHODS:
            page.select_option("#method", method)
            settle(page)
            page.wait_for_selector("#scale .scale-figure")
            values = [
                s["value"]
                for s in content["scores"]
                if (s["finding"], s["method"]) == (finding, method)
                and s["metric"] in {"iou", "dice", "box_iou"}
                and s["value"] is not None
            ]
            assert shown(page) == values
        assert page.locator("#threshold-state").inner_text() == "as audited"


def test_the_slider_redraws_at_once_and_the_audits_threshold_comes_back(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    before, outline = shown(page), page.locator("path.network").get_attribute("d")
    assert page.locator("#audited").is_disabled()
    page.focus("#threshold")
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert page.locator("#threshold-number").input_value() == "0.59"
    assert page.locator("path.network").get_attribute("d") != outline
    assert shown(page) != before
    assert page.locator("#threshold-state").inner_text() == "not the audit’s"
    page.click("#audited")
    assert shown(page) == before
    assert page.locator("path.network").get_attribute("d") == outline


def test_keys_move_the_threshold(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    for key in "..,":
        page.keyboard.press(key)
    settle(page)
    assert page.locator("#threshold-number").input_value() == "0.61"
    page.keyboard.press("l")
    settle(page)
    assert page.locator("#threshold-number").input_value() == "0.6"


@pytest.mark.parametrize("rule", ["absolute", "percentile"])
def test_another_rule_starts_at_the_same_contours(opened: Opened, run: Path, rule: str) -> None:
    page = opened.case(run, 0)
    before = shown(page)
    page.select_option("#rule", rule)
    assert shown(page) == pytest.approx(before, abs=0.01)
    page.select_option("#rule", "fraction")
    settle(page)
    assert float(page.locator("#threshold-number").input_value()) == pytest.approx(0.6, abs=0.001)


def test_a_threshold_beyond_its_range_is_taken_to_the_end(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    choose(page, "fraction", 7.0)
    assert page.locator("#threshold-number").input_value() == "1"


def test_a_closed_gate_draws_nothing_until_the_threshold_is_moved(opened: Opened, run: Path) -> None:
    page = opened.case(run, 3, finding="malignant")
    settle(page)
    assert page.locator("path.network").count() == 0
    assert "gate was closed" in page.locator("#live-scores").inner_text()
    page.keyboard.press(".")
    settle(page)
    assert page.locator("path.network").count() == 1
    assert "contours although absent" in page.locator("#live-scores").inner_text()


def test_boxes_and_masks_of_no_lesion_are_described_in_words(opened: Opened, run: Path) -> None:
    page = opened.case(run, 8, finding="benign")
    settle(page)
    assert (
        page.locator("#live-scores li").first.inner_text().replace("\n", " ")
        == "Reader A absent, no contours"
    )

    assert page.locator("#live-scores li").count() == 3
