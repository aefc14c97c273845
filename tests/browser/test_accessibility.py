"""Accessibility: what axe-core finds, and that everything is there without a mouse."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.opened import Opened, settle
from tests.reporting.written import write_single_file

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[tuple[str, list[Any]]]:
    page.evaluate(AXE)
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
    return [(entry["id"], [node["target"] for node in entry["nodes"]]) for entry in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 820, 390])
def test_axe_finds_nothing_on_a_case_page(browser: Browser, run: Path, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = Opened(context.new_page()).case(run, 0)
    assert violations(page) == []
    for keys in ("s.", "tq", "tb"):
        for key in keys:
            page.keyboard.press(key)
        settle(page)
        assert violations(page) == [], keys
    page.keyboard.press("?")
    assert violations(page) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_a_case_is_reviewed(browser: Browser, run: Path, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = Opened(context.new_page()).case(run, 1)
    for key in ("j", "x", "e"):
        page.keyboard.press(key)
        settle(page)
        assert violations(page) == []
    page.keyboard.press("Escape")
    for key in ("d", "j", "u", "y"):
        page.keyboard.press(key)
        settle(page)
    assert violations(page) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 820, 390])
def test_axe_finds_nothing_on_the_overview(browser: Browser, run: Path, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto((run / "index.html").as_uri())
    page.wait_for_selector("#filters:not([hidden])")
    assert violations(page) == []
    page.click("[data-key=iou] button")
    page.focus("#worklist-host")
    page.keyboard.press("ArrowDown")
    settle(page)
    assert violations(page) == []
    page.fill("[name=text]", "nobody")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page_of_a_review(browser: Browser, reviewed: Path, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(reviewed.as_uri())
    assert violations(page) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_single_file(browser: Browser, run: Path, tmp_path: Path, scheme: Any) -> None:
    write_single_file(run, tmp_path / "one.html", cases=["0001c0ffee"])
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto((tmp_path / "one.html").as_uri())
    page.wait_for_selector("#filters:not([hidden])")
    assert violations(page) == []
    page.click("#worklist a[href]")
    page.wait_for_selector("#case[data-drawn]")
    assert violations(page) == []
    context.close()


IN_FOCUS = """() => {
  const { id, dataset } = document.activeElement;
  return id || dataset.does || dataset.layer || "";
}"""


def test_the_tab_key_reaches_every_control(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(IN_FOCUS))
    assert reached >= {
        *("next", "finding", "method", "windowing", "invert", "beside", "fit", "reset", "help", "stage"),
        *("preset", "maps", "ruler", "lens", "fullScreen"),
        *("heatmap", "network", "reader Reader A", "reader Reader B", "opacity", "colours", "cells"),
        *("rule", "threshold", "threshold-number"),
    }


def test_what_is_in_focus_is_seen(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    page.keyboard.press("Tab")
    for selector in ("#stage", "[data-does=invert]", "#threshold", ".contours tbody tr", "#next"):
        page.focus(selector)
        page.keyboard.press("Shift")  # a key, so that the browser takes the focus for the keyboard's
        style = page.locator(selector).evaluate("(one) => getComputedStyle(one).outlineStyle")
        assert style == "solid", selector


def test_single_keys_can_be_switched_off_and_stay_off(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    page.keyboard.press("?")
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    settle(page)
    inverted = page.locator("[data-does=invert]")
    assert inverted.get_attribute("aria-pressed") == "false"
    page = opened.case(run, 1)
    page.keyboard.press("i")
    settle(page)
    assert inverted.get_attribute("aria-pressed") == "false"
    page.click("[data-does=help]")
    page.check("#keys-on")
    page.click("#help [data-does=help]")
    page.keyboard.press("i")
    settle(page)
    assert inverted.get_attribute("aria-pressed") == "true"


def test_fields_keep_their_own_keys(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    page.focus("#threshold-number")
    page.keyboard.press("i")
    page.keyboard.press(".")
    settle(page)
    assert page.locator("[data-does=invert]").get_attribute("aria-pressed") == "false"
    assert page.locator("#threshold-state").inner_text() == "as audited"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1180, 820), (820, 1180)])
def test_nothing_is_wider_than_the_window(browser: Browser, run: Path, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    page = Opened(context.new_page()).case(run, 0)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    box = page.locator("#stage").bounding_box()
    assert box["width"] > 0.55 * width
    assert box["height"] > 0.45 * height
    context.close()
