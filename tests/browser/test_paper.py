"""A case page on paper: one page, without its controls, the image with its contours in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

PAGES = re.compile(rb"/Type\s*/Page\b(?!s)")
SHAPES = {"landscape": (120, 240), "portrait": (240, 120)}
CONTROLS = ("button:not(.plain-button)", "select", "input", "textarea", ".bar-links", "dialog", "#stage")
MANY = """(count) => {
  const rows = document.querySelector("#contours tbody");
  for (let i = 0; i < count; i += 1) rows.append(rows.rows[0].cloneNode(true));
}"""


@pytest.fixture(scope="module", params=SHAPES)
def shaped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_run(tmp_path_factory.mktemp("run"), cases=3, shape=SHAPES[request.param])
    write_report(folder)
    return folder


@pytest.fixture
def page(browser: Browser, shaped: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    yield Opened(context.new_page()).case(shaped, 0)
    context.close()


def pages_of(page: Page, path: Path, **options: str) -> int:
    page.pdf(path=path, **{"format": "A4"} | options)
    return len(PAGES.findall(path.read_bytes()))


def test_a_case_is_printed_on_one_page(page: Page, tmp_path: Path) -> None:
    assert pages_of(page, tmp_path / "a4.pdf") == 1
    assert pages_of(page, tmp_path / "letter.pdf", format="Letter") == 1
    page.keyboard.press("s")
    settle(page)
    assert pages_of(page, tmp_path / "beside.pdf") == 1


def test_paper_holds_no_controls_and_says_what_it_shows(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for selector in CONTROLS:
        assert not [one for one in page.locator(selector).all() if one.is_visible()], selector
    text = page.locator("#paper").inner_text()
    assert "0000c0ffee, benign: probability" in text
    assert "Run phantom-0123abcd" in text
    assert "reader: Reader A" in text
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("#paper").count() == 0
    assert page.locator("#stage").is_visible()
    assert page.locator("main").get_attribute("style") in {None, ""}


def test_contours_lie_over_the_image_in_its_own_shape(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    pixels, lines = (
        page.locator(f"#paper {name}").bounding_box() for name in ("canvas", ".paper-picture > svg")
    )
    assert pixels == lines
    rows, columns = page.evaluate(
        "heatproof.stage.shown().map(({ content }) => [content.image.rows, content.image.columns])[0]"
    )
    assert pixels["width"] / pixels["height"] == pytest.approx(columns / rows, rel=0.02)


def test_a_long_list_is_shortened_and_says_so(page: Page, tmp_path: Path) -> None:
    page.evaluate(MANY, 300)
    assert pages_of(page, tmp_path / "long.pdf") == 1
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    (words,) = page.locator("#contours .paper-more").all_inner_texts()
    shown = page.locator("#contours tbody tr:not(.off-paper):not(.paper-more)").count()
    hidden = page.locator("#contours tbody tr.off-paper").count()
    assert words == f"… and {hidden} more on the page"
    assert shown + hidden == page.locator("#contours tbody tr:not(.paper-more)").count() > 300
