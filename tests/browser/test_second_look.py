"""Second look and timing: disputed questions are listed, answered beside the first answer, and timed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from pipeline.review.results import review
from tests.browser.opened import Opened, settle
from tests.browser.test_accessibility import violations
from tests.browser.test_review import MISSED, exported, named, press, said
from tests.browser.test_worklist import IMAGES
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report
from tests.review.test_results import agree, decided

STORED = "heatproof.decisions.current(heatproof.given('../run.js')[0]).ofCase('0001c0ffee')"


def differing(_number: int, case_id: str, subject: Any) -> str:
    return "network_wrong" if (case_id, subject.by) == ("0001c0ffee", "Reader A") else "agree"


@pytest.fixture(scope="module")
def contested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which Ann and Bob answer one question differently."""
    run = make_run(tmp_path_factory.mktemp("contested") / "run", cases=9, shape=(180, 240))
    write_report(run)
    review(run, [decided(run, "Ann", agree), decided(run, "Bob", differing)])
    return run


def of_bob(opened: Opened, run: Path) -> Any:
    page = opened.case(run, MISSED)
    named(page, "Bob")
    press(page, "Escape", "j", "x", "y")  # his first answers, as in his file
    return page


def test_a_second_answer_stands_beside_the_first_one(opened: Opened, contested: Path) -> None:
    page = of_bob(opened, contested)
    press(page, "j", "Shift+J", "Shift+J")
    item = page.locator("#subjects > li").first
    assert "Your first answer stays" in item.inner_text()
    assert "second look: open" in item.inner_text()
    press(page, "y")
    assert "network wrong\nsecond look: agree" in item.inner_text()
    press(page, "u")  # neither the first nor the second answer is replaced
    assert said(page).startswith("Already answered: agree")
    entry = page.evaluate(STORED)['["lesion","malignant","Reader A",1]']
    assert (entry["answer"], entry["second_answer"]) == ("network_wrong", "agree")
    file = exported(page, "[data-does=save]")
    (first,) = [d for d in file["decisions"] if d["by"] == "Reader A"]
    assert (first["answer"], first["second"]["answer"]) == ("network_wrong", "agree")
    assert first["seconds"] >= 0
    assert [d["second"] for d in file["decisions"] if d["by"] == "Reader B"] == [None]
    press(page, "z")
    assert "second look, agree → open" in said(page)
    assert page.evaluate(STORED)['["lesion","malignant","Reader A",1]']["answer"] == "network_wrong"


def test_what_is_disputed_has_a_filter_and_a_link_and_is_counted(opened: Opened, contested: Path) -> None:
    page = of_bob(opened, contested)
    page.goto((contested / "review.html").as_uri())
    page.click("text=Only these in the list of cases")
    page.wait_for_selector("#filters:not([hidden])")
    assert page.locator("[name=reviewed]").input_value() == "2"
    assert page.locator(IMAGES).count() == 1
    assert "second look: 0 of 1 disputed" in page.locator("#review-done").inner_text()
    others = page.locator("#review-others").inner_text()
    assert "In the last merge: Ann (16 of 16), Bob (16 of 16)." in others
    page.click(f"{IMAGES} a")
    page.wait_for_selector("#case[data-drawn]")
    assert page.locator("#name").inner_text() == "0001c0ffee"


def test_several_reviewers_of_one_browser_have_their_progress(opened: Opened, contested: Path) -> None:
    page = of_bob(opened, contested)
    named(page, "Cid")
    page.goto((contested / "index.html").as_uri())
    settle(page)
    assert "answers of Bob (2 of 16)" in page.locator("#review-others").inner_text()


def test_pauses_count_for_a_minute_at_most(opened: Opened, contested: Path) -> None:
    page = opened.page
    page.clock.install()
    opened.case(contested, MISSED)
    page.clock.fast_forward(5_000)
    page.keyboard.press("j")
    page.clock.fast_forward(10_000)
    page.keyboard.press("x")
    page.clock.fast_forward(3_600_000)  # an hour away from the desk
    page.keyboard.press("u")
    page.clock.run_for(500)
    seconds = [entry["seconds"] for entry in page.evaluate(STORED).values()]
    assert seconds[0] == pytest.approx(15, abs=2)
    assert seconds[1] == pytest.approx(60, abs=2)


def test_axe_finds_nothing_at_a_second_look(browser: Browser, contested: Path) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page = of_bob(Opened(context.new_page()), contested)
        press(page, "Shift+J")
        assert violations(page) == []
        page.goto((contested / "review.html").as_uri())
        assert violations(page) == []
        context.close()


def test_an_import_brings_second_answers_and_replaces_none(
    opened: Opened, contested: Path, tmp_path: Path
) -> None:
    page = of_bob(opened, contested)
    press(page, "j", "Shift+J", "Shift+J", "y")
    file = exported(page, "[data-does=save]")
    page.evaluate("localStorage.clear()")
    page.goto((contested / "index.html").as_uri())
    path = tmp_path / "bob.json"
    for answer, kept in (("agree", "Imported 2 decisions of Bob."), ("unsure", "1 differ from what is here")):
        file["decisions"][0]["second"]["answer"] = answer
        path.write_text(json.dumps(file), encoding="utf-8")
        page.set_input_files("#decisions-file", [])
        page.set_input_files("#decisions-file", path)
        page.wait_for_selector(f"#review-state:has-text('{kept}')")
    opened.case(contested, MISSED)
    assert page.evaluate(STORED)['["lesion","malignant","Reader A",1]']["second_answer"] == "agree"
