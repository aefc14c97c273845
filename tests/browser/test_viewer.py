"""The viewer: pixels on canvas as computed by hand, zoom, window, layers, by mouse, touch and keyboard."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page

from pipeline.geometry import cropped, resample_to_image, resized, view, whole
from pipeline.records import Display
from tests.browser.opened import Opened, colour_at, on_screen, place_of, settle
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

COLOURS = {"inferno": cv2.COLORMAP_INFERNO, "viridis": cv2.COLORMAP_VIRIDIS, "jet": cv2.COLORMAP_JET}
HIT = 0
SHAPE = (36, 48)
LOW, HIGH = 900, 2700
"""Of the stored values that are shown black and white."""


def stored(image: np.ndarray) -> np.ndarray:
    """12-bit values beyond the window on both sides, no two neighbours alike."""
    return (
        13 * image.astype(np.uint16) + 7 * (np.indices(image.shape)[1].astype(np.uint16) % 5) + 700
    ).astype(np.uint16)


def deep(image: np.ndarray) -> Display:
    return Display(stored(image), LOW, HIGH, slope=0.5, intercept=-1024.0, unit="HU")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of images so small that each pixel is seen."""
    images: list[np.ndarray] = []

    def kept(image: np.ndarray) -> Display:
        images.append(image)
        return deep(image)

    run = make_run(tmp_path_factory.mktemp("small"), cases=3, shape=SHAPE, display=kept)
    write_report(run)
    np.save(run / "values.npy", np.stack([stored(image) for image in images]))
    return run


def grey(value: float, *, low: float = LOW, high: float = HIGH) -> tuple[int, int, int]:
    share = np.clip((value - low) / (high - low), 0, 1)
    return (int(np.floor(255 * share + 0.5)),) * 3


def bare(opened: Opened, run: Path, number: int = HIT) -> Page:
    """The image without any layer."""
    page = opened.case(run, number)
    for key in "hca":
        page.keyboard.press(key)
    settle(page)
    return page


def test_every_pixel_is_as_bright_as_computed_by_hand(opened: Opened, small: Path) -> None:
    values = np.load(small / "values.npy")[HIT].astype(int)
    page = bare(opened, small)
    assert place_of(page)[0] > 4
    darkest, brightest = values.argmin(), values.argmax()
    assert values.min() < LOW
    assert values.max() > HIGH
    for at in (darkest, brightest, *range(5, values.size, 97)):
        row, column = divmod(int(at), SHAPE[1])
        assert colour_at(page, row, column) == grey(values[row, column]), (row, column)


def test_inverting_turns_black_and_white_round(opened: Opened, small: Path) -> None:
    values = np.load(small / "values.npy")[HIT].astype(int)
    page = bare(opened, small)
    page.keyboard.press("i")
    settle(page)
    for row, column in ((3, 4), (20, 30), (35, 47)):
        assert colour_at(page, row, column) == grey(LOW + HIGH - values[row, column])
    assert page.locator("[data-does=invert]").get_attribute("aria-pressed") == "true"
    page.keyboard.press("r")
    settle(page)
    assert colour_at(page, 3, 4) == grey(values[3, 4])


@pytest.mark.parametrize("how", ["right button", "shift", "tool"])
def test_dragging_changes_the_window(opened: Opened, small: Path, how: str) -> None:
    values = np.load(small / "values.npy")[HIT].astype(int)
    page = bare(opened, small)
    x, y = on_screen(page, 18, 24)
    page.mouse.move(x, y)
    if how == "tool":
        page.click("[data-does=windowing]")
        page.mouse.move(x, y)
    if how == "shift":
        page.keyboard.down("Shift")
    page.mouse.down(button="right" if how == "right button" else "left")
    page.mouse.move(x - 128, y + 32)
    page.mouse.up(button="right" if how == "right button" else "left")
    page.keyboard.up("Shift")
    settle(page)
    # 128 px left: narrower by 128/512 of the width; 32 px down: the centre falls by 32/512 of it.
    width, center = (HIGH - LOW) * (1 - 128 / 512), (LOW + HIGH) / 2 - (HIGH - LOW) * 32 / 512
    low, high = center - width / 2, center + width / 2
    for row, column in ((3, 4), (20, 30), (35, 47)):
        assert colour_at(page, row, column) == grey(values[row, column], low=low, high=high)
    assert page.locator(
        "#corner-window"
    ).inner_text() == f"W {0.5 * width:.3g}  L {0.5 * center - 1024:.3g} HU".replace("-", "−")


def test_the_window_is_shown_in_modality_units(opened: Opened, small: Path) -> None:
    # 900 × 0.5 - 1024 = -574 and 2700 × 0.5 - 1024 = 326: centre -124, width 900
    assert opened.case(small, HIT).locator("#corner-window").inner_text() == "W 900  L −124 HU"


def test_without_a_rescale_slope_the_window_is_shown_in_stored_values(opened: Opened, run: Path) -> None:
    assert opened.case(run, HIT).locator("#corner-window").inner_text() == "W 255  L 128"


def test_an_unspecified_unit_is_not_shown(opened: Opened, tmp_path: Path) -> None:
    def display(image: np.ndarray) -> Display:
        return Display(image, 0, 200, slope=2.0, intercept=1.0, unit="US")

    run = make_run(tmp_path, cases=1, display=display)
    write_report(run)
    assert opened.case(run, 0).locator("#corner-window").inner_text() == "W 400  L 201"


def test_a_window_whose_high_is_below_its_low_shows_low_values_bright(opened: Opened, tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1, display=lambda image: Display(image, 255, 0))
    write_report(run)
    page = bare(opened, run, 0)
    image = page.evaluate(
        "heatproof.decoding.pixels(heatproof.given('pixels.js')[0]).then((p) => [...p.values])"
    )
    assert colour_at(page, 10, 10) == (255 - image[10 * SHAPE[1] + 10],) * 3
    page.keyboard.press("Shift+ArrowRight")
    settle(page)
    assert page.locator("#corner-window").inner_text() == "W 263  L 128"


def test_the_keyboard_changes_the_window(opened: Opened, small: Path) -> None:
    page = opened.case(small, HIT)
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    settle(page)
    step = 900 * 16 / 512
    assert page.locator(
        "#corner-window"
    ).inner_text() == f"W {round(900 - step)}  L {round(-124 - step)} HU".replace("-", "−")


def test_the_value_under_the_pointer_is_shown(opened: Opened, small: Path) -> None:
    values = np.load(small / "values.npy")[HIT].astype(int)
    page = opened.case(small, HIT)
    page.mouse.move(*on_screen(page, 12, 31))
    readout = page.locator("#corner-point").inner_text()
    assert readout.startswith(
        f"x 31, y 12  value {'%.3g' % (values[12, 31] * 0.5 - 1024)} HU  map ".replace("-", "−")
    )
    page.mouse.move(5, 5)
    assert page.locator("#corner-point").inner_text() == ""


def under(page: Page, x: float, y: float) -> tuple[float, float]:
    """(row, column) of the image under a place in the window."""
    across, down, left, top = place_of(page)
    box = page.locator("#stage").bounding_box()
    return (y - box["y"] - top) / down, (x - box["x"] - left) / across


def test_the_wheel_zooms_about_the_pointer(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    before = place_of(page)
    x, y = on_screen(page, 40, 170)
    pointed = under(page, x, y)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    settle(page)
    across, down, _, _ = place_of(page)
    assert across == pytest.approx(before[0] * 1.2**3)
    assert down == pytest.approx(before[1] * 1.2**3)
    assert under(page, x, y) == pytest.approx(pointed)
    page.mouse.wheel(0, 300)
    settle(page)
    assert place_of(page) == pytest.approx(before)


def test_the_zoom_is_shown_in_screen_pixels_per_pixel(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    assert page.locator("#corner-zoom").inner_text() == f"{round(100 * place_of(page)[0])} %"


def test_zoom_ends_at_single_pixels_and_at_half_the_pane(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    fit = place_of(page)[0]
    page.mouse.move(*on_screen(page, 40, 170))
    page.mouse.wheel(0, -9000)
    settle(page)
    assert place_of(page)[0] == pytest.approx(64)
    page.mouse.wheel(0, 18000)
    settle(page)
    assert place_of(page)[0] == pytest.approx(fit / 2)


def test_dragging_moves_the_image_and_a_double_click_shows_all_of_it(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    before = place_of(page)
    x, y = on_screen(page, 90, 120)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y - 20, steps=3)
    page.mouse.up()
    settle(page)
    assert place_of(page) == pytest.approx((*before[:2], before[2] + 30, before[3] - 20))
    page.mouse.dblclick(x, y)
    settle(page)
    assert place_of(page) == pytest.approx(before)


def test_the_keyboard_zooms_and_moves(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    before = place_of(page)
    page.keyboard.press("ArrowRight")  # not in focus: the key is the page's
    page.focus("#stage")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    settle(page)
    assert place_of(page) == pytest.approx((*before[:2], before[2] - 40, before[3] + 40))
    page.keyboard.press("0")
    page.keyboard.press("+")
    settle(page)
    assert place_of(page)[0] == pytest.approx(before[0] * 1.25)
    page.keyboard.press("-")
    settle(page)
    assert place_of(page) == pytest.approx(before)


def test_two_fingers_zoom_and_one_moves(browser: Any, run: Path) -> None:
    context = browser.new_context(viewport={"width": 1024, "height": 768}, has_touch=True)
    page = Opened(context.new_page()).case(run, HIT)
    client = context.new_cdp_session(page)
    before = place_of(page)
    x, y = on_screen(page, 90, 120)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        named = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": named})

    touch("touchStart", (x - 50, y), (x + 50, y))
    touch("touchMove", (x - 100, y), (x + 50, y))
    touch("touchMove", (x - 100, y), (x + 100, y))
    touch("touchEnd")
    settle(page)
    assert place_of(page)[0] == pytest.approx(2 * before[0])
    assert on_screen(page, 90, 120) == pytest.approx((x, y), abs=1)
    touch("touchStart", (x, y))
    touch("touchMove", (x + 25, y + 5))
    touch("touchEnd")
    settle(page)
    assert on_screen(page, 90, 120) == pytest.approx((x + 25, y + 5), abs=1)
    context.close()


@pytest.mark.parametrize("spacing", [(0.8, 0.4), (0.2, 0.5)])
def test_pixels_that_are_not_square_keep_their_true_shape(
    opened: Opened, tmp_path: Path, spacing: tuple[float, float]
) -> None:
    run = make_run(tmp_path, cases=1, vary=lambda case: replace(case, spacing_mm=spacing))
    write_report(run)
    page = opened.case(run, 0)
    across, down, _, _ = place_of(page)
    assert down / across == pytest.approx(spacing[0] / spacing[1])
    box = page.locator("#stage").bounding_box()
    assert min(box["width"] - SHAPE[1] * across, box["height"] - SHAPE[0] * down) == pytest.approx(0, abs=1)
    bar = page.locator(".scale-bar")
    length = float(bar.inner_text().removesuffix(" mm"))
    assert bar.evaluate("(bar) => bar.getBoundingClientRect().width") == pytest.approx(
        length / spacing[1] * across, rel=1e-3
    )


def heat_of(run: Path, number: int = HIT) -> tuple[np.ndarray, float]:
    """The raw map of the benign finding, and the end of its scale."""
    with np.load(run / f"cases/{number:04x}c0ffee/heatmaps.npz") as maps:
        relevance = maps["gradcam/benign"]
    text = (run / "cases" / "run.js").read_text()
    content = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    return relevance, content["methods"][0]["tops"][0]


def expected(value: float, top: float, table: str = "inferno") -> tuple[int, int, int]:
    level = int(np.floor(255 * np.clip(value / top, 0, 1) + 0.5))
    colour = cv2.applyColorMap(np.array([[level]], np.uint8), COLOURS[table])[0, 0, ::-1]
    return tuple(int(channel) for channel in colour)


def fully_opaque(page: Page) -> None:
    for key in "ca":
        page.keyboard.press(key)
    page.fill("#opacity", "1")
    settle(page)


@pytest.mark.parametrize("table", ["inferno", "viridis", "jet"])
def test_the_heatmap_is_the_placed_map_in_its_colours(opened: Opened, small: Path, table: str) -> None:
    relevance, top = heat_of(small)
    placed = resample_to_image(np.maximum(relevance, 0), resized(whole(SHAPE), relevance.shape))
    page = opened.case(small, HIT)
    page.select_option("#colours", table)
    fully_opaque(page)
    solid = np.argwhere(placed > 0.51 * top)[::2]
    assert len(solid) >= 5
    for row, column in solid:
        assert colour_at(page, row, column) == pytest.approx(
            expected(placed[row, column], top, table), abs=10
        )


def test_cells_show_the_map_as_it_is(opened: Opened, small: Path) -> None:
    relevance, top = heat_of(small)
    page = opened.case(small, HIT)
    page.keyboard.press("m")
    fully_opaque(page)
    row, column = np.unravel_index(relevance.argmax(), relevance.shape)
    across = SHAPE[1] / relevance.shape[1]
    inside = [(row + 0.5) * SHAPE[0] / relevance.shape[0] - 0.5, (column + 0.5) * across - 0.5]
    wanted = expected(relevance[row, column], top)
    assert colour_at(page, *inside) == wanted
    assert colour_at(page, inside[0], inside[1] + 0.4 * across) == wanted  # to the cell's edge
    assert colour_at(page, inside[0], inside[1] + 0.6 * across) != wanted


def test_weak_relevance_lets_the_image_through(opened: Opened, small: Path) -> None:
    relevance, top = heat_of(small)
    values = np.load(small / "values.npy")[HIT].astype(int)
    placed = resample_to_image(np.maximum(relevance, 0), resized(whole(SHAPE), relevance.shape))
    page = opened.case(small, HIT)
    fully_opaque(page)
    row, column = np.argwhere(placed == 0)[0]
    assert colour_at(page, row, column) == grey(values[row, column])
    row, column = np.argwhere((placed > 0.2 * top) & (placed < 0.3 * top))[0]
    share = min(2 * placed[row, column] / top, 1)
    blended = share * np.array(expected(placed[row, column], top)) + (1 - share) * np.array(
        grey(values[row, column])
    )
    assert colour_at(page, row, column) == pytest.approx(tuple(blended), abs=4)


def test_a_map_of_a_crop_lies_where_the_network_looked(opened: Opened, tmp_path: Path) -> None:
    """The hot cell of a grid over a part of the image, and nothing beside that part."""
    placement = resized(cropped(whole(SHAPE), (6, 12), (20, 30)), (4, 5))
    cells = np.zeros((4, 5), np.float32)
    cells[3, 0] = 1

    def vary(case: Any) -> Any:
        (heatmap, *_) = case.heatmaps
        return replace(
            case, view=view(placement), regions=(), peaks=(),
            heatmaps=(replace(heatmap, relevance=cells, placement=placement),),
        )  # fmt: skip

    run = make_run(tmp_path, cases=1, vary=vary)
    write_report(run)
    page = opened.case(run, 0, finding="benign")
    page.keyboard.press("m")
    fully_opaque(page)
    hot = expected(1, 1)
    # rows 6 … 25 and columns 12 … 41 in cells of 5 × 6 pixels: the cell is rows 21 … 25, columns 12 … 17.
    for row, column, is_hot in (
        (21, 12, True),
        (25, 17, True),
        (20, 12, False),
        (26, 12, False),
        (21, 11, False),
        (21, 18, False),
    ):
        assert (colour_at(page, row, column) == hot) is is_hot, (row, column)
    assert page.locator("path.frame").get_attribute("d") == "M11.5 5.5h30v20h-30Z"
    assert page.locator("#frame-legend").is_visible()


def test_layers_are_switched_by_key_and_by_box(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)

    def there() -> tuple[int, int, int]:
        settle(page)
        return tuple(
            page.locator(f".over path.{name}").count() for name in ("network", "reader-0", "reader-1")
        )

    assert there() == (1, 1, 1)
    page.keyboard.press("c")
    assert there() == (0, 1, 1)
    assert page.locator(".over .peak").count() == 0
    page.keyboard.press("1")
    assert there() == (0, 0, 1)
    page.keyboard.press("a")
    assert there() == (0, 0, 0)
    page.keyboard.press("a")
    assert there() == (0, 1, 1)
    page.uncheck("[data-layer='reader Reader B']")
    assert there() == (0, 1, 0)
    page.check("[data-layer=network]")
    assert there() == (1, 1, 0)


def test_side_by_side_shows_readers_left_and_the_network_right(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    page.keyboard.press("s")
    settle(page)
    panes = page.locator(".pane").all()
    assert [pane.locator(".pane-title").inner_text() for pane in panes] == ["Readers", "Network"]
    assert [pane.locator("path.network").count() for pane in panes] == [0, 1]
    assert [pane.locator("path.reader").count() for pane in panes] == [2, 0]
    assert place_of(page, 0) == place_of(page, 1)
    relevance, _ = heat_of(run)
    row, column = np.unravel_index(relevance.argmax(), relevance.shape)
    hot = (row + 0.5) * 180 / 9, (column + 0.5) * 240 / 12
    assert len(set(colour_at(page, *hot, pane=0))) == 1  # grey
    assert len(set(colour_at(page, *hot, pane=1))) == 3
    box = panes[1].bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.wheel(0, -200)
    settle(page)
    assert place_of(page, 0) == place_of(page, 1)
    page.click("[data-does=beside]")
    settle(page)
    assert page.locator(".pane").count() == 1


def test_the_legend_names_scale_unit_maximum_and_level(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    relevance, top = heat_of(run)
    content = json.loads((run / "cases/0000c0ffee/case.json").read_text())
    placed = resample_to_image(
        relevance, resized(whole((content["rows"], content["columns"])), relevance.shape)
    )
    region = json.loads((run / "cases/0000c0ffee/case.json").read_text())["regions"][0]
    words = page.locator(".scale-figure").get_attribute("aria-label")
    assert words == (
        f"Colour scale from 0 to {top:.3g} logit; maximum of this image {placed.max():.3g}, "
        f"contours from {region['level']:.3g}"
    )
    mark = page.locator(".mark-line").get_attribute("d")
    assert float(mark[1:].split()[0]) == pytest.approx(200 * region["level"] / top, abs=0.06)
    assert "same scale in all images" in page.locator("#scale").inner_text()
    page.select_option("#method", "center_prior")
    page.wait_for_selector("#scale:has-text('scale of this image alone')")
    assert "0.9" in page.locator(".scale-figure").get_attribute("aria-label")


def test_a_map_without_positive_relevance_says_so(opened: Opened, tmp_path: Path) -> None:
    def vary(case: Any) -> Any:
        maps = tuple(
            replace(h, relevance=-np.ones((2, 2), np.float32), unit="relative") for h in case.heatmaps
        )
        return replace(case, heatmaps=maps, regions=(), peaks=())

    run = make_run(tmp_path, cases=1, vary=vary)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["methods"][0]["unit"] = "relative"
    (run / "manifest.json").write_text(json.dumps(manifest))
    write_report(run)
    assert opened.case(run, 0).locator("#scale").inner_text() == "no positive relevance"


def test_choices_of_display_go_with_the_reader_to_the_next_case(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    for key in "hsmik":
        page.keyboard.press(key)
    settle(page)
    opened.case(run, 1)
    settle(page)
    assert not page.locator("[data-layer=heatmap]").is_checked()
    assert page.locator(".pane").count() == 2
    assert page.locator("#colours").input_value() == "viridis"
    pressed = page.locator("[data-does][aria-pressed=true]").evaluate_all(
        "(all) => all.map((one) => one.dataset.does)"
    )
    assert set(pressed) == {"invert", "beside", "cells"}


def test_the_picture_is_described_in_words(opened: Opened, run: Path) -> None:
    page = opened.case(run, HIT)
    assert page.locator(".pane canvas").get_attribute("aria-label") == (
        "Image 0000c0ffee; heatmap of benign by gradcam, 1 contour; annotated by Reader A, Reader B"
    )
