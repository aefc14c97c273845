"""A report in one file: overview and cases, in a folder of its own, without a request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.opened import Opened, settle
from tests.reporting.written import write_single_file

CASES = ["0003c0ffee", "0001c0ffee"]


@pytest.fixture(scope="module")
def single(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sent") / "report.html"
    write_single_file(run, out, cases=CASES)
    return out


@pytest.fixture
def page(opened: Opened, single: Path) -> Page:
    opened.folder = single  # a request for anything but this file is complained of
    opened.page.goto(single.as_uri())
    opened.page.wait_for_selector("#filters:not([hidden])")
    return opened.page


def open_case(page: Page, case_id: str) -> None:
    page.locator(f"#worklist a:text-is('{case_id}')").first.click()
    page.wait_for_selector("#case[data-drawn]")


def test_the_overview_lists_all_and_leads_to_what_the_file_holds(page: Page) -> None:
    assert page.locator("#count").inner_text() == "9 of 9 images"
    linked = {link.inner_text() for link in page.locator("#worklist a[href]").all()}
    assert linked == set(CASES)
    assert page.locator("#worklist img").count() == 2 * len(CASES)


def test_a_case_is_drawn_with_the_runs_numbers_and_a_live_threshold(page: Page, run: Path) -> None:
    open_case(page, CASES[0])
    content = json.loads((run / "cases" / CASES[0] / "case.json").read_text())
    iou = next(s["value"] for s in content["scores"] if s["metric"] == "iou" and s["method"] == "gradcam")
    shown = page.locator("#live-scores data").first
    assert float(shown.get_attribute("value")) == iou
    page.keyboard.press(".")
    settle(page)
    assert float(shown.get_attribute("value")) != iou
    page.select_option("#method", "location_prior")
    page.wait_for_selector("#live-scores data")


def test_next_previous_and_the_way_back_stay_in_the_file(page: Page) -> None:
    page.select_option("[name=finding]", label="malignant")
    page.click("[data-key=case] button")
    open_case(page, CASES[1])
    assert page.locator("#place").inner_text() == "1 of 2"
    page.keyboard.press("n")
    page.wait_for_selector("#name:text-is('0003c0ffee')")
    assert page.locator("#next").get_attribute("href") is None
    page.click("text=All cases")
    page.wait_for_selector("#count:text-is('9 of 9 images')")
    page.go_back()
    page.wait_for_selector("#name:text-is('0003c0ffee')")


def test_decisions_made_in_the_file_can_be_exported(page: Page) -> None:
    open_case(page, CASES[1])
    for key in "jx":
        page.keyboard.press(key)
        settle(page)
    progress = page.locator("#review-progress").inner_text()
    assert progress == ("1 of 2 open here; in the run 15 open in 8 cases (13 in cases without a page here)")
    page.fill("#reviewer", "Ann")
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.click("[data-does=save]")
    exported = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert [d["case_id"] for d in exported["decisions"]] == [CASES[1]]
    assert len(exported["open"]) == 15
    page.click("#next-open")
    page.wait_for_selector(f"#name:text-is('{CASES[0]}')")
    page.keyboard.press("z")
    settle(page)
    assert page.locator("#review-state").inner_text().startswith(f"Undone: {CASES[1]}, malignant")
