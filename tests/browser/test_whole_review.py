"""A whole review: two reviewers answer every question by keys, export, and are merged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from pipeline.review.results import review
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

MOST = 20
"""Rows of the list, so that a review that goes in circles ends."""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("fresh") / "run", cases=9, shape=(180, 240))
    write_report(run)
    return run


def answer_all(page: Page, answer: str) -> None:
    """From the worklist's open questions through all of their cases, first to last."""
    page.select_option("[name=reviewed]", "0")
    page.locator("#worklist tbody a").first.click()
    for _ in range(MOST):
        page.wait_for_selector("#case[data-drawn]")
        for _ in range(page.locator("#subjects .answer-null").count() + 1):
            if page.locator("#subjects .answer-null").count():
                for key in answer:
                    page.keyboard.press(key)
                    settle(page)
        assert page.locator("#subjects .answer-null").count() == 0
        if page.locator("#next").get_attribute("href") is None:
            return
        before = page.url
        page.keyboard.press("n")
        page.wait_for_url(lambda url, before=before: url != before)
        settle(page)


def exported(browser: Browser, run: Path, name: str, answer: str, folder: Path) -> Path:
    """What a reviewer hands in, who has a browser of their own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = Opened(context.new_page())
    opened.folder = run
    page = opened.page
    page.goto((run / "index.html").as_uri())
    page.wait_for_selector("#filters:not([hidden])")
    answer_all(page, answer)
    page.goto((run / "index.html").as_uri())
    assert page.locator("#review-done").inner_text() == (
        "16 of 16 contours and missed lesions; nothing open; 16 changes not exported"
    )
    page.fill("#reviewer", name)
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.click("#export")
    assert download.value.suggested_filename == f"decisions-phantom-0123abcd-{name}.json"
    path = folder / f"{name}.json"
    download.value.save_as(path)
    context.close()
    assert opened.complaints == []
    return path


def test_what_two_reviewers_export_is_merged(browser: Browser, fresh: Path, tmp_path: Path) -> None:
    files = [exported(browser, fresh, *who, tmp_path) for who in (("Ann", "x"), ("Bob", "dd"))]
    result = review(fresh, files)
    assert result.reviewers == ("Ann", "Bob")
    assert len(result.reviewed) == len(result.disputed) == 16
    answers = {name: {e.by_reviewer[name].answer for e in result.reviewed} for name in result.reviewers}
    assert answers == {"Ann": {"network_wrong"}, "Bob": {"annotation_wrong"}}
    assert result.agreements[0].interval.estimate == pytest.approx(-1.0)


def as_frames(case: Any) -> Any:
    """All are frames of one object."""
    return replace(case, object_id="object-1", frame=int(case.case_id[:4], 16))


def test_questions_follow_the_frame_that_is_shown(opened: Opened, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=2, shape=(180, 240), vary=as_frames)
    write_report(run)
    page = opened.case(run, 0)
    page.keyboard.press("j")
    page.keyboard.press("y")
    settle(page)
    page.keyboard.press("]")
    page.wait_for_selector("#name:text('0001c0ffee, frame 2')")
    settle(page)
    assert page.locator("#subjects .is-current").count() == 0
    assert "missed lesion" in page.locator("#subjects .plain-button").first.inner_text()
    page.keyboard.press("j")
    page.keyboard.press("u")
    settle(page)
    kept = page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('heatproof review '))")
    assert sorted(name.split(" ")[-1] for name in kept) == ["0000c0ffee", "0001c0ffee"]
