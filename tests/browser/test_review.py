"""Review: answers by key, kept in the browser, counted, and handed out as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from pipeline.reporting.run_folder import read_run
from pipeline.reporting.subjects import missed_lesions, results_sha256, subjects
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import HOSTILE

MISSED = 1
"""The case whose malignant finding two readers drew and the network did not."""
HIT = 3


def wanted(run: Path, number: int) -> list[Any]:
    folder = read_run(run)
    case = folder.case(folder.case_ids[number])
    return subjects(case, folder.findings, folder.network, missed_lesions(folder))


def lines(page: Page) -> list[tuple[str, str]]:
    settle(page)
    return [
        (item.locator(".plain-button").inner_text(), item.locator(".answer").inner_text())
        for item in page.locator("#subjects > li").all()
    ]


def answers(page: Page) -> list[str]:
    return [answer for _, answer in lines(page)]


def progress(page: Page) -> str:
    settle(page)
    return page.locator("#review-progress").inner_text()


def said(page: Page) -> str:
    settle(page)
    return page.locator("#review-state").inner_text()


def current(page: Page) -> str:
    settle(page)
    return page.locator(".is-current .plain-button").inner_text()


def named(page: Page, name: str) -> None:
    page.fill("#reviewer", name)
    page.keyboard.press("Tab")
    settle(page)


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
            "heatproof.subjects.list(heatproof.given('../run.js')[0], heatproof.given('case.js')[0].case_id)"
        )
        listed = wanted(run, number)
        assert asked == [entry._asdict() for entry in listed]
        assert len(lines(page)) == len(listed)
        total += len(listed)
    assert progress(page) == f"nothing to review in this image; in the run {total} open in 8 cases"
    opened.case(run, MISSED)
    assert progress(page) == f"2 of 2 open here; in the run {total} open in 8 cases"


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
    press(page, "Escape", "d", "d")
    assert answers(page) == ["network wrong", "annotation wrong"]
    assert page.locator("#comment").input_value() == "tu"
    assert progress(page) == "0 of 2 open here; in the run 14 open in 7 cases"


def test_a_second_key_never_overwrites_an_answer_and_a_hint_says_how_to_change_it(
    opened: Opened, run: Path
) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "u")
    assert "N: next case" in said(page)
    press(page, "y", "d", "d", "j", "d", "d", "Shift+J", "y", "u")
    assert answers(page) == ["network wrong", "unsure"]
    assert said(page) == ("Already answered: network wrong. It stays. To change it, press O or click Change.")
    assert page.locator("[data-answer]").count() == 0  # nothing to click but Change
    press(page, "o", "Escape", "y")
    assert answers(page) == ["network wrong", "unsure"]
    press(page, "o", "y")
    assert answers(page) == ["agree", "unsure"]
    press(page, "u")
    assert answers(page) == ["agree", "unsure"]
    page.click("[data-change]")
    settle(page)
    page.click("[data-answer='']")
    settle(page)
    assert answers(page) == ["open", "unsure"]


def test_j_stops_at_the_last_question_and_shift_j_at_the_first(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "y", "u", "j", "j")
    assert current(page).endswith("Reader B")
    assert said(page).startswith("This is the last one here")
    press(page, "Shift+J", "Shift+J")
    assert current(page).endswith("Reader A")
    assert said(page) == "This is the first one here."


def test_one_stray_key_does_not_call_an_annotation_wrong(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "d")
    assert answers(page) == ["open", "open"]
    assert said(page).startswith("Press D again to confirm")
    press(page, "j", "d")  # about another question
    assert answers(page) == ["open", "open"]
    press(page, "d")
    assert answers(page) == ["open", "annotation wrong"]


def test_a_key_held_down_answers_once(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j")
    for _ in range(3):  # without a release, the second and third are repeats
        page.keyboard.down("y")
        settle(page)
    page.keyboard.up("y")
    assert answers(page) == ["agree", "open"]


def test_answers_are_undone_one_by_one_also_on_other_pages(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    assert page.locator("#undo").is_disabled()
    press(page, "j", "x", "u", "o", "y")
    assert answers(page) == ["network wrong", "agree"]
    opened.case(run, HIT)
    page.wait_for_selector("#subjects .is-current")
    press(page, "u")
    press(page, "z", "Backspace")
    assert answers(page) == ["open"]
    assert said(page) == "Undone: 0001c0ffee, malignant: missed lesion 1, Reader B: agree → unsure."
    page.goto((run / "index.html").as_uri())
    page.click("#undo")
    assert said(page) == "Undone: 0001c0ffee, malignant: missed lesion 1, Reader B: unsure → open."
    opened.case(run, MISSED)
    assert answers(page) == ["network wrong", "open"]
    page.click("#undo")
    assert answers(page) == ["open", "open"]
    press(page, "z")
    assert said(page) == "There is no answer to undo."


def test_a_comment_is_undone_and_does_not_hide_the_answer_before_it(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "Shift+J", "e")
    page.keyboard.type("why")
    press(page, "Escape", "z")
    assert (answers(page)[0], page.locator("#comment").input_value()) == ("network wrong", "")
    press(page, "z")
    assert answers(page) == ["open", "open"]


def test_two_tabs_do_not_overwrite_each_other(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#case[data-drawn]")
    press(page, "j", "x")
    press(other, "j", "e")
    other.keyboard.type("y")
    press(page, "y")  # another question, while the other tab is typing
    other.keyboard.type("ux")
    settle(other)
    assert other.locator("#comment").input_value().endswith("ux")
    press(other, "Escape")
    settle(page)
    assert answers(page) == answers(other) == ["network wrong", "agree"]
    assert (
        other.evaluate(
            "heatproof.decisions.store(heatproof.given('../run.js')[0], '').answer('0001c0ffee', "
            """'["lesion","malignant","Reader A",1]', 'agree')"""
        )
        == "answered"
    )


def test_each_reviewer_has_answers_of_their_own(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x")
    named(page, "Ann")  # takes over what was answered before a name was given
    assert answers(page) == ["network wrong", "open"]
    named(page, "Bob")
    assert answers(page) == ["open", "open"]
    assert said(page) == "Answers of Bob. The answers of Ann stay under that name."
    page.click("#subjects .plain-button >> nth=0")
    page.click("[data-answer=unsure]")
    named(page, "Ann")
    assert answers(page) == ["network wrong", "open"]
    page.reload()
    page.wait_for_selector("#case[data-drawn]")
    assert answers(page) == ["network wrong", "open"]
    page.goto((run / "index.html").as_uri())
    assert (
        page.locator("#review-others").inner_text()
        == "Also stored in this browser: answers of Bob (1 of 16)."
    )
    file = exported(page, "#export")
    assert (file["reviewer"], [d["answer"] for d in file["decisions"]]) == ("Ann", ["network_wrong"])
    named(page, "Bob")
    file = exported(page, "#export")
    assert (file["reviewer"], [d["answer"] for d in file["decisions"]]) == ("Bob", ["unsure"])


def test_answers_that_an_older_version_stored_go_to_the_named_reviewer(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    stored = {'["lesion","malignant","Reader A",1]': {"answer": "unsure", "comment": "", "decided": "2026"}}
    place = f"heatproof review phantom-0123abcd {results_sha256(run)[:16]} 0001c0ffee"
    page.evaluate(
        "([place, stored]) => { localStorage.setItem(place, stored); "
        """localStorage.setItem("heatproof reviewer", '"Ann"'); }""",
        [place, json.dumps(stored)],
    )
    page.reload()
    page.wait_for_selector("#case[data-drawn]")
    assert answers(page) == ["unsure", "open"]
    assert page.evaluate("(place) => localStorage.getItem(place)", place) is None


def test_an_answer_that_cannot_be_stored_is_not_shown_as_given(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j")
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    press(page, "x")
    assert answers(page) == ["open", "open"]
    assert current(page).endswith("Reader A")
    assert said(page).startswith("This browser cannot store this")


def test_an_answer_without_a_name_that_differs_from_the_reviewers_own_stays(
    opened: Opened, run: Path
) -> None:
    page = opened.case(run, MISSED)
    named(page, "Ann")
    press(page, "Escape", "j", "x")
    named(page, "")
    page.click("#subjects .plain-button >> nth=0")
    page.click("[data-answer=unsure]")
    page.click("[data-answer=agree]")
    named(page, "Ann")
    assert answers(page) == ["network wrong", "agree"]
    assert "1 answer without a name differ and stay without one" in said(page)
    named(page, "")
    assert answers(page) == ["unsure", "open"]


def test_decisions_outlive_the_page_and_show_on_the_overview(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "y", "y", "u")  # the first chooses what is asked
    opened.case(run, HIT)
    assert progress(page).endswith("in the run 14 open in 7 cases")
    page.goto((run / "index.html").as_uri())
    assert page.locator("#review-done").inner_text() == (
        "2 of 16 contours and missed lesions; 14 open in 7 cases; 2 changes not exported"
    )
    page.click("#next-open")
    page.wait_for_selector("#name:text('0000c0ffee')")
    page.click("#next-open")
    page.wait_for_selector("#name:text('0002c0ffee')")
    opened.case(run, MISSED)
    assert answers(page) == ["agree", "unsure"]


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
    press(page, "j", "x", "d", "d")
    page.click("[data-does=save]")
    assert page.locator("#review-state").inner_text() == "Enter the name of the reviewer first."
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
    assert len(file["open"]) == 14
    assert "0001c0ffee" not in {entry["case_id"] for entry in file["open"]}
    assert said(page) == (
        f"Exported 2 answers of {HOSTILE}. Open: 14, in 7 cases (0000c0ffee, 0002c0ffee, 0003c0ffee, "
        "0004c0ffee, 0005c0ffee and 2 more)."
    )
    assert page.locator("#review-unexported").inner_text() == ""
    press(page, "z")
    assert page.locator("#review-unexported").inner_text() == "1 change not exported"
    page.click("[data-answer=annotation_wrong]")
    page.goto((run / "index.html").as_uri())
    again = exported(page, "#export")
    for one in (again, file):
        assert one["decisions"][1].pop("decided")
        assert one["decisions"][1].pop("seconds") >= 0
    assert again["decisions"] == file["decisions"]


def test_a_file_is_taken_up_where_it_is_about_this_run(opened: Opened, run: Path, tmp_path: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "d", "d")
    named(page, "Ann")
    file = exported(page, "[data-does=save]")
    page.evaluate("localStorage.clear()")
    page.goto((run / "index.html").as_uri())
    path = tmp_path / "decisions.json"
    for change, answer in (
        (
            {"run_id": "other-1"},
            "These decisions are about another run; import them in the report of other-1.",
        ),
        (
            {"results_sha256": "0" * 64},
            "These decisions are about another version of this run; review the present contours and scores.",
        ),
        ({"format": "else"}, "This is not a file of decisions; choose one that a report exported."),
        ({}, "Imported 2 decisions of Ann."),
    ):
        path.write_text(json.dumps(file | change), encoding="utf-8")
        page.set_input_files("#decisions-file", [])
        page.set_input_files("#decisions-file", path)
        page.wait_for_selector(f"#review-state:text-is('{answer}')")
    done = page.locator("#review-done")
    assert done.inner_text() == "2 of 16 contours and missed lesions; 14 open in 7 cases"
    assert page.locator("#reviewer").input_value() == "Ann"
    changed = [{**file["decisions"][0], "answer": "agree"}, {**file["decisions"][1], "number": 7}]
    other = {**changed[1], "kind": "contour"}
    path.write_text(json.dumps(file | {"decisions": [changed[0], other]}), encoding="utf-8")
    page.set_input_files("#decisions-file", [])
    page.set_input_files("#decisions-file", path)
    page.wait_for_selector(
        "#review-state:text-is('Imported 0 decisions of Ann. 1 differ from what is here, which stays: "
        "0001c0ffee. 1 are about nothing that this run holds: 0001c0ffee.')"
    )
    opened.case(run, MISSED)
    assert answers(page) == ["network wrong", "annotation wrong"]
