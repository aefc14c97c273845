"""Tools of a workstation: letters of orientation, windows, ruler, magnifier, full screen, sheet of keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from pipeline.orientation import opposite
from pipeline.records import Display, SpacingAt
from tests.browser.opened import Opened, colour_at, on_screen, settle
from tests.browser.test_viewer import HIGH, HIT, LOW, bare, grey, stored
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

SHAPE = (36, 48)
LETTERS = ("left", "right", "top", "bottom")


def one_case(
    folder: Path,
    vary: Callable[[Any], Any] = lambda case: case,
    display: Callable[[Any], Display] = lambda image: Display(image, 0, 255),
) -> Path:
    run = make_run(folder, cases=1, shape=SHAPE, vary=vary, display=display)
    write_report(run)
    return run


def letters(page: Page) -> list[str]:
    return [page.locator(f".letters.{side}").inner_text() for side in LETTERS]


@pytest.mark.parametrize(
    ("directions", "wanted"),
    [
        (("L", "F"), ["R", "L", "H", "F"]),  # a chest, seen from the front
        (("P", "F"), ["A", "P", "H", "F"]),  # a mammogram, hung the other way round
        (("R", "P"), ["L", "R", "A", "P"]),  # a mirrored axial slice
        (("LP", "F"), ["RA", "LP", "H", "F"]),
        (None, ["", "", "", ""]),
    ],
)
def test_letters_stand_at_the_edges_where_the_header_gives_them(
    opened: Opened, tmp_path: Path, directions: tuple[str, str] | None, wanted: list[str]
) -> None:
    run = one_case(tmp_path, lambda case: replace(case, directions=directions))
    page = opened.case(run, 0)
    assert letters(page) == wanted
    described = page.locator(".pane canvas").get_attribute("aria-label")
    assert ("orientation" in described) is (directions is not None)
    if directions is not None:
        assert letters(page) == [
            opposite(directions[0]),
            directions[0],
            opposite(directions[1]),
            directions[1],
        ]
        assert f"left {wanted[0]}, right {wanted[1]}, top {wanted[2]}, bottom {wanted[3]}" in described


def presets(page: Page) -> list[str]:
    return page.locator("#preset option").evaluate_all("(all) => all.map((one) => one.textContent)")


def hounsfield(image: Any) -> Display:
    return Display(stored(image), LOW, HIGH, slope=0.5, intercept=-1024.0, unit="HU")


def test_a_ct_has_its_windows_with_width_and_level(opened: Opened, tmp_path: Path) -> None:
    run = one_case(tmp_path, display=hounsfield)
    page = bare(opened, run, 0)
    values = page.evaluate(
        "heatproof.decoding.pixels(heatproof.given('pixels.js')[0]).then((p) => [...p.values])"
    )
    least, most = (0.5 * end - 1024 for end in (min(values), max(values)))
    assert [text.replace("−", "-") for text in presets(page)] == [
        "as opened: W 900  L -124 HU",
        "lung: W 1,500  L -600 HU",
        "soft tissue: W 400  L 40 HU",
        "bone: W 1,800  L 400 HU",
        f"whole range: W {most - least:,.0f}  L {np.floor((most + least) / 2 + 0.5):.0f} HU",
    ]
    for name, center, width in (("lung", -600, 1500), ("soft tissue", 40, 400), ("bone", 400, 1800)):
        page.select_option("#preset", name)
        settle(page)
        low, high = ((center + sign * width / 2 + 1024) / 0.5 for sign in (-1, 1))
        for row, column in ((3, 4), (20, 30), (35, 47)):
            assert colour_at(page, row, column) == grey(values[row * 48 + column], low=low, high=high), name


def test_a_key_goes_through_the_windows_and_a_drag_leaves_them(opened: Opened, tmp_path: Path) -> None:
    page = opened.case(one_case(tmp_path, display=hounsfield), 0)
    chosen = page.locator("#preset")
    assert chosen.input_value() == "as opened"
    page.keyboard.press("v")
    page.wait_for_function("() => document.querySelector('#preset').value === 'lung'")
    page.keyboard.press("Shift+V")
    page.keyboard.press("Shift+V")
    page.wait_for_function("() => document.querySelector('#preset').value === 'whole range'")
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function("() => document.querySelector('#preset').value === ''")
    assert presets(page)[0] == "as dragged"
    page.keyboard.press("v")
    page.wait_for_function("() => document.querySelector('#preset').value === 'as opened'")
    assert "as dragged" not in presets(page)


def test_what_makes_no_sense_for_a_unit_is_not_offered(opened: Opened, run: Path) -> None:
    names = [text.split(":")[0] for text in presets(opened.case(run, HIT))]  # ultrasound, without a unit
    assert names == ["as opened", "whole range"]


def test_a_mammogram_has_a_window_of_its_breast(opened: Opened, tmp_path: Path) -> None:
    """A third of the image is air; the window is of the rest, from its 2nd to its 99.5th percentile."""
    values: list[Any] = []

    def display(image: Any) -> Display:
        deep = (200 + 12 * image.astype(np.uint16)).astype(np.uint16)
        deep[:, :16] = 3
        values.append(deep)
        return Display(deep, 0, 4095)

    def mammogram(case: Any) -> Any:
        return replace(case, attributes={**case.attributes, "modality": "MG"})

    page = opened.case(one_case(tmp_path, mammogram, display), 0)
    (deep,) = values
    floor = deep.min() + 0.05 * (int(deep.max()) - int(deep.min()))
    low, high = np.quantile(deep[deep > floor], [0.02, 0.995], method="inverted_cdf")
    assert low > floor
    assert high < deep.max()
    page.select_option("#preset", "breast")
    settle(page)
    width, level = int(high) - int(low), (int(high) + int(low)) / 2
    shown = page.locator("#corner-window").inner_text().replace(",", "")
    assert shown.startswith(f"W {width:.0f}  L ")
    assert float(shown.split("L ")[1]) == pytest.approx(level, abs=0.6)


def test_low_values_stay_bright_in_an_inverted_image(workbench: Page) -> None:
    found = workbench.evaluate(
        """() => Object.fromEntries(heatproof.presets.all({
          values: Uint16Array.from([100, 900]), bits: 16, low: 800, high: 200, slope: 1, intercept: -1000,
          unit: "HU" }, "CT"))"""
    )
    assert found["whole range"] == {"low": 900, "high": 100}
    assert found["soft tissue"] == {"low": 1240, "high": 840}


def drag(page: Page, one: tuple[int, int], other: tuple[int, int]) -> None:
    page.mouse.move(*on_screen(page, *one))
    page.mouse.down()
    page.mouse.move(*on_screen(page, *other), steps=3)
    page.mouse.up()
    settle(page)


def measured(page: Page) -> tuple[float, str]:
    """The length and what follows it."""
    number, rest = page.locator("#measured").inner_text().split(" ", 1)
    return float(number.replace(",", "")), rest


@pytest.mark.parametrize(
    ("spacing_at", "said"),
    [
        ("patient", "mm"),
        ("detector", "mm, at the detector; in the patient it is less"),
        ("film", "mm, on the film that was scanned"),
        ("unstated", "mm, the file does not say whether at the detector or in the patient"),
    ],
)
def test_the_ruler_measures_millimetres_and_says_where(
    opened: Opened, tmp_path: Path, spacing_at: SpacingAt, said: str
) -> None:
    """From (6, 8) to (18, 24): 12 rows of 0.8 mm and 16 columns of 0.45 mm are 9.6 and 7.2, thus 12 mm."""
    run = one_case(tmp_path, lambda case: replace(case, spacing_mm=(0.8, 0.45), spacing_at=spacing_at))
    page = opened.case(run, 0)
    page.click("[data-does=ruler]")
    drag(page, (6, 8), (18, 24))
    length, rest = measured(page)
    assert length == pytest.approx(12, abs=0.15)  # the mouse knows whole pixels of the screen alone
    assert rest == said
    assert page.locator(".label.of-ruler").text_content() == f"{length:g} mm"
    place = page.locator("#image dd").nth(1).inner_text()
    assert place == f"0.8 × 0.45 {said}"


def test_without_a_spacing_the_ruler_measures_pixels(opened: Opened, tmp_path: Path) -> None:
    page = opened.case(one_case(tmp_path, lambda case: replace(case, spacing_mm=None)), 0)
    page.keyboard.press("q")
    drag(page, (6, 8), (18, 24))
    length, rest = measured(page)
    assert length == pytest.approx(20, abs=0.2)
    assert rest == "px, the pixel spacing is unknown"


def test_the_ruler_takes_two_clicks_and_the_arrow_keys(opened: Opened, run: Path) -> None:
    """Spacing 0.4 mm: 30 columns are 12 mm; an arrow key moves an end by 4 pixels of the screen."""
    page = opened.case(run, HIT)
    page.keyboard.press("q")
    settle(page)
    assert measured(page)[0] > 0  # there is one to begin with, for the keyboard
    for at in ((90, 60), (90, 90)):
        page.mouse.move(*on_screen(page, *at))
        page.mouse.down()
        page.mouse.up()
    settle(page)
    assert measured(page)[0] == pytest.approx(12, abs=0.3)
    page.mouse.move(*on_screen(page, 90, 150))  # both ends are fixed
    settle(page)
    before = measured(page)[0]
    assert before == pytest.approx(12, abs=0.3)
    page.focus("#stage")
    across = page.evaluate("document.querySelector('.over g').transform.baseVal[0].matrix.a")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    settle(page)
    assert measured(page)[0] == pytest.approx(before + 5 * 4 / across * 0.4, abs=0.11)
    page.keyboard.press("Enter")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    settle(page)
    assert measured(page)[0] == pytest.approx(before, abs=0.11)
    page.keyboard.press("q")
    settle(page)
    assert page.locator(".ruler").count() == 0
    assert page.locator("#measured").inner_text() == ""


def test_the_ruler_stays_on_the_image_when_it_is_zoomed_in(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    page.keyboard.press("q")
    drag(page, (60, 60), (60, 120))
    before, path = measured(page), page.locator(".ruler").first.get_attribute("d")
    page.keyboard.press("+")
    settle(page)
    assert measured(page) == before
    assert page.locator(".ruler").first.get_attribute("d") == path


LENS_AT_CENTRE = """() => {
  const lens = document.querySelector(".lens canvas");
  const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  copy.drawImage(lens, -lens.width / 2, -lens.height / 2);
  return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""


def test_the_magnifier_shows_three_times_what_is_at_the_pointer(opened: Opened, tmp_path: Path) -> None:
    page = bare(opened, one_case(tmp_path), 0)
    lens = page.locator(".lens")
    page.mouse.move(*on_screen(page, 20, 30))
    settle(page)
    assert lens.is_hidden()
    page.keyboard.press("b")
    for at in ((20, 30), (8, 40)):
        x, y = on_screen(page, *at)
        page.mouse.move(x, y)
        settle(page)
        box = lens.bounding_box()
        assert (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) == pytest.approx((x, y), abs=2.5)
        assert tuple(page.evaluate(LENS_AT_CENTRE)) == colour_at(page, *at)
        outer = page.evaluate("document.querySelector('.pane .over g').transform.baseVal[0].matrix.a")
        inner = page.evaluate("document.querySelector('.lens .over g').transform.baseVal[0].matrix.a")
        assert inner == pytest.approx(3 * outer)
    page.mouse.move(2, 2)
    settle(page)
    assert lens.is_hidden()


def test_a_finger_moves_the_magnifier_which_stays_above_it(browser: Any, run: Path) -> None:
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    page = Opened(context.new_page()).case(run, HIT)
    client = context.new_cdp_session(page)
    page.keyboard.press("b")
    x, y = on_screen(page, 120, 120)
    for kind, dx in (("touchStart", 0), ("touchMove", 20), ("touchMove", 40)):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x + dx, "y": y}]})
    settle(page)
    box = page.locator(".lens").bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(x + 40, abs=3)
    assert box["y"] + box["height"] / 2 < y - 100
    assert on_screen(page, 120, 120) == (x, y)  # the image did not move
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settle(page)
    assert page.locator(".lens").is_hidden()
    context.close()


def test_the_viewer_fills_the_screen_and_its_keys_still_work(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    before = page.locator("#stage").bounding_box()["width"]
    page.click("[data-does=fullScreen]")
    page.wait_for_function("() => document.fullscreenElement?.classList.contains('viewer')")
    page.wait_for_function(
        "(before) => document.querySelector('#stage').getBoundingClientRect().width > before", arg=before
    )
    page.keyboard.press("i")
    settle(page)
    assert page.locator("[data-does=invert]").get_attribute("aria-pressed") == "true"
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.evaluate("document.fullscreenElement && document.exitFullscreen()")
    page.wait_for_function("() => !document.fullscreenElement")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080), (820, 1180)])
def test_the_sheet_of_keys_fits_the_screen(browser: Any, run: Path, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    page = Opened(context.new_page()).case(run, HIT)
    page.keyboard.press("?")
    sheet = page.locator("#help")
    assert sheet.evaluate(
        "(one) => one.scrollHeight <= one.clientHeight && one.scrollWidth <= one.clientWidth"
    )
    box = sheet.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height
    for words in ("window preset", "ruler", "magnifier", "full screen", "zoom in"):
        assert page.locator(f"#keys dd:has-text('{words}')").count() >= 1, words
    context.close()


def test_the_name_of_the_case_covers_nothing_of_the_image(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    assert page.locator("#stage #name").count() == 0
    name, stage = page.locator("#name").bounding_box(), page.locator("#stage").bounding_box()
    assert name["y"] + name["height"] <= stage["y"]
