"""Tests of Parametric Maps: read back by pydicom, highdicom, GDCM and our own reader of external maps."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from highdicom.pm.sop import pmread
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from pipeline.exports import parametric_map
from pipeline.exports.objects import ExportedObject, LeftOut, encoded
from pipeline.exports.parametric_map import PARAMETRIC_MAP
from pipeline.exports.study import ExportedStudy
from pipeline.external_maps.formats.parametric_map import planes, read
from pipeline.geometry import resample_to_image
from tests.exports.made import FINDINGS, METHODS, MODALITIES, SHAPE, heatmap, study
from tests.exports.validators import complaints

GDCMRAW = Path(sys.executable).with_name("gdcmraw")
GRIDS = ("image", "own")


def made(of: ExportedStudy) -> list[ExportedObject]:
    return [one for one in PARAMETRIC_MAP.objects(of, {}) if isinstance(one, ExportedObject)]


def maps_of(of: ExportedStudy, image: int, finding: str, method: str):
    return [
        one
        for frame in of.images[image].frames
        for found in frame.findings
        for one in found.maps
        if (one.finding, one.method) == (finding, method)
    ]


def written(one: ExportedObject, folder: Path) -> Path:
    path = folder / "map.dcm"
    path.write_bytes(encoded(one.dataset))
    return path


@pytest.fixture(params=MODALITIES)
def modality(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=GRIDS)
def grid(request: pytest.FixtureRequest) -> str:
    return request.param


def test_three_readers_give_the_maps_to_the_last_bit(modality, grid, tmp_path):
    of = study(modality, options={"map_grid": grid})
    first = maps_of(of, 0, FINDINGS[0], METHODS[0])
    wanted = np.stack(
        [one.relevance if grid == "own" else resample_to_image(one.relevance, one.placement) for one in first]
    )
    path = written(made(of)[0], tmp_path)
    read_back = dcmread(path).pixel_array.reshape(wanted.shape)
    assert read_back.dtype == np.float32
    np.testing.assert_array_equal(read_back, wanted)
    with pmread(path) as opened:
        real = opened.get_frames(apply_real_world_transform=True, dtype=np.float32)
    np.testing.assert_array_equal(real, wanted)
    raw = tmp_path / "map.raw"
    subprocess.run([GDCMRAW, "-t", "7fe0,0008", "-i", path, "-o", raw], check=True, capture_output=True)
    np.testing.assert_array_equal(np.fromfile(raw, "<f4").reshape(wanted.shape), wanted)


def test_our_own_reader_finds_image_finding_method_and_probability(modality, grid, tmp_path):
    of = study(modality, options={"map_grid": grid})
    image = of.images[0]
    for one in made(of)[: len(FINDINGS) + 1]:
        path = written(one, tmp_path)
        for number, (plane, frame) in enumerate(zip(planes(path), image.frames, strict=True)):
            found = next(entry for entry in frame.findings if entry.finding == plane.finding)
            wanted = next(entry for entry in found.maps if entry.method == plane.method)
            assert plane.image == image.header.SOPInstanceUID
            assert plane.frame == (frame.frame if "NumberOfFrames" in image.header else None)
            assert plane.probability == found.probability
            assert plane.operating_point == found.threshold
            assert plane.placement == (wanted.placement if grid == "own" else None)
            if grid == "own":
                np.testing.assert_array_equal(read(path, number), wanted.relevance)


def test_maps_on_the_grid_of_the_image_are_valid_too(modality, tmp_path):
    for one in made(study(modality, options={"map_grid": "image"})):
        assert complaints(one, tmp_path) == []


def test_a_reader_of_planes_puts_the_first_cell_where_it_lies(tmp_path):
    one = made(study("CT series", options={"map_grid": "own"}))[0]
    with pmread(written(one, tmp_path)) as opened:
        affine = opened.get_volume_geometry().affine
    np.testing.assert_allclose(affine[:3, 3], (10.7, -19.475, 28.25))
    np.testing.assert_allclose(affine[:3, 1:3].T, [[0, 0, -4], [1.6, 1.2, 0]])


def test_maps_of_an_image_with_a_place_share_its_frame_of_reference():
    of = study("enhanced CT")
    for one in made(of):
        assert one.dataset.FrameOfReferenceUID == of.images[0].header.FrameOfReferenceUID
        assert "ImageComments" not in one.dataset
        assert one.dataset.ImageType[2] == "VOLUME"


def test_a_place_that_stands_in_is_told_and_is_no_other_images():
    first, second = study("DX"), study("CR")
    other = replace(second.images[0], header=second.images[0].header)
    other.header.SOPInstanceUID = "1.2.3"
    both = replace(first, images=(first.images[0], other))
    found = made(both)
    assert len({one.dataset.FrameOfReferenceUID for one in found}) == 2
    assert len({one.dataset.SeriesInstanceUID for one in found}) == 2
    assert all("no frame of reference" in one.dataset.ImageComments for one in found)


def test_an_object_names_quantity_and_unit():
    one = made(study("DX"))[0]
    mapping = one.dataset.PerFrameFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.LUTLabel == "gradcam"
    assert mapping.LUTExplanation == "nodule"
    assert mapping.MeasurementUnitsCodeSequence[0].CodeMeaning == "logit"
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == "130403"


def test_the_middle_of_a_map_below_one_is_shown_in_the_middle():
    """Values from 0 to 0.5: with LINEAR, whose formula takes 1 from the width, the window were negative."""
    of = study("DX")
    (frame,) = of.images[0].frames
    values = np.linspace(0, 0.5, 48, dtype=np.float32).reshape(8, 6)
    findings = tuple(
        replace(one, maps=tuple(replace(found, relevance=values) for found in one.maps))
        for one in frame.findings
    )
    images = (replace(of.images[0], frames=(replace(frame, findings=findings),)),)
    one = made(replace(of, images=images))[0]
    (window,) = one.dataset.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence
    header = Dataset()
    header.update(window)
    header.PhotometricInterpretation, header.PixelRepresentation, header.BitsStored = "MONOCHROME2", 0, 8
    shown = apply_windowing(np.array([0, 0.25, 0.5]), header)
    np.testing.assert_allclose(shown, [0, 127.5, 255])


def test_a_finding_with_a_long_name_is_read_in_full(tmp_path):
    one = made(study("DX"))[-1]
    assert one.dataset.PerFrameFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0].LUTExplanation
    assert planes(written(one, tmp_path))[0].finding == FINDINGS[1]


def test_there_is_one_object_per_finding_and_method():
    assert [one.dataset.ContentDescription for one in made(study("US multi-frame"))] == [
        "nodule by gradcam",
        "nodule by integrated_gradients",
        f"{FINDINGS[1]} by gradcam"[:64],
    ]


def test_an_image_without_maps_is_told():
    of = study("DX")
    (frame,) = of.images[0].frames
    bare = replace(frame, findings=tuple(replace(one, maps=()) for one in frame.findings))
    images = (replace(of.images[0], frames=(bare,)),)
    (left,) = PARAMETRIC_MAP.objects(replace(of, images=images), {})
    assert isinstance(left, LeftOut)
    assert (left.case_id, left.reason) == (frame.case_id, "no_map")


def test_pixels_that_readers_cannot_count_are_left_out(monkeypatch):
    monkeypatch.setattr(parametric_map, "MOST_BYTES", SHAPE[0] * SHAPE[1] * 4 - 1)
    on_image = study("DX", options={"map_grid": "image"})
    assert {one.reason for one in PARAMETRIC_MAP.objects(on_image, {})} == {"too_large"}
    assert len(made(study("DX"))) == 3


def test_maps_of_unlike_grids_are_in_objects_of_their_own():
    of = study("US multi-frame")
    image = of.images[0]
    first, second = image.frames
    coarser = heatmap(second.case_id, FINDINGS[0], METHODS[0], at=(0, 0))
    coarser = replace(
        coarser,
        relevance=coarser.relevance[::2].copy(),
        placement=replace(coarser.placement, model_shape=(4, 6), scale=(16.0, 8.0), offset=(7.5, 3.5)),
    )
    changed = replace(second, findings=(replace(second.findings[0], maps=(coarser,)), second.findings[1]))
    fine, coarse, *_ = made(replace(of, images=(replace(image, frames=(first, changed)),)))
    assert (fine.dataset.Rows, fine.dataset.Columns) == (8, 6)
    assert (coarse.dataset.Rows, coarse.dataset.Columns) == (4, 6)
    assert (fine.case_ids, coarse.case_ids) == ((first.case_id,), (second.case_id,))
