"""Pictures saved from a case page: as they are shown, and as the command `figure` draws them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from pipeline.reporting.figures.options import CLASSIC, FigureOptions
from pipeline.run.figure import write_figure
from tests.browser.opened import Opened, colour_at, settle
from tests.browser.test_accessibility import violations
from tests.reporting.written import write_single_file

CASE = "0000c0ffee"
SHOWN = "[data-saves=shown]"
FIGURE = "[data-saves=figure]"
Pixels = NDArray[np.int64]


@pytest.fixture
def page(opened: Opened, run: Path) -> Page:
    page = opened.case(run, 0)
    page.keyboard.press("Shift+E")
    return page


def close(page: Page) -> None:
    """Close the dialog; Chromium takes its time for Escape."""
    page.keyboard.press("Escape")
    page.wait_for_selector("#saving", state="hidden")


def saved(page: Page, button: str) -> tuple[str, bytes]:
    """Name and content of the file that a button saves."""
    with page.expect_download() as download:
        page.click(button)
    page.wait_for_function("document.getElementById('save-state').textContent.startsWith('Saved')")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def pixels(content: bytes) -> Pixels:
    with Image.open(BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.fixture
def rendered(browser: Browser) -> Callable[[bytes, int, int], Pixels]:
    """A function that draws an SVG at a size in pixels, as any page would show it."""

    def draw(svg: bytes, width: int, height: int) -> Pixels:
        context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=1)
        page = context.new_page()
        address = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
        page.set_content(f'<body style="margin:0"><img src="{address}" width={width} height={height}>')
        page.wait_for_function("document.images[0].complete")
        shot = page.screenshot(clip={"x": 0, "y": 0, "width": width, "height": height})
        context.close()
        return pixels(shot)

    return draw


def test_what_is_shown_is_saved_in_two_sizes_and_as_svg(
    page: Page, rendered: Callable[[bytes, int, int], Pixels]
) -> None:
    name, once = saved(page, f"{SHOWN}[data-ratio='1']")
    assert name == f"heatproof_{CASE}_benign_gradcam_1x_phantom-0123abcd.png"
    _, twice = saved(page, f"{SHOWN}[data-ratio='2']")
    name, svg = saved(page, f"{SHOWN}[data-as=svg]")
    assert name == f"heatproof_{CASE}_benign_gradcam_phantom-0123abcd.svg"
    small, large = pixels(once), pixels(twice)
    assert np.abs(np.array(large.shape[:2]) - 2 * np.array(small.shape[:2])).max() <= 1
    stage = page.locator("#stage").bounding_box()
    assert small.shape[1] == pytest.approx(min(stage["width"], stage["height"] * 240 / 180), abs=1)
    assert small.shape[1] / small.shape[0] == pytest.approx(240 / 180, abs=0.01)  # nothing around the image
    assert np.abs(rendered(svg, large.shape[1], large.shape[0]) - large).mean() < 1
    ET.fromstring(svg)


def test_a_saved_picture_has_the_colours_of_the_page(page: Page) -> None:
    close(page)
    page.uncheck("[data-layer=network]")
    page.uncheck("[data-layer='reader Reader A']")
    page.uncheck("[data-layer='reader Reader B']")
    settle(page)
    shown = [colour_at(page, row, column) for row, column in ((30, 40), (90, 120), (150, 200))]
    page.keyboard.press("Shift+E")
    picture = pixels(saved(page, f"{SHOWN}[data-ratio='1']")[1])
    scale = picture.shape[1] / 240
    for (row, column), colour in zip(((30, 40), (90, 120), (150, 200)), shown, strict=True):
        found = picture[int((row + 0.5) * scale), int((column + 0.5) * scale)]
        assert np.abs(found - colour).max() < 12


def test_both_panes_are_saved_beside_each_other_with_their_titles(page: Page) -> None:
    close(page)
    page.keyboard.press("s")
    settle(page)
    page.keyboard.press("Shift+E")
    root = ET.fromstring(saved(page, f"{SHOWN}[data-as=svg]")[1])
    svg = "{http://www.w3.org/2000/svg}"
    assert len(list(root.iter(f"{svg}image"))) == 2
    texts = [element.text for element in root.iter(f"{svg}text")]
    assert {"Readers", "Network"} <= set(texts)
    width, height = (float(root.get(name)) for name in ("width", "height"))
    assert width == pytest.approx(2 * height * 240 / 180, rel=0.02)


def test_the_figure_of_the_page_is_that_of_the_command(
    page: Page, run: Path, tmp_path: Path, rendered: Callable[[bytes, int, int], Pixels]
) -> None:
    for classic in (False, True):
        shading = {"shading": CLASSIC, "own_scale": True} if classic else {}
        made = write_figure(run, [CASE], tmp_path / "a.png", options=FigureOptions(**shading))
        wanted = pixels(made.content)
        page.set_checked("#save-classic", classic)
        name, png = saved(page, f"{FIGURE}[data-as=png]")
        kind = "figure-classic" if classic else "figure"
        assert name == f"heatproof_{CASE}_benign_gradcam_{kind}_phantom-0123abcd.png"
        found = pixels(png)
        assert found.shape == wanted.shape
        left_of_text = np.s_[120:600]  # the panels: between the titles and what lies below
        assert np.abs(found - wanted)[left_of_text].mean() < 2
        with Image.open(BytesIO(png)) as image:
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    _, svg = saved(page, f"{FIGURE}[data-as=svg]")
    difference = np.abs(rendered(svg, found.shape[1], found.shape[0]) - found)
    assert difference[120:600].mean() < 1
    assert difference.mean() < 6  # letters have other hints at another size


def test_the_commands_svg_looks_like_its_png(
    run: Path, tmp_path: Path, rendered: Callable[[bytes, int, int], Pixels]
) -> None:
    png, svg = (
        write_figure(run, [CASE], tmp_path / f"a.{ending}", options=FigureOptions()).content
        for ending in ("png", "svg")
    )
    wanted = pixels(png)
    difference = np.abs(rendered(svg, wanted.shape[1], wanted.shape[0]) - wanted)
    assert difference[120:600].mean() < 1
    assert difference.mean() < 6  # letters lie where another program puts them


def test_text_of_a_saved_figure_is_that_of_the_command(page: Page, run: Path, tmp_path: Path) -> None:
    made = write_figure(run, [CASE], tmp_path / "a.svg", options=FigureOptions()).content
    found, wanted = (
        " ".join(
            element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
        )
        for svg in (saved(page, f"{FIGURE}[data-as=svg]")[1], made)
    )
    assert found == wanted


def test_a_changed_threshold_and_window_are_said(page: Page) -> None:
    close(page)
    for key in (".", "i"):
        page.keyboard.press(key)
        settle(page)
    page.keyboard.press("Shift+E")
    text = saved(page, f"{FIGURE}[data-as=svg]")[1].decode()
    assert "not the audit’s threshold: fraction 0.6" in text
    assert "Brightness and contrast as set on the page." in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_dialog(browser: Browser, run: Path, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page = Opened(context.new_page()).case(run, 0)
    page.keyboard.press("Shift+E")
    assert page.locator("#saving").is_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_the_dialog_works_by_keys_alone(page: Page) -> None:
    for _ in range(2):  # past Close
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.ratio") == "1":
            break
    with page.expect_download():
        page.keyboard.press("Enter")
    close(page)


def test_a_case_in_a_single_file_is_saved_as_well(opened: Opened, run: Path, tmp_path: Path) -> None:
    single = tmp_path / "report.html"
    write_single_file(run, single, cases=[CASE])
    opened.folder = single
    opened.page.goto(f"{single.as_uri()}#case/{CASE}/benign")
    opened.page.wait_for_selector("#case[data-drawn]")
    settle(opened.page)
    opened.page.click("[data-does=saving]")
    assert pixels(saved(opened.page, f"{SHOWN}[data-ratio='1']")[1]).size
    assert pixels(saved(opened.page, f"{FIGURE}[data-as=png]")[1]).shape[1] == 2126


def test_nothing_is_saved_of_an_image_that_is_out_of_sight(page: Page) -> None:
    close(page)
    page.locator("#stage").focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    settle(page)
    page.keyboard.press("Shift+E")
    page.click(f"{SHOWN}[data-ratio='1']")
    page.wait_for_selector("#save-state:text('out of sight')")
