"""Burned-in text is flagged; it is blanked on request, or else the image is skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.cases.burned_in_text import TextSearch, blanked, search_text, text_search
from pipeline.config import AuditConfig
from pipeline.errors import CaseError, ConfigError
from pipeline.plan import RunPlan
from pipeline.records import Box, Display, Image
from tests.study import picture, square, write_image, write_mask, write_model
from tests.test_audit import run, table

SIDE = 256


def named(name: str = "DOE^JANE 1951") -> np.ndarray:
    pixels = (picture(4, (SIDE, SIDE)) // 3).astype(np.uint8)
    cv2.putText(pixels, name, (8, 240), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2, cv2.LINE_AA)
    return pixels


def image(pixels: np.ndarray, **attributes: str) -> Image:
    display = Display(pixels.copy(), 0.0, 255.0)
    return Image("case-1", pixels.astype(np.float32) / 255, None, attributes=attributes, display=display)


def test_text_is_flagged_and_left_alone_where_nobody_asked_for_more() -> None:
    shown, (caution,) = search_text(image(named()), TextSearch("contrast", mask=False))
    assert caution.reason == "burned_in_text"
    assert "not blanked" in caution.message
    assert shown.pixels.max() == 1.0


def test_text_is_blanked_for_the_network_and_for_the_report() -> None:
    shown, (caution,) = search_text(image(named()), TextSearch("contrast", mask=True))
    assert "blanked for the network and the report" in caution.message
    assert shown.pixels[225:242, 10:150].max() == 0
    assert shown.display is not None
    assert shown.display.values[225:242, 10:150].max() == 0
    assert search_text(shown, TextSearch("contrast", mask=True))[1] == ()


def test_a_box_is_blanked_to_the_pixel() -> None:
    boxed = blanked(image(np.full((6, 6), 9, np.uint8)), [Box(x=0.5, y=1.5, width=2, height=3)])
    assert np.argwhere(boxed.pixels == 0).tolist() == [[r, c] for r in (2, 3, 4) for c in (1, 2)]


def test_the_headers_statement_on_text_is_reported_where_none_is_found() -> None:
    plain = picture(4, (SIDE, SIDE)) // 3
    assert search_text(image(plain), TextSearch("contrast", mask=False))[1] == ()
    assert search_text(image(plain), None)[1] == ()
    _, (caution,) = search_text(image(plain, burned_in_annotation="YES"), TextSearch("contrast", mask=False))
    assert caution.reason == "burned_in_text_by_header"


def test_how_many_places_show_text_is_counted() -> None:
    pixels = named()
    cv2.putText(pixels, "WARD 7 BED 12", (8, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2, cv2.LINE_AA)
    shown, (caution,) = search_text(image(pixels), TextSearch("contrast", mask=True))
    assert "2" in caution.message
    assert max(shown.pixels[45:62, 10:150].max(), shown.pixels[225:242, 10:150].max()) == 0
    assert "2" not in search_text(image(named()), TextSearch("contrast", mask=True))[1][0].message


@pytest.mark.parametrize(("look", "detector"), [("tesseract", "tesseract"), ("contrast", "contrast")])
@pytest.mark.parametrize("mask", [False, True])
def test_text_is_searched_for_as_the_plan_says(look: str, detector: Any, mask: Any) -> None:
    wanted = AuditConfig.model_validate({"burned_in_text": {"look": look, "mask": mask}})
    assert text_search(RunPlan(wanted, Path(), Path(), ())) == TextSearch(detector, mask=mask)


@pytest.mark.parametrize("look", ["auto", "none"])
def test_where_no_detector_is_chosen_text_is_not_searched_for(look: str) -> None:
    wanted = AuditConfig.model_validate({"burned_in_text": {"look": look}})
    assert text_search(RunPlan(wanted, Path(), Path(), ())) is None


def test_an_image_without_stored_values_is_blanked_too() -> None:
    pixels = np.ones((4, 4), np.float32)
    boxed = blanked(Image("case-1", pixels, None), [Box(x=-0.5, y=-0.5, width=1, height=2)])
    assert boxed.display is None
    assert np.argwhere(boxed.pixels == 0).tolist() == [[0, 0], [1, 0]]
    assert pixels.min() == 1  # of the image that was given nothing is blanked


def crowded() -> np.ndarray:
    """A name under a field of shapes that could be letters."""
    pixels = np.zeros((1400, 1400), np.uint8)
    for y in range(120, 1390, 16):
        for x in range(5, 1390, 14):
            pixels[y : y + 9, x : x + 6], pixels[y + 2 : y + 4, x + 1 : x + 3] = 255, 0
    cv2.putText(pixels, "DOE^JANE 1951", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 2)
    return pixels


def test_an_image_that_cannot_be_searched_only_gets_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for picture_, detector in ((named(), "tesseract"), (crowded(), "contrast")):
        shown, (caution,) = search_text(image(picture_), TextSearch(detector, mask=False))
        assert caution.reason == "text_not_looked_for"
        assert shown.pixels.max() == 1.0


def test_an_image_to_be_blanked_that_cannot_be_searched_is_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for picture_, detector in ((named(), "tesseract"), (crowded(), "contrast")):
        with pytest.raises(CaseError, match="the search for burned-in text failed") as refusal:
            search_text(image(picture_), TextSearch(detector, mask=True))
        assert refusal.value.reason == "text_not_looked_for"


def test_a_run_shows_no_picture_whose_text_it_could_not_look_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.plan.installed_detector", lambda: "contrast")
    write_image(tmp_path / "images", 1, crowded())
    write_image(tmp_path / "images", 2, (picture(5, (SIDE, SIDE)) // 3).astype(np.uint8))
    write_mask(tmp_path, "nodule", 2, square((SIDE, SIDE), 4, 4, 20))
    outcome = run(
        tmp_path, write_model(tmp_path / "model"), burned_in_text={"mask": True}, policy__max_skipped=1.0
    )
    assert [(row["stage"], row["reason"]) for row in table(outcome, "skipped.csv")] == [
        ("load", "text_not_looked_for")
    ]
    (aside,) = outcome.index.parent.glob("cases/*/skipped.json")
    assert [path.name for path in aside.parent.iterdir()] == ["skipped.json"]


def test_a_detector_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.plan.installed_detector", lambda: "contrast")
    write_image(tmp_path / "images", 1, named())
    write_mask(tmp_path, "nodule", 1, square((SIDE, SIDE), 4, 4, 20))
    model = write_model(tmp_path / "model")
    with pytest.raises(ConfigError, match="install Debian's tesseract-ocr"):
        run(tmp_path, model, burned_in_text={"look": "tesseract"})
    with pytest.raises(ConfigError, match="no text can be blanked"):
        run(tmp_path, model, burned_in_text={"look": "none", "mask": True})


def test_a_run_warns_in_its_report_and_blanks_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.plan.installed_detector", lambda: "contrast")
    write_image(tmp_path / "images", 1, named())
    write_image(tmp_path / "images", 2, (picture(5, (SIDE, SIDE)) // 3).astype(np.uint8))
    write_mask(tmp_path, "nodule", 1, square((SIDE, SIDE), 4, 4, 20))
    model = write_model(tmp_path / "model")
    plain, blank = (run(tmp_path, model, burned_in_text={"mask": mask}) for mask in (False, True))
    assert plain.index != blank.index
    for outcome in (plain, blank):
        cases = [json.loads(p.read_text()) for p in outcome.index.parent.glob("cases/*/case.json")]
        assert sorted([c["reason"] for c in case["cautions"]] for case in cases) == [[], ["burned_in_text"]]
        page = outcome.index.read_text()
        assert "the image may have burned-in text" in page
        assert (
            json.loads((outcome.index.parent / "manifest.json").read_text())["config"]["burned_in_text"][
                "look"
            ]
            == "contrast"
        )
    logits = [{row["logit"] for row in table(outcome, "predictions.csv")} for outcome in (plain, blank)]
    assert len(logits[0] - logits[1]) == 2  # of the image with the name alone
