"""Tests of Secondary Captures: dcmtk reads the same pixels, and lines lie where the contours do."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from pipeline.exports.captures import LONGEST, NARROWEST, SHORTEST, capture, method_marks, reader_marks
from pipeline.exports.objects import ExportedObject, LeftOut, encoded
from pipeline.exports.palette import METHODS as COLOURS
from pipeline.exports.palette import READERS
from pipeline.exports.secondary_capture import SECONDARY_CAPTURE
from pipeline.exports.study import ExportedStudy, ReaderMarks
from pipeline.reporting.figures.lettering import Lettering
from tests.exports.made import METHODS, SHAPE, study

FONT = Lettering.bundled().content
BLACK = np.zeros((100, 200, 3), np.uint8)
SQUARE = np.array([[19.5, 9.5], [59.5, 9.5], [59.5, 49.5], [19.5, 49.5]])
"""Around columns 20 to 59 and rows 10 to 49."""


def made(of: ExportedStudy) -> list[ExportedObject]:
    return [one for one in SECONDARY_CAPTURE.objects(of, {}) if isinstance(one, ExportedObject)]


def shown(of: ExportedStudy) -> np.ndarray:
    return made(of)[0].dataset.pixel_array


def changed(of: ExportedStudy, **more: object) -> ExportedStudy:
    """The study with other fields in its first frame, or in the first finding of it."""
    (frame, *others), image = of.images[0].frames, of.images[0]
    first = {name: value for name, value in more.items() if name == "readers"}
    findings = (replace(frame.findings[0], **first), *frame.findings[1:])
    frame = replace(frame, findings=findings, **{k: v for k, v in more.items() if k not in first})
    return replace(of, images=(replace(image, frames=(frame, *others)), *of.images[1:]))


def where(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns of the pixels that have the colour."""
    return np.argwhere((np.abs(pixels.astype(int) - colour) < 25).all(axis=2))


@pytest.mark.parametrize("modality", ["DX", "US multi-frame", "enhanced CT"])
def test_dcmtk_and_pydicom_read_the_same_pixels(modality, tmp_path: Path):
    one = made(study(modality))[0]
    path = tmp_path / "picture.dcm"
    path.write_bytes(encoded(one.dataset))
    subprocess.run(["dcm2pnm", "+op", path, tmp_path / "picture.ppm"], check=True, capture_output=True)
    with Image.open(tmp_path / "picture.ppm") as opened:
        np.testing.assert_array_equal(np.asarray(opened), dcmread(path).pixel_array)


def test_there_is_one_picture_per_frame_and_finding_with_contours():
    found = made(study("US multi-frame"))
    assert [one.case_ids[0] for one in found] == ["case-cccccccccc00"] * 2 + ["case-cccccccccc02"] * 2
    assert [one.dataset.SourceImageSequence[0].ReferencedFrameNumber for one in found] == [1, 1, 3, 3]
    assert {case for one in made(study("CT series")) for case in one.case_ids} == {
        "case-0bbbbbbbbbbb",
        "case-1bbbbbbbbbbb",
    }


def test_a_contour_is_drawn_along_the_edges_of_its_pixels():
    """At 8 times the size: its edges lie at 8 · 20 and 8 · 60 pixels across, 8 · 10 and 8 · 50 down."""
    pixels = capture(
        np.zeros((100, 128, 3), np.uint8),
        [method_marks("m", [SQUARE], method=0)],
        ["t"],
        pixel_aspect=1,
        font=FONT,
    )
    assert pixels.shape[1] == SHORTEST
    found = where(pixels[: 100 * 8], COLOURS[0])
    np.testing.assert_allclose(found.min(axis=0), [80, 160], atol=2)
    np.testing.assert_allclose(found.max(axis=0), [400, 480], atol=2)


def test_pixels_of_the_picture_are_square():
    """64 rows of 0.5 mm and 48 columns of 0.25 mm are 32 mm by 12 mm."""
    pixels = shown(study("DX"))
    assert pixels.shape[1] == NARROWEST
    picture = pixels[:SHORTEST]
    lit = np.flatnonzero((picture[-1] > 150).all(axis=1))
    assert lit[-1] - lit[0] + 1 == SHORTEST * 12 // 32


def test_large_images_are_made_smaller():
    large = np.zeros((2600, 2000, 3), np.uint8)
    assert capture(large, [], ["t"], pixel_aspect=1, font=FONT).shape[1] == round(2000 * LONGEST / 2600)


def test_methods_have_colours_of_their_own():
    pixels = shown(study("MG"))[:SHORTEST]
    assert len(where(pixels, COLOURS[0])) > 100
    assert len(where(pixels, COLOURS[1])) > 100


def test_annotations_of_readers_are_dashed():
    lines = [capture(BLACK, [marks], ["t"], pixel_aspect=1, font=FONT) for marks in (
        reader_marks("r", [SQUARE], []), replace(reader_marks("r", [SQUARE], []), is_dashed=False),
    )]  # fmt: skip
    dashed, solid = (len(where(one[:500], READERS)) for one in lines)
    assert 0.3 * solid < dashed < 0.7 * solid


def test_readers_and_their_points_are_in_the_picture():
    marks = ReaderMarks("A", (np.array([[5, 5], [15, 5], [15, 30]]),), ((40.0, 50.0),))
    with_reader = shown(changed(study("DX"), readers=(marks,)))[:SHORTEST]
    without = shown(study("DX"))[:SHORTEST]
    rows = np.flatnonzero((with_reader != without).any(axis=(1, 2)))
    assert rows.min() < 16 * 6
    assert rows.max() > 16 * 50


def test_the_overlay_is_that_of_the_first_map_and_only_on_demand():
    asked = []

    def overlay(finding: str, method: str, colours: str) -> np.ndarray:
        asked.append((finding, method, colours))
        return np.full((*SHAPE, 3), (200, 30, 30), np.uint8)

    of = changed(study("DX"), overlay=overlay)
    assert not len(where(shown(of), (200, 30, 30)))
    coloured = shown(replace(of, options={"overlay": "inferno"}))
    assert asked[0] == ("nodule", METHODS[0], "inferno")
    assert len(where(coloured, (200, 30, 30))) > SHORTEST * 100


def test_the_legend_says_what_is_shown_and_that_it_is_no_diagnosis():
    """Another probability, run or method changes the legend; the warning is red at its foot."""
    of = study("DX")
    legend = shown(of)[SHORTEST:]
    for other in (
        replace(of, run=replace(of.run, run_id="model-99999999")),
        changed(of, case_id="case-0"),
    ):
        assert not np.array_equal(shown(other)[SHORTEST:], legend)
    rows = where(legend, (255, 120, 100))[:, 0]
    assert rows.size
    assert rows.min() > len(legend) * 0.8
    assert made(of)[0].dataset.ImageComments == "NOT FOR DIAGNOSIS"


def test_long_words_are_broken_to_the_width_of_the_legend():
    pixels = capture(BLACK, [], ["x" * 400, "und so weiter"], pixel_aspect=1, font=b"")
    legend = pixels[SHORTEST // 2 :]
    assert (legend[:, -8:] == legend[0, 0]).all()
    assert len(legend) > 5 * 20


@pytest.mark.parametrize(("stated", "wanted"), [("YES", "YES"), ("NO", "NO"), (None, None), ("MAYBE", None)])
def test_burned_in_text_of_the_image_is_in_the_picture_too(stated, wanted):
    of = study("US multi-frame")
    of.images[0].header.BurnedInAnnotation = stated
    assert made(of)[0].dataset.get("BurnedInAnnotation") == wanted


def test_an_image_of_which_the_run_holds_no_pixels_is_listed():
    of = changed(study("DX"), picture=None, why_no_picture="the run holds no pixels of it")
    (left_out,) = SECONDARY_CAPTURE.objects(of, {})
    assert isinstance(left_out, LeftOut)
    assert (left_out.case_id, left_out.reason) == (of.images[0].frames[0].case_id, "no_picture")
    assert left_out.message == "the run holds no pixels of it"
