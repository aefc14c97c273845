"""OHIF in Chromium shows exported objects where they belong, over an image in Orthanc."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from pipeline.contours.drawing import draw
from pipeline.exports import EXPORTS
from pipeline.exports.objects import encoded
from pipeline.exports.study import ExportedImage, ExportedStudy
from pipeline.viewer.ohif import address_of_study, ohif
from pipeline.viewer.orthanc import orthanc
from tests.exports.made import FINDINGS, METHODS, RUN, frame, heatmap, study

OHIF = Path(os.environ.get("OHIF", ".venv/ohif"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WEBGL = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
         "--ignore-gpu-blocklist")  # fmt: skip
NO_TOUR = "[class*=shepherd] { display: none !important }"
"""Hides the tour that OHIF offers at the first visit."""
BRIGHT = 200
"""Grey level from which a pixel of the page's middle belongs to the image, which is white on black."""
CHANGED = 25
SLACK = 0.03
"""Of the image's side: two pixels of 64, for lines and for smoothing."""
LONG = 60_000
"""Milliseconds: rendering in software under load."""


def radiograph() -> ExportedStudy:
    """A white DX image with one contour, of one method, off the middle and off the diagonal."""
    one = study("DX")
    header = one.images[0].header
    header.PixelData = np.full((header.Rows, header.Columns), 4000, np.uint16).tobytes()
    header["PixelData"].VR = "OW"
    header.WindowCenter, header.WindowWidth = "2048", "4096"
    found = frame("case-aaaaaaaaaaaa")
    spot = heatmap(found.case_id, FINDINGS[0], METHODS[0], at=(1, 4))
    first = type(found.findings[0])(
        finding=FINDINGS[0], probability=0.9, threshold=0.5, label=1,
        contours=draw(spot, rule="fraction", threshold=0.5).regions, maps=(spot,), agreements=(),
    )  # fmt: skip
    frames = (type(found)(found.case_id, 0, found.shape, found.spacing_mm, (first,), found.picture),)
    return ExportedStudy(RUN, one.study_id, (ExportedImage(header, frames),), {})


def picture(page: Page) -> np.ndarray:
    """The viewport's middle, without the texts at its edges: (rows, columns, 3)."""
    box = page.locator("canvas.cornerstone-canvas").first.bounding_box()
    return np.array(Image.open(BytesIO(page.screenshot(clip=box))).convert("RGB")).astype(int)


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """First and last row and column."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return rows[0], rows[-1], columns[0], columns[-1]


@pytest.fixture
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(WEBGL))
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


@pytest.mark.skipif(not OHIF.exists(), reason="OHIF's build is not there: make test-pacs fetches it from npm")
def test_a_segmentation_lies_on_its_spot(tmp_path, page):
    shown = radiograph()
    (contour,) = shown.images[0].frames[0].findings[0].contours
    with orthanc(tmp_path) as server:
        server.add(encoded(shown.images[0].header))
        del shown.images[0].header.PixelData
        for one in EXPORTS["seg"].objects(shown, {}):
            server.add(encoded(one.dataset))
        with ohif(OHIF, server.url) as address:
            page.goto(address_of_study(address, shown.images[0].header.StudyInstanceUID))
            page.get_by_text("Heatmap contours").first.wait_for(timeout=LONG)
            page.add_style_tag(content=NO_TOUR)
            page.wait_for_function(
                "() => document.querySelector('canvas.cornerstone-canvas') !== null", timeout=LONG
            )
            page.get_by_text("Confirm and hide").click(timeout=LONG)
            before = _when(page, lambda shot: (shot.min(2) > BRIGHT).mean() > 0.1)
            page.get_by_text("Heatmap contours").first.dblclick()
            page.get_by_text("Yes", exact=True).first.click(timeout=LONG)
            after = _when(page, lambda shot: _coloured(shot, before).sum() > CHANGED)
    top, bottom, left, right = box_of(before.min(2) > BRIGHT)
    height, width = bottom - top + 1, right - left + 1
    first_row, last_row, first_column, last_column = box_of(_coloured(after, before))
    row, column = contour.corner
    rows, columns = contour.mask.shape
    wanted = (row / 64, (row + rows) / 64, column / 48, (column + columns) / 48)
    seen = ((first_row - top) / height, (last_row + 1 - top) / height,
            (first_column - left) / width, (last_column + 1 - left) / width)  # fmt: skip
    assert np.abs(np.subtract(wanted, seen)).max() < SLACK, (wanted, seen)


def _coloured(shot: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Pixels of the white image that are no longer grey."""
    return (shot.max(2) - shot.min(2) > CHANGED) & (before.min(2) > BRIGHT)


def _when(page: Page, is_there) -> np.ndarray:
    """The picture once it shows what is waited for."""
    for _ in range(LONG // 500):
        shot = picture(page)
        if is_there(shot):
            page.wait_for_timeout(1000)
            return picture(page)
        page.wait_for_timeout(500)
    raise AssertionError("the viewer does not show it")
