"""Browsing: how soon the overview of a report shows its images, and how soon a filter is applied."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

NO_BROWSER = (
    "The browser's times were not measured: install Playwright (pip install playwright) and Chromium, at "
    "/usr/bin/chromium or where CHROMIUM says."
)
PATIENCE_MS = 120_000
DRAWN = "#filters:not([hidden])"
"""What is there once the script has drawn the worklist."""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
SHOWN = """(selector) => new Promise((done) => {
  const look = () => requestAnimationFrame(() => {
    if (!document.querySelector(selector)) return look();
    requestAnimationFrame(() => done(performance.now() / 1000));
  });
  look();
})"""
"""Seconds since the page was opened when what is looked for is painted."""
FILTERED = """([name, value]) => new Promise((done) => {
  const start = performance.now();
  const form = document.getElementById("filters");
  form.elements[name].value = value;
  form.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => requestAnimationFrame(() => done((performance.now() - start) / 1000)));
})"""
"""Seconds until a filter is applied and painted."""
FILTERS = (("finding", "3"), ("outcome", "0"), ("positive", "1"), ("text", "9"), ("lowest", "0.5"))
ROUNDS = 3
"""Of which the least counts: others on the machine only add."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, by what was waited for."""

    of_worklist: Mapping[str, float]
    of_filters: Mapping[str, float]


def browsed(overview: Path) -> Times | None:
    """Times of the overview in Chromium; None where Playwright or Chromium is missing."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  an optional library
    except ModuleNotFoundError:
        return None
    from tests.browser.conftest import CHROMIUM, QUIET  # noqa: PLC0415  which needs Playwright

    if not os.access(CHROMIUM, os.X_OK):
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE_MS)
        opened = [_opened(page, overview) for _ in range(ROUNDS)]
        filtered = {name: min(_filtered(page, name, value) for _ in range(ROUNDS)) for name, value in FILTERS}
        browser.close()
    return Times(
        {
            "overview, first paint": min(paint for paint, _ in opened),
            "overview, first rows of the worklist": min(rows for _, rows in opened),
        },
        {f"filter by {name}": took for name, took in filtered.items()},
    )


def _opened(page: Page, overview: Path) -> tuple[float, float]:
    """Seconds until the first paint, and until the first rows are painted."""
    page.goto(overview.as_uri(), wait_until="commit")
    shown: float = page.evaluate(SHOWN, DRAWN)
    painted: float = page.evaluate(PAINTED)
    return painted, shown


def _filtered(page: Page, name: str, value: str) -> float:
    page.click("button[type=reset]")
    page.evaluate(SHOWN, DRAWN)
    took: float = page.evaluate(FILTERED, [name, value])
    return took
