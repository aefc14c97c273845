"""Ten thousand images with fourteen findings each: the overview stays fluent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.large_run import make_large_run
from tests.browser.opened import Opened, settle
from tests.reporting.written import write_report

CASES = 10_000
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
        ("finding", "3", None),
        ("outcome", "0", None),
        ("positive", "1", None),
        ("attribute-0", "1", None),
        ("text", "case-00000000000f", 1),
        ("lowest", "0.5", None),
        ("reviewed", "0", None),
    ],
)
def test_a_filter_is_applied_at_once_and_draws_only_the_rows_in_sight(
    page: Page, field: str, value: str, left: int | None
) -> None:
    page.click("button[type=reset]")
    page.wait_for_selector(f"#count:text-is('{CASES:,} of {CASES:,} images')")
    page.evaluate(FILTERED, [field, value])
    found = int(page.locator("#count").inner_text().split(" of ")[0].replace(",", ""))
    assert page.locator("#worklist tbody tr").count() < MOST_ROWS
    assert 0 < found <= CASES
    assert found < CASES or field in {"finding", "positive"}  # which most images have
    assert left is None or found == left


FOCUSED = "(name) => document.activeElement.textContent === name"


def test_only_what_is_in_sight_is_in_the_page_and_the_last_row_can_be_reached(page: Page) -> None:
    page.click("button[type=reset]")
    settle(page)
    page.click("[data-key=case] button")
    page.focus("#worklist-host")
    settle(page)
    page.keyboard.press("End")
    page.wait_for_function(FOCUSED, arg=f"case-{CASES - 1:012x}")
    assert page.locator("#worklist tbody tr").count() < MOST_ROWS
    rows = page.locator("#worklist tbody tr:not(.spacer)")
    count = page.locator("#worklist").get_attribute("aria-rowcount")
    assert int(count) > CASES
    assert rows.last.get_attribute("aria-rowindex") == count
    page.keyboard.press("Home")
    page.wait_for_function(FOCUSED, arg=f"case-{0:012x}")


def test_sorting_by_score_draws_only_the_rows_in_sight(page: Page) -> None:
    page.click("button[type=reset]")
    page.click("[data-key=iou] button")
    assert page.locator("#worklist tbody tr").count() < MOST_ROWS
    assert page.locator("#worklist tbody tr:not(.spacer) td:nth-child(6)").first.inner_text() == "0.00"


MEASURED = """() => {
  const { worklistRows } = heatproof;
  const [cases, width] = [100_000, 14];
  const codes = Array.from({ length: cases * width }, (_, row) => (row % 97 ? "f" : "d"));
  const column = (every) => codes.map((_, row) => (row % every ? "" : row % 10_000)).join();
  const part = {
    cases: Array.from({ length: cases }, (_, image) => `case-${image}`),
    facts: ["PA"], fact: new Array(cases).fill(0).join(), attributes: [],
    outcome: codes.join(""), positive: codes.map(() => 0).join(""),
    probability: column(1), hit: column(97), iou: column(97), box: column(97),
  };
  const shared = {
    findings: Array.from({ length: width }, (_, index) => `finding ${index}`),
    outcomes: new Array(8).fill(["code", "text", "meaning"]), quiet: [5, 6], attributes: [], skipped: [],
  };
  const rows = worklistRows.table(shared, [part], []);
  const asked = { finding: null, outcome: 3, positive: null, reviewed: null, lowest: null, highest: null,
                  text: "9", attributes: [] };
  const start = performance.now();
  const found = worklistRows.filter(rows, asked, () => 0);
  const ordered = worklistRows.order(rows, found, "outcome", false);
  return [rows.cases.length, ordered.length, performance.now() - start];
}"""
SECONDS = 2.0
"""Until a filter of 100,000 images is applied, with room for a busy machine; alone it takes a tenth."""


def test_a_hundred_thousand_images_are_filtered_and_sorted_while_a_reader_types(page: Page) -> None:
    cases, found, milliseconds = page.evaluate(MEASURED)
    assert cases == 100_000
    assert 0 < found < cases
    assert milliseconds < 1000 * SECONDS
