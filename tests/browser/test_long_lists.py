"""Many contours, readers and frames: the image keeps its room, and nothing is wider than the window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from pipeline.contours.drawing import draw
from pipeline.geometry import resized, whole
from tests.browser.opened import Opened, settle
from tests.browser.test_accessibility import violations
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

SHAPE = (150, 200)
FRAMES = 12
READERS = [f"Dr {letter} of the reading room" for letter in "CDEFGH"]
SCREENS = [(1280, 800), (820, 1180)]


def crowded(case: Any) -> Any:
    """Some twenty-five contours, eight readers, and frames of one object."""
    cells = (np.random.default_rng(3).random((20, 26)) ** 6).astype(np.float32)
    maps = tuple(
        replace(h, relevance=cells, placement=resized(whole(SHAPE), cells.shape)) for h in case.heatmaps
    )
    (first, *_) = (r for r in case.references if r.kind == "mask")
    others = tuple(replace(first, reader=name) for name in READERS)
    return replace(
        case, heatmaps=maps, references=(*case.references, *others), object_id="object-1",
        regions=tuple(r for h in maps for r in draw(h, rule="fraction", threshold=0.6).regions),
        frame=int(case.case_id[:4], 16),
        predictions=tuple(replace(p, probability=0.9) for p in case.predictions),
    )  # fmt: skip


TRIES, PAUSE = 20, 250
"""Looks at a page that may still draw, and milliseconds between them."""


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("crowd"), cases=FRAMES, shape=SHAPE, vary=crowded)
    write_report(run)
    return run


@pytest.fixture(params=SCREENS, ids=lambda screen: str(screen[0]))
def page(request: Any, browser: Browser, crowd: Path) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    yield Opened(context.new_page()).case(crowd, 0, finding="benign")
    context.close()


def test_the_image_keeps_its_room(page: Page) -> None:
    assert page.locator(".contours tbody tr").count() > 20
    assert page.locator("#layers label").count() == 10
    size = page.viewport_size
    stage, viewer = page.locator("#stage").bounding_box(), page.locator(".viewer").bounding_box()
    assert stage["height"] > 0.37 * size["height"]
    assert viewer["height"] < size["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_lists_scroll_within_the_page_and_keep_their_heads(page: Page) -> None:
    listed = page.locator("#contours .long")
    assert listed.bounding_box()["height"] < 0.5 * page.viewport_size["height"]
    assert listed.evaluate("(one) => one.scrollHeight > 2 * one.clientHeight")
    listed.evaluate("(one) => one.scrollTo(9999, 9999)")
    top, head = listed.bounding_box(), listed.locator("thead th").first.bounding_box()
    assert (head["x"], head["y"]) == pytest.approx(
        (top["x"], top["y"]), abs=1
    )  # the number of the contour, too


def test_the_image_stays_in_view_above_the_lists(page: Page) -> None:
    page.locator("#contours").scroll_into_view_if_needed()
    page.locator(".contours tbody tr").nth(19).focus()
    settle(page)
    stage = page.locator("#stage").bounding_box()
    assert stage["y"] >= 0
    assert stage["y"] + stage["height"] <= page.viewport_size["height"]
    assert page.locator(".over .network.highlighted").count() == 1
    row = page.locator(".contours tbody tr").nth(19).bounding_box()
    covering = page.evaluate(
        "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.contours'))",
        [row["x"] + 5, row["y"] + row["height"] / 2],
    )
    assert covering  # nothing lies over the row in focus


def boxes(page: Page) -> list[dict[str, float]]:
    """The boxes of the numbers of contours that are shown."""
    return page.locator(".over .label.network:not(.is-covered)").evaluate_all(
        "(all) => all.map((one) => { const b = one.getBoundingClientRect(); return { x: b.x, y: b.y }; })"
    )


def test_numbers_of_contours_do_not_cover_each_other_and_come_with_the_zoom(page: Page) -> None:
    contours, before = page.locator(".over path.network").count(), boxes(page)
    assert 5 < len(before) <= contours
    places = np.array([(box["x"], box["y"]) for box in before])
    apart = np.abs(places[:, None] - places[None])
    near = (apart[..., 0] < 15) & (apart[..., 1] < 10)
    assert near.sum() == len(before)  # each is near itself alone
    for _ in range(8):
        page.keyboard.press("+")
    settle(page)
    assert len(boxes(page)) == contours


def test_the_number_of_a_pointed_contour_is_always_shown(page: Page) -> None:
    covered = page.locator(".over .label.network.is-covered")
    if not covered.count():
        page.keyboard.press("t")
        settle(page)
    number = covered.first.text_content()
    chosen = page.locator(".over .label.network.is-chosen:not(.is-covered)")
    for _ in range(TRIES):  # the list is drawn anew while maps are still loaded, which takes the focus
        page.locator(".contours tbody tr").nth(int(number) - 1).focus()
        settle(page)
        if chosen.count():
            break
        page.wait_for_timeout(PAUSE)
        page.evaluate("document.activeElement.blur()")
    assert chosen.first.text_content() == number


def test_frames_are_gone_through_while_everything_is_shown(page: Page) -> None:
    assert page.locator("#frame-words").inner_text() == f"1 of {FRAMES}"
    page.fill("#frame-slider", str(FRAMES - 1))
    page.wait_for_selector("#name:text('frame 12')")
    assert page.locator("#frame-words").inner_text() == f"{FRAMES} of {FRAMES}"
    assert page.locator("#frames").is_visible()


def test_axe_finds_nothing_in_long_lists(page: Page) -> None:
    assert violations(page) == []
