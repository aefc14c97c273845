"""A case page says what the run knows of the case, and runs nothing from its data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from pipeline.contours.drawing import draw
from pipeline.geometry import resized, whole
from pipeline.records import Dropped, Peak
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import HOSTILE, make_run
from tests.reporting.written import write_report

HIT = 3
"""The case whose benign finding is hit, and whose malignant one is absent and not drawn."""


def case_json(run: Path, number: int) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / f"cases/{number:04x}c0ffee/case.json").read_text())
    return content


def cells(page: Page, table: str) -> list[list[str]]:
    return [
        [cell.inner_text().replace("\n", " ") for cell in row.locator("th, td").all()]
        for row in page.locator(f"{table} tbody tr").all()
    ]


def test_every_page_of_a_run_loads_without_a_complaint(opened: Opened, run: Path) -> None:
    for number in range(9):
        page = opened.case(run, number)
        assert page.title() == f"{number:04x}c0ffee – Phantom audit – Heatproof"
        assert page.locator("#name").inner_text() == f"{number:04x}c0ffee"
        assert page.locator("#missing").is_hidden()


def test_the_overview_loads_without_a_complaint(opened: Opened, run: Path) -> None:
    opened.folder = run
    opened.page.goto((run / "index.html").as_uri())
    assert opened.page.locator("#count").inner_text() == "9 of 9 images"


def test_findings_are_listed_with_prediction_label_and_outcome(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    listed = cells(page, "#findings")
    predictions = case_json(run, HIT)["predictions"]
    assert [row[0] for row in listed] == ["benign", "malignant"]
    assert [row[1] for row in listed] == [f"{p['probability']:.2f} threshold 0.50" for p in predictions]
    assert [row[2:4] for row in listed] == [["positive", "present"], ["negative", "absent"]]
    assert listed[0][4] in {"located", "outlined"}
    assert listed[1][4] == "absent, none drawn"


def test_scores_are_those_of_the_run(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    scores = {
        (s["metric"], s["method"]): s["value"]
        for s in case_json(run, HIT)["scores"]
        if s["finding"] == "benign"
    }
    listed = {row[0]: row[1:] for row in cells(page, "#scores")}
    methods = ("gradcam", "location_prior", "center_prior")
    assert listed["IoU"] == ["Reader A", *(f"{scores['iou', method]:.2f}" for method in methods)]
    assert listed["Box IoU lesion 1"] == ["Reader B", *(f"{scores['box_iou', m]:.2f}" for m in methods)]
    assert listed["Hit"] == ["Reader A", *("yes" if scores["hit", method] else "no" for method in methods)]
    assert page.locator("#scores p").inner_text() == "False positives: undefined, the finding is present."


def test_words_that_scripts_draw_lead_to_the_glossary_once_per_table(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    found = {
        table: page.eval_on_selector_all(f"{table} a.term", "links => links.map((link) => link.textContent)")
        for table in ("#findings", "#contours", "#scores")
    }
    assert found["#findings"] == ["Outcome"]
    assert len(found["#contours"]) == len(set(found["#contours"])) > 0
    assert {"IoU", "Box IoU", "Hit"} <= set(found["#scores"])
    assert len(found["#scores"]) == len(set(found["#scores"]))
    link = page.locator("#scores a.term", has_text="Box IoU")
    assert "Intersection over union" in (link.get_attribute("title") or "")
    link.click()
    page.wait_for_url("**/glossary.html#term-iou")
    assert page.locator("#term-iou").is_visible()


def test_a_contour_is_listed_with_its_area_and_lesion(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    (region,) = case_json(run, HIT)["regions"]
    (row,) = cells(page, ".contours")
    assert row[:3] == ["1", f"{region['area_mm2']:.3g}", f"{region['area_px']:,}"]
    assert row[3] == f"{region['peak']:.3g}"
    iou = next(s["value"] for s in case_json(run, HIT)["scores"] if s["metric"] == "iou")
    assert float(page.locator(".contours data").first.get_attribute("value")) == iou


def test_the_outline_of_a_contour_lights_up_while_its_row_is_pointed_at_or_in_focus(
    opened: Opened, run: Path
) -> None:
    page = opened.case(run, HIT)
    assert page.locator(".highlighted").count() == 0
    page.hover(".contours tbody tr")
    page.wait_for_selector("path.highlighted", state="attached")
    page.hover("#stage")
    page.wait_for_selector("path.highlighted", state="detached")
    page.focus(".contours tbody tr")
    page.wait_for_selector("path.highlighted", state="attached")


def two_lesions(case: Any) -> Any:
    """Reader A drew two lesions where there was one, and the network has two hot cells."""
    rows, columns = case.shape
    masks = tuple(np.zeros(case.shape, bool) for _ in range(2))
    masks[0][5:15, 10:30] = True
    masks[1][30:50, 40:60] = True
    cells = np.zeros((6, 8), np.float32)
    cells[1, 2], cells[4, 5] = 2, 1.5
    (heatmap, *_) = case.heatmaps
    hot = replace(heatmap, relevance=cells, placement=resized(whole((rows, columns)), cells.shape))
    return replace(
        case,
        heatmaps=(hot,),
        predictions=tuple(replace(p, probability=0.9) for p in case.predictions),
        references=(replace(case.references[0], masks=masks),),
        regions=draw(hot, rule="fraction", threshold=0.6, minimum_area_px=4).regions,
        peaks=(Peak("benign", "gradcam", 25.0, 16.0, 2.0),),
    )


def test_several_lesions_and_contours_are_numbered_in_picture_and_table(
    opened: Opened, tmp_path: Path
) -> None:
    run = make_run(tmp_path, cases=1, shape=(60, 80), vary=two_lesions)
    write_report(run)
    page = opened.case(run, 0, finding="benign")
    assert page.locator("text.label.network").all_text_contents() == ["1", "2"]
    for label, outline in zip(
        page.locator("text.label.network").all(), page.locator("path.line.network").all(), strict=True
    ):
        at, within = label.bounding_box(), outline.bounding_box()
        assert at["x"] + at["width"] / 2 < within["x"] + within["width"] / 2
        assert abs(at["y"] + at["height"] / 2 - within["y"] - within["height"] / 2) < within["height"] / 4
    lesions = page.locator("text.label.reader-0")
    assert lesions.all_text_contents() == ["1", "2"]
    corners = [(one.get_attribute("data-x"), one.get_attribute("data-y")) for one in lesions.all()]
    assert corners == [("30", "5"), ("60", "30")]
    second = cells(page, ".contours")[1]
    assert second[0] == "2"
    assert second[4].endswith("lesion 2")
    before = lesions.first.evaluate("(one) => one.getBoundingClientRect().height")
    page.keyboard.press("+")
    settle(page)
    assert lesions.first.evaluate("(one) => one.getBoundingClientRect().height") == pytest.approx(before)


def test_without_a_map_the_contours_on_file_are_shown(opened: Opened, tmp_path: Path) -> None:
    """Of large maps of many findings, pages hold those alone that somebody sees."""
    run = make_run(tmp_path, cases=1, shape=(60, 80), vary=two_lesions)
    write_report(run)
    script = next(run.glob("cases/*/case.js"))
    script.write_text(script.read_text().replace('"maps":[{"finding":"benign"', '"maps":[{"finding":"other"'))
    page = opened.case(run, 0, finding="benign")
    assert page.locator("#scale").inner_text() == "no map"
    regions = json.loads(next(run.glob("cases/*/case.json")).read_text())["regions"]
    assert [row[2] for row in cells(page, ".contours")] == [str(r["area_px"]) for r in regions]
    assert page.locator("path.network").count() == len(regions) == 2
    assert page.locator(".peak").get_attribute("d") == "M25 16h0"
    assert page.locator("#threshold").is_disabled()
    assert page.locator("#live-scores").inner_text() == ""


def test_choosing_a_finding_shows_its_own(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    page.click("#findings button:text('malignant')")
    page.wait_for_selector("#finding-name:text('malignant')")
    assert page.locator("#finding").input_value() == "malignant"
    assert page.locator("#contours").inner_text() == "No contours."
    assert "gate was closed" in page.locator("#live-scores").inner_text()
    assert page.locator("#annotations li").all_inner_texts() == ["Reader A: absent", "Reader B: absent"]


def test_the_address_names_a_finding(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT, finding="malignant")
    assert page.locator("#finding-name").inner_text() == "malignant"


def test_the_image_is_described_with_its_attributes(opened: Opened, run: Path) -> None:
    listed = opened.case(run, 1).locator("#image").inner_text()
    for fact in ("240 × 180 px", "0.4 × 0.4 mm", "p0000", "Acme", "054Y"):
        assert fact in listed


def run_nothing(page: Page) -> None:
    """No element came of text, and no text was run: `alert` would be kept in `window.ran`."""
    assert page.evaluate("window.ran ?? null") is None
    assert page.evaluate("document.querySelectorAll('body script, body b, body img').length") == 0


def hostile_case(case: Any) -> Any:
    """Every text of a case that comes from a study or its annotations."""
    bad = f"<img src=x onerror=alert(1)><b>{HOSTILE}</b>\u2028`${{alert(2)}}`"
    return replace(
        case,
        patient_id=bad,
        attributes=dict.fromkeys(("modality", "view", "laterality", "sex", "age", "manufacturer"), bad),
        references=tuple(replace(reference, reader=bad) for reference in case.references[::2]),
        scores=tuple(
            replace(score, reader=bad, undefined_because=score.undefined_because and bad)
            for score in case.scores
            if score.reader == "Reader A"
        ),
        skipped=tuple(replace(entry, stage=bad, reason=bad, message=bad) for entry in case.skipped),
        dropped=(Dropped("benign", "gradcam", 3),),
    )


def test_hostile_text_in_every_field_shows_as_text_and_runs_nothing(opened: Opened, tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1, vary=hostile_case)
    write_report(run)
    opened.page.add_init_script("window.alert = (text) => { window.ran = text; }")
    page = opened.case(run, 0)
    run_nothing(page)
    for place in ("#image", "#skipped-list", "#annotations", "#layers", "#live-scores", "#scores"):
        assert HOSTILE in page.locator(place).inner_text(), place
    assert page.locator("#image dd").all_inner_texts()[3].startswith("<img src=x onerror=alert(1)><b>")


def test_hostile_names_of_findings_and_methods_run_nothing(opened: Opened, tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    for path in (*run.glob("*.json"), *run.glob("*.csv"), *run.glob("cases/*/case.js*")):
        text = path.read_text(encoding="utf-8")
        doubled = HOSTILE.replace('"', '""')
        name = json.dumps(HOSTILE)[1:-1] if path.suffix != ".csv" else f'"{doubled}"'
        path.write_text(text.replace("benign", name), encoding="utf-8")
    write_report(run)
    opened.page.add_init_script("window.alert = (text) => { window.ran = text; }")
    page = opened.case(run, 0)
    run_nothing(page)
    assert page.locator("#finding-name").inner_text() == HOSTILE
    assert page.locator("#finding option").all_inner_texts() == [HOSTILE, "malignant"]


@pytest.mark.parametrize("name", ["case.js", "pixels.js"])
def test_missing_data_are_reported(browser: Any, tmp_path: Path, name: str) -> None:
    run = make_run(tmp_path, cases=1)
    write_report(run)
    folder = next(run.glob("cases/*/"))
    (folder / name).unlink()
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector("#missing:not([hidden])")
    page.close()


def test_without_scripts_the_page_says_where_the_numbers_are(browser: Any, run: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((run / "cases" / "0000c0ffee" / "index.html").as_uri())
    assert "case.json" in page.locator("noscript").inner_text()
    context.close()


def test_the_keys_are_listed_and_the_list_closes(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    assert page.locator("#keys dt").count() == page.locator("#keys dd").count() >= 20
    page.keyboard.press("Escape")
    assert page.locator("#help").is_hidden()
    page.click("[data-does=help]")
    page.click("#help button")
    assert page.locator("#help").is_hidden()
