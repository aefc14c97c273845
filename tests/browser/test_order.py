"""Next and previous: in the order in which the worklist was left, else in that of the run."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.browser.opened import Opened, settle

IMAGES = "#worklist tbody:not([aria-hidden])"


def names(page: Page) -> tuple[str, str, str]:
    """This case, its finding, and its place."""
    page.wait_for_selector("#case[data-drawn]")
    return tuple(page.locator(f"#{name}").inner_text() for name in ("name", "finding-name", "place"))


def test_without_a_worklist_cases_follow_each_other_as_in_the_run(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    assert names(page) == ("0000c0ffee", "benign", "1 of 9")
    assert page.locator("#previous").get_attribute("href") is None
    page.keyboard.press("n")
    page.wait_for_selector("#name:text('0001c0ffee')")
    assert names(page) == ("0001c0ffee", "benign", "2 of 9")
    page.click("#previous")
    page.wait_for_selector("#name:text('0000c0ffee')")
    opened.case(run, 8)
    assert page.locator("#next").get_attribute("href") is None
    page.keyboard.press("n")  # leads nowhere
    assert names(page)[0] == "0008c0ffee"


def test_the_worklists_filter_and_order_go_with_the_reader(opened: Opened, run: Path) -> None:
    opened.folder = run
    page = opened.page
    page.goto((run / "index.html").as_uri())
    page.select_option("[name=positive]", "1")
    page.click("[data-key=probability] button")
    page.click("[data-key=probability] button")
    listed = [
        (image.locator("th a").inner_text(), image.locator(".finding").first.inner_text())
        for image in page.locator(IMAGES).all()
    ]
    assert 3 < len(listed) < 9
    page.locator(IMAGES).nth(1).locator("a").click()
    assert names(page) == (*listed[1], f"2 of {len(listed)}")
    for place in range(2, len(listed)):
        before = page.url
        page.keyboard.press("n")
        page.wait_for_url(lambda url, before=before: url != before)
        page.wait_for_selector(f"#place:text-is('{place + 1} of {len(listed)}')")
        assert names(page) == (*listed[place], f"{place + 1} of {len(listed)}")
    assert page.locator("#next").get_attribute("href") is None


def test_a_case_outside_the_filter_stands_among_all_cases(opened: Opened, run: Path) -> None:
    opened.folder = run
    page = opened.page
    page.goto((run / "index.html").as_uri())
    page.fill("[name=text]", "0004")
    page.locator(IMAGES).locator("a").click()
    assert names(page)[2] == "1 of 1"
    page = opened.case(run, 0)
    assert names(page)[2] == "1 of 9"
    assert page.locator("#next").get_attribute("href").startswith("../../cases/0001c0ffee/")


def test_another_finding_of_a_listed_case_keeps_its_place(opened: Opened, run: Path) -> None:
    opened.folder = run
    page = opened.page
    page.goto((run / "index.html").as_uri())
    page.select_option("[name=finding]", label="malignant")
    page.click("[data-key=case] button")
    page.locator(IMAGES).nth(2).locator("a").click()
    assert names(page) == ("0002c0ffee", "malignant", "3 of 9")
    page.keyboard.press("f")
    settle(page)
    assert names(page) == ("0002c0ffee", "benign", "3 of 9")
