"""Review: answers by key, kept in the browser, counted, and handed out as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from pipeline.reporting.run_folder import read_run
from pipeline.reporting.subjects import results_sha256, subjects
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import HOSTILE

MISSED = 1
"""The case whose malignant finding two readers drew and the network did not."""
HIT = 3


def wanted(run: Path, number: int) -> list[Any]:
    folder = read_run(run)
    return subjects(folder.case(folder.case_ids[number]), folder.findings, folder.network)


def lines(page: Page) -> list[tuple[str, str]]:
    return [
        (item.locator(".plain-button").inner_text(), item.locator(".answer").inner_text())
        for item in page.locator("#subjects > li").all()
    ]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        settle(page)


def exported(page: Page, button: str) -> dict[str, Any]:
    with page.expect_download() as download:
        page.click(button)
    content: dict[str, Any] = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    return content


def test_the_pages_ask_about_what_the_pipeline_lists(opened: Opened, run: Path) -> None:
    total = 0
    for number in range(9):
        page = opened.case(run, number)
        asked = page.evaluate(
            "heatproof.subjects.list(heatproof.given('../run.js')[0], heatproof.given('case.js')[0])"
        )
        listed = wanted(run, number)
        assert asked == [entry._asdict() for entry in listed]
        assert len(lines(page)) == len(listed)
        total += len(listed)
    assert page.locator("#review-progress").inner_text() == "nothing to review in this image"
    opened.case(run, MISSED)
    assert page.locator("#review-progress").inner_text() == f"0 of 2 here, 0 of {total} in the run"


def test_a_case_is_reviewed_by_keys_alone(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    assert lines(page) == [
        ("malignant: missed lesion 1, Reader A", "open"),
        ("malignant: missed lesion 1, Reader B", "open"),
    ]
    press(page, "j", "x")
    assert page.locator(".is-current .plain-button").inner_text() == "malignant: missed lesion 1, Reader B"
    press(page, "e")
    page.keyboard.type("tu")
    press(page, "Escape", "d")
    assert [answer for _, answer in lines(page)] == ["network wrong", "annotation wrong"]
    assert page.locator("#comment").input_value() == "tu"
    assert page.locator("#review-progress").inner_text() == "2 of 2 here, 2 of 14 in the run"


def test_a_key_after_the_last_answer_changes_nothing_until_one_is_chosen_to_change(
    opened: Opened, run: Path
) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "d")
    assert "N: next case" in page.locator("#review-state").inner_text()
    press(page, "u")
    assert [answer for _, answer in lines(page)] == ["network wrong", "annotation wrong"]
    press(page, "j", "y")
    assert [answer for _, answer in lines(page)] == ["agree", "annotation wrong"]
    press(page, "Shift+J", "u")
    assert [answer for _, answer in lines(page)] == ["agree", "unsure"]


def test_an_answer_can_be_taken_back(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "d", "Backspace")
    assert [answer for _, answer in lines(page)] == ["network wrong", "open"]
    page.click("#subjects .plain-button >> nth=0")
    page.click("[data-answer=network_wrong]")
    assert [answer for _, answer in lines(page)] == ["open", "open"]


def test_decisions_outlive_the_page_and_show_on_the_overview(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "y", "y", "u")  # the first chooses what is asked
    opened.case(run, HIT)
    assert page.locator("#review-progress").inner_text().endswith("2 of 14 in the run")
    page.goto((run / "index.html").as_uri())
    assert page.locator("#review-done").inner_text() == "2 of 14 contours and missed lesions"
    opened.case(run, MISSED)
    assert [answer for _, answer in lines(page)] == ["agree", "unsure"]


def test_whoever_reviews_is_led_to_the_next_cases_first_question(opened: Opened, run: Path) -> None:
    page = opened.case(run, 0)
    settle(page)
    assert page.locator("#subjects .is-current").count() == 0
    press(page, "j")
    opened.case(run, MISSED)
    page.wait_for_selector("#subjects .is-current")
    press(page, "Escape")
    opened.case(run, HIT)
    settle(page)
    assert page.locator("#subjects .is-current").count() == 0


def test_what_is_asked_about_is_marked_in_the_image(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    assert page.locator("path.marked").count() == 0
    press(page, "j")
    box = json.loads((run / "cases/0001c0ffee/case.json").read_text())["references"][3]["boxes"][0]
    path = page.locator("path.marked").get_attribute("d")
    left, top = (float(part) for part in path[1 : path.index("h")].split())
    margin = 0.15 * max(box[2:])
    assert left == pytest.approx(box[0] - margin, abs=0.6)
    assert top == pytest.approx(box[1] - margin, abs=0.6)
    opened.case(run, HIT)
    page.wait_for_selector("path.network.highlighted", state="attached")


def test_decisions_are_exported_under_the_reviewers_name(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "d")
    page.click("[data-does=save]")
    assert page.locator("#review-state").inner_text() == "Say first who reviews."
    page.fill("#reviewer", HOSTILE)
    page.keyboard.press("Tab")
    file = exported(page, "[data-does=save]")
    assert (file["run_id"], file["results_sha256"]) == ("phantom-0123abcd", results_sha256(run))
    assert file["reviewer"] == HOSTILE
    assert [(d["by"], d["answer"]) for d in file["decisions"]] == [
        ("Reader A", "network_wrong"),
        ("Reader B", "annotation_wrong"),
    ]
    assert {d["case_id"] for d in file["decisions"]} == {"0001c0ffee"}
    page.goto((run / "index.html").as_uri())
    again = exported(page, "#export")
    assert again["decisions"] == file["decisions"]


def test_a_file_is_taken_up_where_it_is_about_this_run(opened: Opened, run: Path, tmp_path: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "d")
    page.fill("#reviewer", "Ann")
    page.keyboard.press("Tab")
    file = exported(page, "[data-does=save]")
    page.evaluate("localStorage.clear()")
    page.goto((run / "index.html").as_uri())
    path = tmp_path / "decisions.json"
    for change, answer in (
        ({"run_id": "other-1"}, "These decisions are about another run, other-1."),
        (
            {"results_sha256": "0" * 64},
            "These decisions are about another version of this run: its contours or scores have changed.",
        ),
        ({"format": "else"}, "This is no file of decisions."),
        ({}, "Took up 2 decisions."),
    ):
        path.write_text(json.dumps(file | change), encoding="utf-8")
        page.set_input_files("#decisions-file", [])
        page.set_input_files("#decisions-file", path)
        page.wait_for_selector(f"#review-state:text-is('{answer}')")
    assert page.locator("#review-done").inner_text() == "2 of 14 contours and missed lesions"
