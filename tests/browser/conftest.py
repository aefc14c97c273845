"""Chromium over a small synthetic run, opened from its folder as a reader of a report opens it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.review.results import review
from tests.browser.opened import Opened
from tests.reporting.run_folder import HOSTILE, make_run
from tests.reporting.written import write_report
from tests.review.test_results import agree, by_turns, decided, every_other

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 15_000
"""Until something that is waited for counts as missing."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_run(tmp_path_factory.mktemp("run"), cases=9, shape=(180, 240))
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a review by three, one of whom writes what nobody should."""
    folder = make_run(tmp_path_factory.mktemp("reviewed") / "run", cases=9, shape=(180, 240))
    write_report(folder)
    files = [
        decided(folder, "Ann", by_turns),
        decided(folder, HOSTILE, agree, comment=HOSTILE),
        decided(folder, "Cid", every_other),
    ]
    return review(folder, files).page


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """A page that fails its test when anything is complained of, or asked for from outside the folder."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, device_scale_factor=1)
    context.set_default_timeout(PATIENCE_MS)
    page = Opened(context.new_page())
    yield page
    context.close()
    assert page.complaints == []


@pytest.fixture(scope="session")
def workbench(browser: Browser, run: Path) -> Iterator[Page]:
    """A case page whose scripts are called with data of a test's own."""
    context = browser.new_context()
    page = context.new_page()
    page.goto((run / "cases" / "0000c0ffee" / "index.html").as_uri())
    yield page
    context.close()
