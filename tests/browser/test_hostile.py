"""Text that means no good, in every field that a study or a reviewer fills: it shows, and runs nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from pipeline.review.results import review
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import HOSTILE, make_run
from tests.reporting.written import write_report, write_single_file
from tests.review.test_results import agree, by_turns, decided

ENDING = "</script><img src=x onerror=alert(1)><!--"
"""What ends a block of data, and starts a comment."""
NAMES = {"benign": f"nodule {ENDING}", "Reader A": f"A {HOSTILE}"}
PRESENT = "0003c0ffee"


def with_hostile_words(case: Any) -> Any:
    attributes = {name: f"{name} {ENDING}" for name in ("modality", "view", "sex", "manufacturer", "model")}
    return replace(case, attributes=attributes if case.case_id == PRESENT else {"sex": "F"})


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose findings, readers, attributes and title are hostile, and a review of it."""
    run = make_run(tmp_path_factory.mktemp("hostile") / "run", cases=6, vary=with_hostile_words)
    paths = [*run.glob("*.json"), *run.glob("*.csv"), *run.glob("cases/*/case.js*")]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for name, instead in NAMES.items():
            escaped = json.dumps(instead)[1:-1]
            if path.suffix == ".csv":  # whole cells, quoted
                text = text.replace(f",{name},", f',"{instead.replace(chr(34), chr(34) * 2)}",')
                text = text.replace(f"\n{name},", f'\n"{instead.replace(chr(34), chr(34) * 2)}",')
            else:
                text = text.replace(f'"{name}"', f'"{escaped}"')
        path.write_text(text, encoding="utf-8")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps(manifest | {"title": ENDING}), encoding="utf-8")
    write_report(run)
    review(run, [decided(run, HOSTILE, by_turns, comment=ENDING), decided(run, ENDING, agree)])
    return run


@pytest.fixture
def page(opened: Opened, hostile: Path) -> Page:
    opened.folder = hostile.parent
    opened.page.on("dialog", lambda dialog: opened.complaints.append(f"dialog: {dialog.message}"))
    return opened.page


def nothing_was_made_of_it(page: Page) -> None:
    assert page.locator("img[src=x]").count() == 0
    assert (
        page.locator("script:not([src]):not([data-address])").count()
        == page.locator("#page ~ script:not([data-address])").count()
    )


def test_the_overview_shows_it_as_text(page: Page, hostile: Path) -> None:
    page.goto((hostile / "index.html").as_uri())
    page.wait_for_selector("#filters:not([hidden])")
    assert ENDING in page.title()
    page.select_option("[name=finding]", label=NAMES["benign"])
    page.click("#technical-filters summary")
    page.select_option("[name=attribute-4]", label=f"model {ENDING}")
    row = page.locator("#worklist tbody tr:not(.spacer)")
    assert row.count() == 1
    assert row.locator(".finding").inner_text() == NAMES["benign"]
    nothing_was_made_of_it(page)
    row.locator("a").click()
    page.wait_for_selector("#case[data-drawn]")
    assert page.locator("#finding-name").inner_text() == NAMES["benign"]


def test_a_case_and_its_review_show_it_as_text(page: Page, hostile: Path) -> None:
    page.goto((hostile / "cases" / PRESENT / "index.html").as_uri())
    page.wait_for_selector("#case[data-drawn]")
    page.keyboard.press("j")
    settle(page)
    assert NAMES["benign"] in page.locator("#subjects .plain-button").first.inner_text()
    page.fill("#comment", ENDING)
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.keyboard.press("Escape")
    settle(page)
    assert page.locator("#subjects .note").inner_text() == ENDING
    assert f"view {ENDING}" in page.locator("#image").inner_text()
    nothing_was_made_of_it(page)


def test_the_page_of_a_review_shows_it_as_text(page: Page, hostile: Path) -> None:
    page.goto((hostile / "review.html").as_uri())
    said = page.locator("main").inner_text()
    assert said.count(ENDING) > 2
    assert HOSTILE in said
    nothing_was_made_of_it(page)


def test_a_single_file_shows_it_as_text(page: Page, hostile: Path) -> None:
    out = hostile.parent / "one.html"
    write_single_file(hostile, out, cases=[PRESENT])
    page.goto(out.as_uri())
    page.wait_for_selector("#filters:not([hidden])")
    nothing_was_made_of_it(page)
    page.locator("#worklist a[href]").first.click()
    page.wait_for_selector("#case[data-drawn]")
    assert page.locator("#finding-name").inner_text() == NAMES["benign"]
    assert f"view {ENDING}" in page.locator("#image").inner_text()
    nothing_was_made_of_it(page)
