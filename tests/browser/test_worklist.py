"""The worklist: filters, sorting, keys, thumbnails, and what comes back with the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import HOSTILE

ROWS = "#worklist tbody tr:not(.spacer)"


@pytest.fixture
def page(opened: Opened, run: Path) -> Page:
    opened.folder = run
    opened.page.goto((run / "index.html").as_uri())
    opened.page.wait_for_selector("#filters:not([hidden])")
    return opened.page


def listed(page: Page) -> list[tuple[str, str, str]]:
    """Case, finding, outcome of the rows in the page."""
    return [
        (
            row.locator("th").inner_text().split("\n")[0],
            row.locator("td").nth(1).inner_text(),
            row.locator("td").nth(2).inner_text(),
        )
        for row in page.locator(ROWS).all()
    ]


def test_each_filter_leaves_what_it_names(page: Page) -> None:
    page.select_option("[name=finding]", label="malignant")
    assert {finding for _, finding, _ in listed(page)} == {"malignant"}
    page.select_option("[name=outcome]", label="miss (2)")
    assert [case for case, *_ in listed(page)] == ["0004c0ffee", "0007c0ffee"]
    page.fill("[name=text]", "7c0")
    assert [case for case, *_ in listed(page)] == ["0007c0ffee"]
    page.click("button[type=reset]")
    page.wait_for_selector("#count:text-is('21 of 21')")


def test_what_was_skipped_is_listed_without_a_link(page: Page) -> None:
    page.select_option("[name=outcome]", label="skipped: not audited (3)")
    assert listed(page) == [
        ("annotation-1", "", "skipped: not audited"),
        ("file-0", "", "skipped: not audited"),
        ("file-1", "", "skipped: not audited"),
    ]
    assert page.locator(f"{ROWS} a").count() == 0
    assert "no pixels" in page.locator(ROWS).nth(1).inner_text()


def test_a_score_can_be_bounded(page: Page) -> None:
    page.fill("[name=lowest]", "0.5")
    page.fill("[name=highest]", "0.7")
    values = [float(row.locator("td").nth(4).inner_text()) for row in page.locator(ROWS).all()]
    assert values
    assert all(0.5 <= value <= 0.7 for value in values)


def test_attributes_of_hostile_text_can_be_chosen_and_stay_text(page: Page) -> None:
    page.select_option("[name=attribute-0]", label=HOSTILE)
    assert [case for case, *_ in listed(page)] == ["0000c0ffee"] * 2
    assert page.locator(f"{ROWS} .sub").first.inner_text() == HOSTILE


def test_an_empty_result_is_reported(page: Page) -> None:
    page.fill("[name=text]", "nobody")
    assert page.locator("#no-case").is_visible()
    assert page.locator(ROWS).count() == 0


def test_a_heading_sorts_both_ways_and_what_has_no_value_stays_last(page: Page) -> None:
    heading = page.locator("[data-key=iou]")
    for direction in ("ascending", "descending"):
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == direction
        texts = [row.locator("td").nth(4).inner_text() for row in page.locator(ROWS).all()]
        values = [float(text) for text in texts if text]
        assert values == sorted(values, reverse=direction == "descending")
        assert all(texts[: len(values)])


def test_rows_are_reached_and_opened_by_keys_alone(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("c0ffee")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    settle(page)
    assert page.evaluate("document.activeElement.textContent") == "0001c0ffee"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_selector("#case[data-drawn]")
    assert page.locator("#name").inner_text() == "0000c0ffee"
    assert page.locator("#finding-name").inner_text() == "malignant"


def test_the_list_comes_back_as_it_was_left(page: Page) -> None:
    page.select_option("[name=finding]", label="malignant")
    page.click("[data-key=probability] button")
    page.click(f"{ROWS} a")
    page.wait_for_selector("#case[data-drawn]")
    page.click("text=All cases")
    page.wait_for_selector("#count:text-is('9 of 21')")
    assert page.locator("[data-key=probability]").get_attribute("aria-sort") == "ascending"


def test_thumbnails_are_shown(page: Page) -> None:
    page.locator("#worklist-host").scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('#worklist img')].some((one) => one.complete && one.naturalWidth > 0)"
    )


def test_reviewed_rows_can_be_distinguished_from_open_ones(opened: Opened, run: Path, page: Page) -> None:
    case = opened.case(run, 1)
    for key in "jxdd":
        case.keyboard.press(key)
        settle(case)
    page.goto((run / "index.html").as_uri())
    page.select_option("[name=reviewed]", "1")
    assert [entry[:2] for entry in listed(page)] == [("0001c0ffee", "malignant")]
    assert page.locator(ROWS).first.locator("td").last.inner_text() == "2 of 2\ndone"
    page.select_option("[name=reviewed]", "0")
    assert "0001c0ffee" not in {case for case, *_ in listed(page)}
