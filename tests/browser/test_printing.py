"""The overview on paper: white, without what only a screen needs, and with every row that was listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.opened import Opened


@pytest.fixture
def page(browser: Browser, run: Path) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    opened = Opened(context.new_page())
    opened.folder = run
    opened.page.goto((run / "index.html").as_uri())
    opened.page.wait_for_selector("#filters:not([hidden])")
    return opened.page


def test_paper_is_white_and_holds_no_controls(page: Page) -> None:
    page.emulate_media(media="print")
    style = "(one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]"
    assert page.locator("body").evaluate(style) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    for selector in ("#filters", "#review-bar", ".bar-links", ".skip-link"):
        assert page.locator(selector).is_hidden(), selector
    assert page.locator("h1").is_visible()


def test_all_rows_of_a_short_list_are_printed_and_numbers_keep_their_n(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#worklist tbody:not([aria-hidden])").count() == 9
    host = page.locator("#worklist-host")
    assert host.evaluate("(one) => one.scrollHeight <= one.clientHeight + 1")
    assert page.locator(".numbers .undefined summary").first.is_visible()


def test_the_pages_are_numbered_and_few(page: Page, tmp_path: Path) -> None:
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", (tmp_path / "report.pdf").read_bytes())
    assert 3 <= len(pages) <= 8
