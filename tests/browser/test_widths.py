"""Phones and tablets: what is looked at stands on the first screen, and what goes on at a side says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.browser.opened import Opened, settle
from tests.browser.test_blind import begun, make_blind
from tests.comparison.test_compare import compared, run_of

PHONE = (390, 844)


def opened_at(browser: Browser, width: int, height: int) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": width, "height": height})
    yield Opened(context.new_page())
    context.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Opened]:
    yield from opened_at(browser, *PHONE)


def box_of(one: Locator) -> Any:
    box = one.bounding_box()
    assert box is not None
    return box


def test_a_phone_shows_the_whole_image_of_a_case_first(phone: Opened, run: Path) -> None:
    page = phone.case(run, 0)
    stage = box_of(page.locator("#stage"))
    assert stage["y"] < 0.25 * PHONE[1]
    assert stage["height"] > 0.45 * PHONE[1]
    assert stage["y"] + stage["height"] < PHONE[1]
    assert stage["width"] > 0.9 * PHONE[0]


def test_the_tools_of_a_phone_are_one_row_that_scrolls_and_says_so(phone: Opened, run: Path) -> None:
    page = phone.case(run, 0)
    tools = page.locator(".tools:not(.of-page)")
    assert box_of(tools)["height"] < 48
    assert tools.evaluate("(one) => one.scrollWidth > one.clientWidth + 20")
    assert shaded(tools) == (False, True)
    last = page.locator("[data-does=reset]")
    last.focus()
    settle(page)
    assert box_of(last)["x"] + box_of(last)["width"] <= PHONE[0]


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blind(tmp_path_factory.mktemp("blind") / "run")


@pytest.mark.parametrize(("width", "height"), [PHONE, (820, 1180)])
def test_image_and_tools_of_a_blind_reading_are_on_one_screen(
    browser: Browser,
    blind: Path,
    width: int,
    height: int,
) -> None:
    for opened in opened_at(browser, width, height):
        page = begun(opened, blind, 0)
        page.evaluate("window.scrollTo(0, 0)")
        settle(page)
        stage = box_of(page.locator("#stage"))
        tools = box_of(page.locator("#reading button").first)
        assert stage["y"] < 200
        assert stage["y"] + stage["height"] < tools["y"]
        assert tools["y"] + tools["height"] < height


@pytest.fixture
def comparison(tmp_path: Path) -> Path:
    first, second = run_of(tmp_path / "a", (0.5, 0.6, 0.7, 0.8)), run_of(tmp_path / "b", (0.4, 0.5, 0.5, 0.8))
    return compared(first, second).index


def test_a_table_that_goes_on_at_a_side_is_shaded_there(phone: Opened, comparison: Path) -> None:
    page, phone.folder = phone.page, comparison.parent
    page.goto(comparison.as_uri())
    settle(page)
    table = page.locator("[aria-label=Differences]")
    assert table.evaluate("(one) => one.scrollWidth > one.clientWidth")
    assert shaded(table) == (False, True)
    head = table.locator("tbody th").first
    before = box_of(head)["x"]
    table.evaluate("(one) => (one.scrollLeft = (one.scrollWidth - one.clientWidth) / 2)")
    settle(page)
    assert shaded(table) == (True, True)
    assert box_of(head)["x"] == pytest.approx(before, abs=1)  # the name of the row stays
    table.evaluate("(one) => (one.scrollLeft = one.scrollWidth)")
    settle(page)
    assert shaded(table) == (True, False)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.reload()
    settle(page)
    assert shaded(table) == (False, False)


def test_no_table_that_fits_is_shaded(browser: Browser, run: Path) -> None:
    """Words for screen readers alone, at the end of a heading, once made tables a pixel too wide."""
    for opened in opened_at(browser, 1920, 1080):
        page, opened.folder = opened.page, run
        page.goto((run / "index.html").as_uri())
        settle(page)
        tables = page.locator(".scroll").all()
        assert len(tables) > 3
        assert [shaded(table) for table in tables] == [(False, False)] * len(tables)


def shaded(table: Locator) -> tuple[bool, bool]:
    """Whether there is a shade at the left, and at the right."""
    shadow = table.evaluate("(one) => getComputedStyle(one).boxShadow")
    parts = [part for part in shadow.split("inset") if "px" in part]
    visible = [part for part in parts if "rgba(0, 0, 0, 0)" not in part and " 0px 0px 0px 0px" not in part]
    return any(" 14px" in part for part in visible), any("-14px" in part for part in visible)


@pytest.mark.parametrize(("width", "height"), [PHONE, (820, 1180), (1280, 800)])
def test_charts_with_intervals_keep_a_third_of_the_width_for_their_axis(
    browser: Browser, run: Path, width: int, height: int
) -> None:
    for opened in opened_at(browser, width, height):
        page, opened.folder = opened.page, run
        page.goto((run / "index.html").as_uri())
        settle(page)
        chart = page.locator(".intervals.full").first
        plot = chart.locator("tbody .plot svg").first
        assert box_of(plot)["width"] > 0.33 * box_of(chart)["width"]
        assert overlaps(page) == []


def overlaps(page: Page) -> Any:
    """Where numbers at an axis stand upon each other."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".intervals.full tfoot svg")].flatMap((axis) => {
          const boxes = [...axis.querySelectorAll(".tick")].map((one) => one.getBoundingClientRect());
          const seen = boxes.filter((box) => box.width);
          return seen.slice(1).filter((box, at) => box.left < seen[at].right).map((box) => box.left);
        })"""
    )


def test_switches_of_layers_are_large_enough_for_a_finger(phone: Opened, run: Path) -> None:
    page = phone.case(run, 0)
    heights = page.locator("#layers label").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 24
    sizes = page.locator("#layers input").evaluate_all("(all) => all.map((one) => one.offsetWidth)")
    assert min(sizes) >= 18
    page.locator("#layers label").first.click()
    settle(page)
    assert not page.locator("#layers input").first.is_checked()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
