"""Blind reading: the reader marks first; until then the page shows the image and nothing of the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from pipeline.cli.main import main
from pipeline.reporting.subjects import results_sha256
from pipeline.review.decisions import Run, read_decisions
from pipeline.review.results import review
from tests.browser.opened import Opened, on_screen, settle
from tests.browser.test_accessibility import violations
from tests.browser.test_review import exported, named, press, said
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report, write_single_file

CASES = 9
DRAWN = ".line.network, .line.reader, .peak, .label"
"""What the network or a reader drew."""
RESULTS = """() => {
  const shown = (one) => one && one.checkVisibility();
  const ids = ["method", "layers", "scale", "opacity", "threshold", "live-scores", "findings", "contours",
    "scores", "annotations", "cautions", "skipped"];
  return ids.filter((id) => shown(document.getElementById(id)));
}"""
"""Parts of a case page that tell something of the results, and are seen."""


def make_blind(folder: Path, **settings: Any) -> Path:
    run = make_run(folder, cases=CASES, shape=(180, 240), **settings)
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps(manifest | {"review": {"blind": True}}), encoding="utf-8")
    write_report(run)
    return run


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blind(tmp_path_factory.mktemp("blind") / "run")


def begun(opened: Opened, run: Path, number: int, name: str = "Ann") -> Page:
    """The page of a case for a reviewer."""
    page = opened.case(run, number)
    named(page, name)
    return page


def hidden(page: Page) -> bool:
    settle(page)
    return page.locator("#case[data-blind]").count() == 1


def drag(page: Page, *places: tuple[float, float]) -> None:
    """Hold the pointer down along places (row, column) of the image."""
    page.locator("#stage").scroll_into_view_if_needed()
    first, *rest = [on_screen(page, *place) for place in places]
    page.mouse.move(*first)
    page.mouse.down()
    for place in rest:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    settle(page)


def tool(page: Page, name: str) -> None:
    page.click(f"#reading button:text-is('{name}')")


def done(page: Page) -> None:
    page.click("#reading button:text-is('Done: show the network')")
    settle(page)


def test_nothing_of_the_results_is_seen_before_the_reading(opened: Opened, blind: Path) -> None:
    for number in range(3):
        page = begun(opened, blind, number)
        assert hidden(page)
        assert page.evaluate(RESULTS) == []
        assert page.locator(DRAWN).count() == 0
        assert page.locator("#subjects > li").count() == 0
        text = page.locator("body").inner_text()
        for word in ("IoU", "robability", "Outcome", "hit", "contour", "Reader A", "missed", "positive"):
            assert word not in text.replace("its map, scores and annotations", ""), word
        label = page.locator(".pane canvas").first.get_attribute("aria-label")
        assert label.endswith("blind reading of benign, no mark yet")


def test_no_key_lifts_the_veil(opened: Opened, blind: Path) -> None:
    page = begun(opened, blind, 0)
    page.focus("#stage")
    for key in page.evaluate("heatproof.keys.all()"):
        if key in {"n", "p", "?", "Shift+E", "Enter", " ", "z", "Backspace", "f", "Shift+F"}:
            continue
        press(page, key, key)
        assert hidden(page), key
        assert page.locator(DRAWN).count() == 0, key
        assert page.locator(".pane").count() == 1, key
    press(page, "f", "h", "c", "a")
    assert page.locator("#finding").input_value() == "malignant"
    assert hidden(page)


def test_t_is_the_next_tool_during_a_reading_and_shows_the_maps_after_it(opened: Opened, blind: Path) -> None:
    page = begun(opened, blind, 0)
    page.focus("#stage")
    press(page, "t", "s")
    settle(page)
    assert page.locator("#reading [aria-pressed=true]").inner_text() == "Move"
    assert page.locator(".pane").count() == 1
    page.click("#reading button:text-is('Nothing to see')")
    settle(page)
    press(page, "t")
    page.wait_for_function("() => document.querySelectorAll('.pane').length > 2")
    press(page, "f")  # the next finding is still to be read
    page.wait_for_selector("#case[data-blind]")
    page.wait_for_function("() => document.querySelectorAll('.pane').length === 1")


def test_the_ruler_measures_and_marks_nothing_until_a_tool_is_chosen(opened: Opened, blind: Path) -> None:
    page = begun(opened, blind, 0)
    page.click("[data-does=ruler]")
    drag(page, (40, 60), (90, 60))
    assert page.locator("path.own").count() == 0
    assert "20 mm" in page.locator("#measured").inner_text()
    tool(page, "Box")
    settle(page)
    assert page.locator("[data-does=ruler]").get_attribute("aria-pressed") == "false"
    drag(page, (40, 60), (90, 100))
    assert page.locator("path.own").count() == 1


def test_no_map_is_saved_or_printed_before_the_reading(opened: Opened, blind: Path) -> None:
    page = begun(opened, blind, 0)
    press(page, "Shift+E")
    page.click("[data-saves=figure][data-as=svg]")
    page.wait_for_selector("#save-state:has-text('Nothing saved: this finding is read blind')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#saving", state="hidden")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert "map, contours and annotations are not shown yet" in page.locator("#paper").text_content()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.click("#reading button:text-is('Nothing to see')")
    settle(page)
    press(page, "Shift+E")
    page.click("[data-saves=figure][data-as=svg]")
    page.wait_for_selector("#save-state:has-text('Saved ')")


def test_the_image_alone_is_on_the_canvas(opened: Opened, blind: Path) -> None:
    """The heatmap's colours are nowhere: every pixel is grey."""
    page = begun(opened, blind, 0)
    coloured = page.evaluate("""() => {
      const canvas = document.querySelector(".pane canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let found = 0;
      for (let i = 0; i < data.length; i += 4) found += data[i] !== data[i + 1] || data[i] !== data[i + 2];
      return found;
    }""")
    assert coloured == 0


def test_an_outline_is_stored_in_image_coordinates_and_the_network_appears(
    opened: Opened, blind: Path, tmp_path: Path
) -> None:
    page = begun(opened, blind, 0)
    corners = [(40, 60), (40, 120), (100, 120), (100, 60), (42, 60)]
    drag(page, *corners)
    assert page.locator("path.own").count() == 1
    assert "Marked: 1 outline." in page.locator("#reading").inner_text()
    done(page)
    assert not hidden(page)
    assert {"method", "findings", "contours", "scores"} <= set(page.evaluate(RESULTS))
    assert page.locator(DRAWN).count() > 0
    assert said(page) == "Read blind: 1 outline."
    assert page.locator("#subjects > li").count() > 0  # the questions follow
    assert page.locator("#subjects .is-current").count() == 1
    file = exported(page, "[data-does=save]")
    (reading,) = file["readings"]
    assert (reading["case_id"], reading["finding"]) == ("0000c0ffee", "benign")
    points = reading["marks"][0]["points"]
    for corner in corners[:4]:
        assert min(abs(x - corner[1]) + abs(y - corner[0]) for x, y in points) < 1.5, corner
    assert len(points) < 12  # what the hand drew, without the points on its straight lines
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(file), encoding="utf-8")
    (read,) = read_decisions([path], Run(file["run_id"], results_sha256(blind)))
    assert len(read.readings) == 1


def test_other_findings_stay_hidden_until_they_are_read_too(opened: Opened, blind: Path) -> None:
    page = begun(opened, blind, 0)
    page.click("#reading button:text-is('Nothing to see')")
    settle(page)
    assert not hidden(page)
    rows = page.locator("#findings tbody tr").all()
    assert [row.locator("td").first.inner_text() for row in rows][1] == "–"
    assert "–" not in rows[0].locator("td").first.inner_text()
    assert page.locator("#cautions, #skipped").first.is_hidden()
    page.click("#reading button:text-is('Read next: malignant')")
    assert hidden(page)
    assert page.locator(DRAWN).count() == 0
    page.click("#reading button:text-is('Nothing to see')")
    settle(page)
    assert page.locator("#findings tbody tr").nth(1).locator("td").first.inner_text() != "–"
    page.reload()
    page.wait_for_selector("#case[data-drawn]")
    assert not hidden(page)
    assert "Your blind reading of" in page.locator("#reading").inner_text()


def test_points_and_boxes_and_what_is_too_small(opened: Opened, blind: Path) -> None:
    page = begun(opened, blind, 1)
    tool(page, "Box")
    drag(page, (50, 50), (50.4, 50.4))
    assert said(page).startswith("Too small")
    drag(page, (50, 50), (90, 110))
    tool(page, "Point")
    drag(page, (20, 20))
    assert said(page).startswith("One kind of mark")
    press(page, "z")
    drag(page, (20, 30))
    drag(page, (170, 230))
    stored = page.evaluate(
        "heatproof.readings.current(heatproof.given('../run.js')[0]).at('0001c0ffee', 'benign')"
    )
    assert stored["decided"] is None
    assert [mark["kind"] for mark in stored["marks"]] == ["point", "point"]
    assert stored["marks"][0]["x"] == pytest.approx(30, abs=1)
    assert stored["marks"][0]["y"] == pytest.approx(20, abs=1)
    page.reload()  # a draft is kept, and the network stays hidden
    page.wait_for_selector("#case[data-drawn]")
    assert hidden(page)
    assert "Marked: 2 points." in page.locator("#reading").inner_text()
    press(page, "z")
    assert "Marked: 1 point." in page.locator("#reading").inner_text()


def test_a_finding_is_read_by_keys_alone(opened: Opened, blind: Path) -> None:
    page = begun(opened, blind, 2)
    page.focus("#stage")
    press(page, " ")
    for key in ("ArrowLeft", "ArrowUp"):
        press(page, *[key] * 3, " ")
    press(page, "Enter")
    assert "Marked: 1 outline." in page.locator("#reading").inner_text()
    press(page, "Enter")
    assert said(page).startswith("Press Enter again")
    assert hidden(page)
    press(page, "Enter")
    assert not hidden(page)


def test_a_reading_is_final_and_neither_undo_nor_import_changes_it(
    opened: Opened, blind: Path, tmp_path: Path
) -> None:
    page = begun(opened, blind, 3)
    tool(page, "Point")
    drag(page, (90, 120))
    done(page)
    file = exported(page, "[data-does=save]")
    press(page, "z", "Backspace", "z")
    assert not hidden(page)
    assert exported(page, "[data-does=save]")["readings"] == file["readings"]
    page.goto((blind / "index.html").as_uri())
    other = [{**file["readings"][0], "marks": []}, {**file["readings"][0], "case_id": "0004c0ffee"}]
    path = tmp_path / "other.json"
    path.write_text(json.dumps(file | {"readings": other}), encoding="utf-8")
    page.set_input_files("#decisions-file", path)
    page.wait_for_selector("#review-state:has-text('Imported 1 of 2 blind readings')")
    again = exported(page, "#export")["readings"]
    assert again[0] == file["readings"][0]
    assert again[1]["case_id"] == "0004c0ffee"


def test_each_reviewer_reads_blind_what_others_have_read(opened: Opened, blind: Path) -> None:
    page = begun(opened, blind, 0)
    page.click("#reading button:text-is('Nothing to see')")
    settle(page)
    assert not hidden(page)
    named(page, "Bob")
    assert hidden(page)
    assert page.locator(DRAWN).count() == 0
    named(page, "Ann")
    assert not hidden(page)
    named(page, "")
    assert hidden(page)
    drag(page, (40, 60), (90, 60), (90, 100))
    assert "Enter the name of the reviewer first" in said(page)


def listed(page: Page) -> list[str]:
    settle(page)
    return page.locator("#reading-list th").all_inner_texts()


def test_the_list_has_an_order_of_each_reviewers_own_and_no_results(opened: Opened, blind: Path) -> None:
    opened.folder = blind
    page = opened.page
    page.goto((blind / "index.html").as_uri())
    orders = {}
    for name in ("Ann", "Bob", "Cid", "Ann"):
        named(page, name)
        order = listed(page)
        assert orders.setdefault(name, order) == order
        assert sorted(order) == [f"{number:04x}c0ffee" for number in range(CASES)]
    assert len({tuple(order) for order in orders.values()}) == 3
    text = page.locator("body").inner_text()
    for word in ("IoU", "Probability", "Outcome", "hit", "verdict", "Skill", "miss", "positive"):
        assert word not in text, word
    assert page.locator("svg").count() == 0
    assert "not a security measure" in text
    page.click("#next-open")
    page.wait_for_selector("#case[data-drawn]")
    assert page.locator("#name").inner_text() == orders["Ann"][0]
    assert page.locator("#place").inner_text() == f"1 of {CASES}"
    page.click("#next")
    page.wait_for_selector(f"#name:text-is('{orders['Ann'][1]}')")


def test_the_results_have_a_page_of_their_own(opened: Opened, blind: Path) -> None:
    opened.folder = blind
    page = opened.page
    page.goto((blind / "overview.html").as_uri())
    page.wait_for_selector("#filters:not([hidden])")
    assert page.locator("#verdict").count() == 1
    assert page.locator(".bar-name").get_attribute("href") == "overview.html"


def test_a_run_that_is_no_longer_blind_has_one_overview(tmp_path: Path) -> None:
    run = make_blind(tmp_path / "run")
    assert "Blind reading" in (run / "index.html").read_text(encoding="utf-8")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps(manifest | {"review": {"blind": False}}), encoding="utf-8")
    write_report(run)
    assert not (run / "overview.html").exists()
    assert 'id="verdict"' in (run / "index.html").read_text(encoding="utf-8")


def test_one_file_of_a_blind_run_is_read_blind(opened: Opened, blind: Path, tmp_path: Path) -> None:
    chosen = write_single_file(blind, tmp_path / "one.html", cases=3)
    opened.folder = tmp_path
    page = opened.page
    page.goto((tmp_path / "one.html").as_uri())
    named(page, "Ann")
    assert sorted(listed(page)) == sorted(chosen)
    page.click("#reading-list a >> nth=0")
    page.wait_for_selector("#case[data-drawn]")
    assert hidden(page)
    page.click("#reading button:text-is('Nothing to see')")
    settle(page)
    assert not hidden(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 820, 390])
def test_axe_finds_nothing(browser: Browser, blind: Path, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened = Opened(context.new_page())
    page = begun(opened, blind, 0)
    assert violations(page) == []
    drag(page, (40, 60), (40, 120), (100, 120), (100, 60))
    assert violations(page) == []
    done(page)
    assert violations(page) == []
    page.goto((blind / "index.html").as_uri())
    settle(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_what_readers_marked_is_scored(opened: Opened, blind: Path, tmp_path: Path) -> None:
    page = begun(opened, blind, 0)
    case = json.loads((blind / "cases/0000c0ffee/case.json").read_text(encoding="utf-8"))
    x, y, width, height = next(r["boxes"][0] for r in case["references"] if r["boxes"])
    tool(page, "Box")
    drag(page, (y, x), (y + height, x + width))
    done(page)
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(exported(page, "[data-does=save]")), encoding="utf-8")
    result = review(blind, [path])
    found = {
        (s.reader, s.summary.metric): s.summary.estimate
        for s in result.reading_scores
        if s.summary.finding == "benign"
    }
    assert found["Reader B", "box_hit"] == 1
    assert found["Reader B", "box_iou"] > 0.9
    assert ("", "box_iou") in found


@pytest.mark.parametrize(("mask_format", "kind"), [("png", "*.png"), ("coco", "*.json")])
def test_what_readers_marked_becomes_annotations(
    opened: Opened, tmp_path: Path, mask_format: str, kind: str
) -> None:
    run = make_blind(tmp_path / "run")
    (run / "crosswalk.csv").write_text(
        "pseudonym,kind,sop_instance_uid,frame,file,sha256\n"
        + "".join(f"{number:04x}c0ffee,image,1.2.{number},0,a.dcm,\n" for number in range(CASES)),
        encoding="utf-8",
    )
    page = begun(opened, run, 0)
    drag(page, (40, 60), (40, 120), (100, 120), (100, 60))
    done(page)
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(exported(page, "[data-does=save]")), encoding="utf-8")
    made = tmp_path / "made"
    arguments = ["review", str(run), str(path), "--as-annotations", str(made)]
    assert main([*arguments, "--annotation-format", mask_format]) == 0
    assert "format" in (made / "annotations.yaml").read_text(encoding="utf-8")
    assert list(made.rglob(kind))
