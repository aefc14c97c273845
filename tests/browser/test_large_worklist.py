"""Ten thousand cases with fourteen findings each: the overview stays fluent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.large_run import make_large_run
from tests.browser.opened import Opened, settle
from tests.reporting.written import write_report

CASES = 10_000
ROWS = 14 * CASES
LARGEST = 2_000_000
"""Bytes of a page or of one of its scripts."""
MOST_ROWS = 60
"""Rows in the page at any time: the work of drawing does not grow with the number of cases."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_large_run(tmp_path_factory.mktemp("large") / "run", cases=CASES)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def page(browser: Browser, large: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = Opened(context.new_page())
    opened.folder = large
    opened.page.goto((large / "index.html").as_uri())
    opened.page.wait_for_selector("#filters:not([hidden])")
    yield opened.page
    context.close()
    pictures = [text for text in opened.complaints if "thumbnail.jpg" in text or "ERR_FILE_NOT_FOUND" in text]
    assert opened.complaints == pictures  # the large run has no pictures


def test_no_file_that_the_overview_loads_is_over_two_megabytes(large: Path) -> None:
    files = [large / "index.html", large / "cases" / "run.js", *(large / "static").iterdir()]
    sizes = {path.name: path.stat().st_size for path in files}
    assert max(sizes.values()) < LARGEST, sizes


def test_the_first_page_draws_only_the_rows_in_sight(page: Page) -> None:
    page.reload()
    page.wait_for_selector("#worklist tbody tr:not(.spacer) a[href]")
    assert 0 < page.locator("#worklist tbody tr").count() < MOST_ROWS


FILTERED = """([name, value]) => {
  const form = document.getElementById("filters");
  form.elements[name].value = value;
  form.dispatchEvent(new Event("input"));
}"""


@pytest.mark.parametrize(
    ("field", "value", "left"),
    [
        ("finding", "3", CASES),
        ("outcome", "0", None),
        ("positive", "1", None),
        ("attribute-0", "1", None),
        ("text", "case-00000000000f", 14),
        ("lowest", "0.5", None),
        ("reviewed", "0", None),
    ],
)
def test_a_filter_is_applied_at_once_and_draws_only_the_rows_in_sight(
    page: Page, field: str, value: str, left: int | None
) -> None:
    page.click("button[type=reset]")
    page.wait_for_selector(f"#count:text-is('{ROWS:,} of {ROWS:,}')")
    page.evaluate(FILTERED, [field, value])
    found = int(page.locator("#count").inner_text().split(" of ")[0].replace(",", ""))
    assert page.locator("#worklist tbody tr").count() < MOST_ROWS
    assert 0 < found < ROWS
    assert left is None or found == left


FOCUSED = "(name) => document.activeElement.textContent === name"


def test_only_what_is_in_sight_is_in_the_page_and_the_last_row_can_be_reached(page: Page) -> None:
    page.click("button[type=reset]")
    settle(page)
    page.focus("#worklist-host")
    settle(page)
    page.keyboard.press("End")
    page.wait_for_function(FOCUSED, arg=f"case-{CASES - 1:012x}")
    assert page.locator("#worklist tbody tr").count() < MOST_ROWS
    rows = page.locator("#worklist tbody tr:not(.spacer)")
    assert rows.last.get_attribute("aria-rowindex") == str(ROWS + 1)
    page.keyboard.press("Home")
    page.wait_for_function(FOCUSED, arg=f"case-{0:012x}")


def test_sorting_by_score_draws_only_the_rows_in_sight(page: Page) -> None:
    page.click("button[type=reset]")
    page.click("[data-key=iou] button")
    assert page.locator("#worklist tbody tr").count() < MOST_ROWS
    assert page.locator("#worklist tbody tr:not(.spacer) td:nth-child(6)").first.inner_text() == "0.00"
