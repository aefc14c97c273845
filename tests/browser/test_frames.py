"""Frames of one object: a slider, keys and the wheel go through them without leaving the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.browser.opened import Opened, on_screen, place_of, settle
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report


def as_frames(case: Any) -> Any:
    """Cases 1, 2 and 3 are frames of one object; the others are images of their own."""
    number = int(case.case_id[:4], 16)
    return replace(case, object_id="object-1", frame=number - 1) if 1 <= number <= 3 else case


@pytest.fixture(scope="module")
def cine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("cine"), cases=5, shape=(60, 80), vary=as_frames)
    write_report(run)
    return run


def test_an_image_of_its_own_has_no_frames(opened: Opened, cine: Path) -> None:
    assert opened.case(cine, 0).locator("#frames").is_hidden()


def test_keys_slider_and_wheel_go_through_the_frames(opened: Opened, cine: Path) -> None:
    page = opened.case(cine, 2)
    assert page.locator("#frame-words").inner_text() == "2 of 3"
    page.keyboard.press("]")
    page.wait_for_selector("#name:text('0003c0ffee, frame 3')")
    page.keyboard.press("]")  # there is none behind
    page.mouse.move(*on_screen(page, 30, 40))
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    page.wait_for_selector("#name:text('0002c0ffee, frame 2')")
    page.fill("#frame-slider", "0")
    page.wait_for_selector("#name:text('0001c0ffee, frame 1')")
    assert page.locator("#frame-words").inner_text() == "1 of 3"


def test_a_frame_brings_its_own_picture_outlines_and_numbers(opened: Opened, cine: Path) -> None:
    page = opened.case(cine, 1, finding="benign")

    def facts() -> tuple[str, ...]:
        settle(page)
        pixels = page.evaluate("document.querySelector('.pane canvas').toDataURL()")
        return (
            pixels,
            *(page.locator(f"#{name}").inner_html() for name in ("findings", "scores", "contours")),
        )

    there, _ = facts(), page.keyboard.press("]")
    page.wait_for_selector("#name:text('0002c0ffee, frame 2')")
    moved = facts()
    opened.case(cine, 2, finding="benign")
    assert moved == facts()
    assert moved[0] != there[0]


def test_view_and_window_stay_from_frame_to_frame(opened: Opened, cine: Path) -> None:
    page = opened.case(cine, 1)
    for key in ("+", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    settle(page)
    before, window = place_of(page), page.locator("#corner-window").inner_text()
    page.keyboard.press("]")
    page.wait_for_selector("#name:text('0002c0ffee, frame 2')")
    assert place_of(page) == before
    assert page.locator("#corner-window").inner_text() == window


def test_a_fixed_map_is_there_on_every_frame(opened: Opened, cine: Path) -> None:
    page = opened.case(cine, 1)
    page.select_option("#method", "center_prior")
    page.wait_for_selector("#scale .scale-figure")
    page.keyboard.press("]")
    page.wait_for_selector("#name:text('0002c0ffee, frame 2')")
    assert page.locator("#scale .scale-figure").count() == 1
    assert page.locator("#method").input_value() == "center_prior"


def test_next_leads_on_from_the_frame_that_is_shown(opened: Opened, cine: Path) -> None:
    page = opened.case(cine, 1)
    page.keyboard.press("]")
    page.keyboard.press("]")
    page.wait_for_selector("#name:text('0003c0ffee, frame 3')")
    page.keyboard.press("n")
    page.wait_for_selector("#name:text('0004c0ffee')")
