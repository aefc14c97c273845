"""Dossier: its pages in Chromium load nothing, fit every width, print in pages, and axe finds nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from pipeline.dossier.write import WHOLE, write_dossier
from tests.browser.opened import Opened
from tests.browser.test_accessibility import violations
from tests.damage.run_folders import make_sound_run


@pytest.fixture(scope="module")
def dossier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dossier")
    return write_dossier(make_sound_run(folder / "run"), folder / "out").index.parent


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("index.html", 1280, "light"),
        ("index.html", 390, "dark"),
        ("chai-model-card.html", 1920, "dark"),
        ("tripod-ai.html", 820, "light"),
    ],
)
def test_axe_finds_nothing_and_nothing_sticks_out(
    browser: Browser, dossier: Path, name: str, width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto((dossier / name).as_uri())
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_pages_apply_their_own_styles_and_ask_for_nothing(opened: Opened, dossier: Path) -> None:
    opened.folder = dossier
    for path in sorted(dossier.glob("*.html")):
        opened.page.goto(path.as_uri())
        assert opened.page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "1240px"
    assert opened.complaints == []


def test_links_to_tables_lead_to_them(opened: Opened, dossier: Path) -> None:
    opened.folder = dossier
    opened.page.goto((dossier / WHOLE).as_uri())
    links = opened.page.locator('a[href^="#table-"]')
    assert links.count() > 0
    links.first.click()
    assert (
        opened.page.evaluate("document.getElementById(location.hash.slice(1)).getBoundingClientRect().top")
        < 800
    )


def test_each_form_starts_on_a_page_of_its_own(opened: Opened, dossier: Path) -> None:
    opened.folder = dossier
    opened.page.goto((dossier / WHOLE).as_uri())
    opened.page.emulate_media(media="print")
    breaks = opened.page.evaluate(
        "[...document.querySelectorAll('section.form')].map((form) => getComputedStyle(form).breakBefore)"
    )
    assert breaks == ["page"] * 7
    assert opened.page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") >= len(breaks)
