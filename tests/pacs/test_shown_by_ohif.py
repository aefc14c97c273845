"""OHIF in Chromium shows exported objects where they belong, over an image in Orthanc."""

from __future__ import annotations

import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from scipy.ndimage import binary_dilation, label

from pipeline.contours.drawing import draw
from pipeline.exports import EXPORTS
from pipeline.exports.objects import encoded
from pipeline.exports.study import ExportedImage, ExportedStudy
from pipeline.viewer.ohif import address_of_study, ohif
from pipeline.viewer.orthanc import orthanc
from tests.exports.made import FINDINGS, METHODS, RUN, SPACING, frame, heatmap, study

OHIF = Path(os.environ.get("OHIF", ".venv/ohif"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WEBGL = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
         "--ignore-gpu-blocklist")  # fmt: skip
NO_DIALOG = "sessionStorage.setItem('investigationalUseDialog', 'hidden')"
"""OHIF shows a dialog over the lower part of the image, sooner or later."""
ONLY_SHAPES = """
[class*=shepherd], [data-sonner-toaster], svg.svg-layer :is(text, line, circle) { display: none !important }
"""
"""Hides the tour that OHIF offers at the first visit, its notices, and texts and handles beside shapes."""
BRIGHT = 200
"""Grey level from which a pixel of the page's middle belongs to the image, which is white on black."""
CHANGED = 25
SLACK = 0.03
"""Of the image's side: two pixels of 64, for lines and for smoothing."""
DASH = 8
"""Pixels of the screen between the dashes of a line, at most."""
LONG = 60_000
"""Milliseconds: rendering in software under load."""


def radiograph(spacing: tuple[float, float]) -> ExportedStudy:
    """A white DX image with one contour, of one method, off the middle and off the diagonal."""
    one = study("DX")
    header = one.images[0].header
    header.PixelData = np.full((header.Rows, header.Columns), 4000, np.uint16).tobytes()
    header["PixelData"].VR = "OW"
    header.WindowCenter, header.WindowWidth = "2048", "4096"
    header.ImagerPixelSpacing = list(spacing)
    found = frame("case-aaaaaaaaaaaa")
    spot = heatmap(found.case_id, FINDINGS[0], METHODS[0], at=(1, 4))
    first = type(found.findings[0])(
        finding=FINDINGS[0], probability=0.9, threshold=0.5, label=1,
        contours=draw(spot, rule="fraction", threshold=0.5).regions, maps=(spot,), agreements=(),
    )  # fmt: skip
    frames = (type(found)(found.case_id, 0, found.shape, spacing, (first,), found.picture),)
    return ExportedStudy(RUN, one.study_id, (ExportedImage(header, frames),), {})


def picture(page: Page) -> np.ndarray:
    """The page: (rows, columns, 3)."""
    return np.array(Image.open(BytesIO(page.screenshot())).convert("RGB")).astype(int)


def box_of(mask: np.ndarray, share: float = 0) -> tuple[int, int, int, int]:
    """First and last row and column of which more than a share is set."""
    columns = np.flatnonzero(mask.mean(0) > share)
    rows = np.flatnonzero(mask[:, columns].mean(1) > share)
    return rows[0], rows[-1], columns[0], columns[-1]


def image_of(before: np.ndarray) -> np.ndarray:
    """Where the white image is: its rows and columns are white for the most part, texts are not."""
    top, bottom, left, right = box_of(before.min(2) > BRIGHT, 0.5)
    found = np.zeros(before.shape[:2], bool)
    found[top : bottom + 1, left : right + 1] = True
    return found


@pytest.fixture
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(WEBGL))
        made = browser.new_page(viewport={"width": 1280, "height": 900})
        made.add_init_script(NO_DIALOG)
        yield made
        browser.close()


@pytest.mark.skipif(not OHIF.exists(), reason="OHIF's build is not there: make viewer fetches it from npm")
@pytest.mark.parametrize(
    ("kind", "spacing"),
    [("seg", SPACING), ("sr", (0.25, 0.25))],  # OHIF 3.13 draws reports at a wrong place if pixels are oblong
)
def test_contours_lie_on_their_spot(kind, spacing, tmp_path, page):
    shown = radiograph(spacing)
    title = EXPORTS[kind].title
    (contour,) = shown.images[0].frames[0].findings[0].contours
    with orthanc(tmp_path) as server:
        server.add(encoded(shown.images[0].header))
        del shown.images[0].header.PixelData
        segmentations = list(EXPORTS["seg"].objects(shown, {}))
        for one in segmentations if kind == "seg" else EXPORTS[kind].objects(shown, {"seg": segmentations}):
            server.add(encoded(one.dataset))
        with ohif(OHIF, server.url) as address:
            before = _opened(page, address_of_study(address, shown.images[0].header.StudyInstanceUID), title)
            page.get_by_text(title).first.dblclick()
            if kind == "seg":
                page.get_by_text("Yes", exact=True).first.click(timeout=LONG)
            after = _when(page, lambda shot: _coloured(shot, before).sum() > CHANGED)
    top, bottom, left, right = box_of(image_of(before))
    height, width = bottom - top + 1, right - left + 1
    first_row, last_row, first_column, last_column = box_of(largest_shape(_coloured(after, before)))
    row, column = contour.corner
    rows, columns = contour.mask.shape
    wanted = (row / 64, (row + rows) / 64, column / 48, (column + columns) / 48)
    seen = ((first_row - top) / height, (last_row + 1 - top) / height,
            (first_column - left) / width, (last_column + 1 - left) / width)  # fmt: skip
    assert np.abs(np.subtract(wanted, seen)).max() < SLACK, (wanted, seen)


def largest_shape(mask: np.ndarray) -> np.ndarray:
    """The largest set of pixels with no gap wider than one between dashes."""
    shapes, _ = label(binary_dilation(mask, iterations=DASH // 2))
    sizes = np.bincount(shapes[mask])
    return mask & (shapes == np.argmax(sizes))


def _coloured(shot: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Pixels of the white image that are no longer grey."""
    return (shot.max(2) - shot.min(2) > CHANGED) & image_of(before)


def _opened(page: Page, address: str, title: str) -> np.ndarray:
    """The picture of the image alone; a viewer that fails to load it is asked again."""
    for wait in (LONG // 3, LONG):
        page.goto(address)
        page.get_by_text(title).first.wait_for(timeout=LONG)
        page.add_style_tag(content=ONLY_SHAPES)
        with suppress(AssertionError):
            return _when(page, _is_white, wait=wait)
    raise AssertionError("the viewer does not show the image")


def _is_white(shot: np.ndarray) -> bool:
    return bool((shot.min(2) > BRIGHT).mean() > 0.1)


def _when(page: Page, is_there, *, wait: int = LONG) -> np.ndarray:
    """The picture once it shows what is waited for."""
    for _ in range(wait // 500):
        shot = picture(page)
        if is_there(shot):
            page.wait_for_timeout(1000)
            return picture(page)
        page.wait_for_timeout(500)
    raise AssertionError("the viewer does not show it")
