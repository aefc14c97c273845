"""A run without annotations: pages offer no answer about annotations, and no list of scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.records import FinishedCase
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import FINDINGS, make_run
from tests.reporting.written import write_report


def without_annotations(case: FinishedCase) -> FinishedCase:
    return replace(case, references=(), scores=(), candidates=(), labels=dict.fromkeys(FINDINGS))


@pytest.fixture(scope="module")
def unscored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(
        tmp_path_factory.mktemp("unscored") / "run", cases=9, shape=(180, 240), vary=without_annotations
    )
    write_report(run)
    return run


def test_the_first_screen_shows_pictures_with_contours(unscored: Path, opened: Opened) -> None:
    page, opened.folder = opened.page, unscored
    page.goto((unscored / "index.html").as_uri())
    settle(page)
    first = page.locator(".verdicts .example").first
    assert first.locator(".line.network").count() == 1
    box = first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 800


def test_no_answer_is_about_annotations_and_no_list_is_about_scores(unscored: Path, opened: Opened) -> None:
    page, opened.folder = opened.page, unscored
    page.goto((unscored / "index.html").as_uri())
    page.locator(".verdicts .example").first.click()
    page.wait_for_selector("#case[data-drawn]")
    page.keyboard.press("j")
    settle(page)
    offered = page.locator("#subjects .answers button").all_inner_texts()
    assert offered == ["agree", "network wrong", "unsure"]
    page.keyboard.press("d")
    settle(page)
    assert "no annotation that could be wrong" in page.locator("#review-state").inner_text()
    assert page.locator("#subjects .is-current .answer").inner_text() == "open"
    assert page.locator("#scores-title").is_hidden()
    assert page.locator("#scores").is_hidden()
    page.keyboard.press("?")
    settle(page)
    assert "annotation (drawing) wrong" not in page.locator("#keys").inner_text()
