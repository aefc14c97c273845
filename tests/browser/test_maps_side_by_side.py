"""All maps: image, reference and up to four maps side by side, by one key, with one zoom and one window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.opened import Opened, colour_at, place_of, settle
from tests.browser.test_viewer import heat_of
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

HIT = 0
AREA = "(path) => path.getBBox().width * path.getBBox().height"
MAPS = ["gradcam", "mean mask", "image centre"]


def shown(page: Page) -> list[str]:
    return page.locator(".pane-title").all_inner_texts()


def all_maps(opened: Opened, run: Path) -> Page:
    """Baselines come from a script of their own."""
    page = opened.case(run, HIT)
    page.keyboard.press("t")
    page.wait_for_function("() => document.querySelectorAll('.pane path.network').length >= 3")
    settle(page)
    return page


def test_one_key_shows_image_reference_and_maps(opened: Opened, run: Path) -> None:
    page = all_maps(opened, run)
    assert shown(page) == ["Image", "Reference", *MAPS]
    panes = page.locator(".pane").all()
    assert [pane.locator("path.reader").count() for pane in panes] == [0, 2, 0, 0, 0]
    assert [pane.locator("path.network").count() > 0 for pane in panes] == [False, False, True, True, True]
    assert [pane.locator(".peak").count() for pane in panes] == [0, 0, 1, 1, 1]
    assert page.locator("[data-does=maps]").get_attribute("aria-pressed") == "true"
    page.keyboard.press("t")
    settle(page)
    assert shown(page) == [""]


def test_each_pane_has_its_own_heatmap(opened: Opened, run: Path) -> None:
    page = all_maps(opened, run)
    relevance, _ = heat_of(run)
    row, column = np.unravel_index(relevance.argmax(), relevance.shape)
    hot = (row + 0.5) * 180 / 9, (column + 0.5) * 240 / 12
    for pane, is_coloured in ((0, False), (1, False), (2, True)):
        assert (len(set(colour_at(page, *hot, pane=pane))) > 1) is is_coloured, pane
    centre = (90, 120)  # of the image centre
    assert len(set(colour_at(page, *centre, pane=4))) == 3
    descriptions = page.locator(".pane canvas").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-label'))"
    )
    assert "heatmap" not in descriptions[0] + descriptions[1]
    assert "annotated by Reader A, Reader B" in descriptions[1]
    for text, title in zip(descriptions[2:], MAPS, strict=True):
        assert f"heatmap of benign by {title}, " in text


def test_zoom_window_and_pointer_are_linked(opened: Opened, run: Path) -> None:
    page = all_maps(opened, run)
    box = page.locator(".pane").nth(4).bounding_box()
    first = page.locator(".pane").nth(0).bounding_box()
    assert box["y"] > first["y"]  # in the second row
    page.mouse.move(box["x"] + 60, box["y"] + 50)
    pointed = page.locator("#corner-point").inner_text()
    page.mouse.move(first["x"] + 60, first["y"] + 50)
    assert page.locator("#corner-point").inner_text().split("  map")[0] == pointed.split("  map")[0] != ""
    page.mouse.wheel(0, -300)
    settle(page)
    assert len({place_of(page, pane) for pane in range(5)}) == 1
    page.keyboard.press("0")
    page.keyboard.press("Shift+ArrowLeft")
    settle(page)
    corner = (5, 5)
    assert colour_at(page, *corner, pane=0) == colour_at(page, *corner, pane=1)


def test_the_threshold_is_that_of_all_maps(opened: Opened, run: Path) -> None:
    page = all_maps(opened, run)

    def areas() -> list[float]:
        panes = page.locator(".pane").all()[2:]
        return [float(pane.locator("path.network").first.evaluate(AREA)) for pane in panes]

    before = areas()
    page.fill("#threshold-number", "0.3")
    page.keyboard.press("Tab")
    settle(page)
    assert all(now > then for now, then in zip(areas(), before, strict=True))
    page.select_option("#rule", "absolute")  # in log-odds, which relative maps do not have
    settle(page)
    assert areas()[1:] == before[1:]


def test_of_many_maps_the_networks_and_the_selected_one_are_shown(workbench: Page) -> None:
    found = workbench.evaluate(
        """() => {
          const named = (kind) => (name) => ({ name, title: name, kind });
          const methods = [..."abc"].map(named("baseline")).concat([..."def"].map(named("network")));
          return ["d", "c"].map((name) => heatproof.layouts.panes("maps", methods, name).map((p) => p.title));
        }"""
    )
    assert found == [["Image", "Reference", *"defa"], ["Image", "Reference", *"defc"]]
    missing = workbench.evaluate(
        """() => {
          const methods = ["network", "baseline"].map((kind) => ({ name: kind, title: kind, kind }));
          return heatproof.layouts.panes("maps", methods, "network").map((pane) => pane.missing ?? "");
        }"""
    )
    assert missing[2:] == [": no map of this finding here", ": scored, but its map is not kept"]


def test_a_map_that_the_page_lacks_says_so(opened: Opened, tmp_path: Path) -> None:
    def vary(case: Any) -> Any:
        return replace(case, heatmaps=(), regions=(), peaks=())

    run = make_run(tmp_path, cases=1, vary=vary)
    write_report(run)
    page = opened.case(run, 0)
    page.keyboard.press("t")
    page.wait_for_function("() => document.querySelectorAll('.pane path.network').length >= 2")
    assert shown(page) == ["Image", "Reference", "gradcam: no map of this finding here", *MAPS[1:]]


@pytest.mark.parametrize(
    ("stage", "count", "wanted"),
    [((780, 430), 6, (3, 2)), ((780, 700), 6, (2, 3)), ((360, 520), 6, (2, 3)), ((1400, 300), 6, (6, 1)),
     ((400, 900), 2, (2, 1)), ((800, 600), 1, (1, 1))],
)  # fmt: skip
def test_panes_are_arranged_so_that_images_are_large(
    workbench: Page, stage: tuple[int, int], count: int, wanted: tuple[int, int]
) -> None:
    found: dict[str, Any] = workbench.evaluate(
        """([width, height, count]) => heatproof.layouts.grid(
          count, { width, height }, { rows: 180, columns: 240, proportions: [1, 1] })""",
        [*stage, count],
    )
    assert (found["across"], found["down"]) == wanted


@pytest.mark.parametrize(("width", "height"), [(820, 1180), (390, 844)])
def test_all_maps_fit_smaller_screens(browser: Any, run: Path, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    page = Opened(context.new_page()).case(run, HIT)
    page.click("[data-does=maps]")
    page.wait_for_function("() => document.querySelectorAll('.pane').length === 5")
    settle(page)
    stage = page.locator("#stage").bounding_box()
    for pane in page.locator(".pane").all():
        box = pane.bounding_box()
        assert box["x"] >= stage["x"] - 0.5
        assert box["x"] + box["width"] <= stage["x"] + stage["width"] + 0.5
        assert box["width"] > 100
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
