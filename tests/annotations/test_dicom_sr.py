"""Tests of regions in DICOM measurement reports."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from pydicom import Dataset, dcmread

from pipeline.annotations.dicom_sr import find
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, ImagePlane
from tests.annotations.dicom_graphics import Region, picture, write_report
from tests.annotations.structure_sets import in_mm
from tests.annotations.tools import SQUARE, pixels, read, refusal

SHAPE = (12, 20)
IMAGE = picture("7", SHAPE)
CLOSED = [*SQUARE, SQUARE[0]]
AXIAL = ImagePlane((1, 0, 0), (0, 1, 0), (-40, -30, 12.5), (0.5, 0.75), "1.2.3")


def _region_of(report: Dataset, group: int) -> Dataset:
    content = report.ContentSequence[-1].ContentSequence[group].ContentSequence
    return next(item for item in content if item.ValueType == "SCOORD")


def items(folder: Path, *regions: Region, **options: object) -> list[AnnotationItem]:
    write_report(folder / "a", *regions)
    return list(find(folder, **options))


def test_a_polyline_counts_from_the_corner_of_the_image(tmp_path: Path) -> None:
    (item,) = items(tmp_path, Region("Nodule", "POLYLINE", CLOSED, IMAGE))
    assert (item.image, item.finding, item.frame, item.kind) == ("7", "Nodule", None, "polygon")
    reference = read(item)
    np.testing.assert_array_equal(reference.polygons[0], np.array(SQUARE) - 0.5)
    np.testing.assert_array_equal(reference.masks, [pixels(slice(1, 3), slice(1, 4))])


def test_highdicom_reads_the_same_coordinates(tmp_path: Path) -> None:
    corners = [(2.25, 1.5), (14.125, 3.25), (6.75, 9.5), (2.25, 1.5)]
    (item,) = items(tmp_path, Region("Nodule", "POLYLINE", corners, IMAGE))
    report = hd.sr.srread(tmp_path / "a")
    (group,) = report.content.get_planar_roi_measurement_groups()
    (expected,) = [group.roi.value]
    np.testing.assert_array_equal(read(item, SHAPE).polygons[0] + 0.5, expected[:-1])


@pytest.mark.parametrize(
    ("kind", "points", "area"),
    [
        ("CIRCLE", [(10, 6), (10, 10.5)], math.pi * 4.5**2),
        ("ELLIPSE", [(2, 6), (18, 6), (10, 1), (10, 11)], math.pi * 8 * 5),
        ("ELLIPSE", [(6, 2), (14, 10), (12, 4), (8, 8)], math.pi * 32**0.5 * 8**0.5),
    ],
    ids=["circle", "upright", "turned"],
)
def test_circles_and_ellipses_are_polygons_of_their_area(
    tmp_path: Path, kind: str, points: list[tuple[float, float]], area: float
) -> None:
    (item,) = items(tmp_path, Region("Nodule", kind, points, IMAGE))
    x, y = read(item, SHAPE).polygons[0].astype(float).T
    shoelace = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert shoelace == pytest.approx(area, rel=2e-4)
    middle = np.mean(points if kind == "ELLIPSE" else points[:1], axis=0) - 0.5
    np.testing.assert_allclose([x.mean(), y.mean()], middle, atol=1e-5)


def test_points_of_one_finding(tmp_path: Path) -> None:
    several = [Region("Nodule", "POINT", [place], IMAGE) for place in ((2.5, 4), (0.5, 0.5))]
    write_report(tmp_path / "a", *several)
    report = dcmread(tmp_path / "a")
    first, second = (_region_of(report, number) for number in (0, 1))
    assert first.GraphicType == "POINT"
    second.GraphicType, second.GraphicData = "MULTIPOINT", [0.5, 0.5, 3, 1]
    report.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    assert item.kind == "point"
    assert [(p.x, p.y) for p in read(item, SHAPE).points] == [(2, 3.5), (0, 0), (2.5, 0.5)]


def test_regions_of_one_finding_are_its_lesions_and_frames_are_told_apart(tmp_path: Path) -> None:
    several = picture("7", SHAPE, NumberOfFrames=3)
    found = items(
        tmp_path,
        Region("Nodule", "POLYLINE", CLOSED, several, 1),
        Region("Nodule", "POLYLINE", CLOSED, several, 3),
        Region("Nodule", "POLYLINE", CLOSED, several, 3),
    )
    assert [(item.frame, read(item).lesions) for item in found] == [(0, 1), (2, 2)]


def test_a_region_in_mm_is_found_by_its_plane(tmp_path: Path) -> None:
    corners = [(2.5, 1.5), (14, 3.25), (6.75, 9.5), (2.5, 1.5)]
    (item,) = items(tmp_path, Region("Nodule", "POLYGON", in_mm(corners, AXIAL)))
    assert item.place is not None
    assert (item.place.frame_of_reference, item.place.position) == ("1.2.3", (0, 0, 12.5))
    placed = replace(item, plane=AXIAL)
    np.testing.assert_allclose(read(placed, SHAPE).polygons[0], corners[:-1], atol=1e-4)


def test_an_ellipse_and_a_point_in_mm(tmp_path: Path) -> None:
    ends = in_mm([(2, 5), (10, 5), (6, 2), (6, 8)], AXIAL)
    point = in_mm([(3.5, 4)], AXIAL)
    ellipse, one = items(tmp_path, Region("Nodule", "ELLIPSE", ends), Region("Cyst", "POINT", point))
    outline = read(replace(ellipse, plane=AXIAL), SHAPE).polygons[0]
    np.testing.assert_allclose([outline.min(axis=0), outline.max(axis=0)], [(2, 2), (10, 8)], atol=1e-4)
    (found,) = read(replace(one, plane=AXIAL), SHAPE).points
    assert (found.x, found.y) == pytest.approx((3.5, 4), abs=1e-4)


def test_a_group_without_code_has_the_finding_of_the_source(tmp_path: Path) -> None:
    region = Region(None, "POLYLINE", CLOSED, IMAGE)
    assert [item.finding for item in items(tmp_path, region)] == [None]
    assert [item.finding for item in items(tmp_path, region, finding="Nodule")] == ["Nodule"]


def test_an_open_line_marks_no_area(tmp_path: Path) -> None:
    (item,) = items(tmp_path, Region("Nodule", "POLYLINE", SQUARE, IMAGE))
    assert refusal(item) == "no_area"


@pytest.mark.parametrize("value", [[1.0, 2], [1.0, 2, 3], [float("nan")] * 6, []])
def test_malformed_coordinates_cost_their_region_alone(tmp_path: Path, value: list[float]) -> None:
    circle = Region("Nodule", "CIRCLE", [(5, 5), (5, 7)], IMAGE)
    write_report(tmp_path / "a", circle, circle._replace(finding="Cyst"))
    report = dcmread(tmp_path / "a")
    _region_of(report, 0).GraphicData = value
    report.save_as(tmp_path / "a")
    bad, good = find(tmp_path)
    assert refusal(bad, SHAPE) == "bad_shape"
    assert read(good, SHAPE).lesions == 1


def test_a_reference_to_a_segment_is_told(tmp_path: Path) -> None:
    (item,) = items(tmp_path, Region("Nodule", "POLYLINE", CLOSED, IMAGE))
    report = dcmread(tmp_path / "a")
    region = _region_of(report, 0)
    region.ValueType, region.ConceptNameCodeSequence[0].CodeValue = "IMAGE", "121191"
    report.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    assert refusal(item) == "segment_elsewhere"


def test_nothing_but_the_meaning_of_the_finding_comes_out(tmp_path: Path) -> None:
    (item,) = items(tmp_path, Region("Nodule", "POLYLINE", CLOSED, IMAGE), reader="second")
    assert item.reader == "second"
    assert "Roe" not in repr(item)


def test_a_report_without_regions_and_a_folder_without_reports(tmp_path: Path) -> None:
    items(tmp_path, Region("Nodule", "POLYLINE", CLOSED, IMAGE))
    report = dcmread(tmp_path / "a")
    del report.ContentSequence[-1]
    report.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    with pytest.raises(CaseError, match="has no region"):
        read(item)
    (tmp_path / "a").unlink()
    with pytest.raises(ConfigError, match="holds no dicom_sr files"):
        list(find(tmp_path))


def test_a_group_without_region_says_that_its_image_shows_the_finding(tmp_path: Path) -> None:
    items(tmp_path, Region("Nodule", "POLYLINE", CLOSED, IMAGE))
    report = dcmread(tmp_path / "a")
    region = _region_of(report, 0)
    image = region.ContentSequence[0]
    region.ValueType, region.ReferencedSOPSequence = "IMAGE", image.ReferencedSOPSequence
    del region.ContentSequence, region.GraphicData, region.GraphicType
    report.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    assert (item.image, item.finding, item.says) == (IMAGE.SOPInstanceUID, "Nodule", "present")
    del region.ReferencedSOPSequence
    report.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    assert (item.image, item.finding, item.says) == ("a", None, "present")
    assert item.payload["problem"] is not None


@pytest.mark.parametrize("code", ["121191", "121214"])
def test_a_segment_beside_an_outline_of_the_same_finding_is_its_other_form(tmp_path: Path, code: str) -> None:
    outline, segment, other = (
        Region(name, "POLYLINE", CLOSED, IMAGE) for name in ("Nodule", "Nodule", "Mass")
    )
    items(tmp_path, outline, segment, other)
    report = dcmread(tmp_path / "a")
    for number in (1, 2):
        region = _region_of(report, number)
        region.ValueType, region.ConceptNameCodeSequence[0].CodeValue = "IMAGE", code
        source = deepcopy(region.ContentSequence[0])
        source.ConceptNameCodeSequence[0].CodeValue = "121233"
        source.ConceptNameCodeSequence[0].CodingSchemeDesignator = "DCM"
        report.ContentSequence[-1].ContentSequence[number].ContentSequence.append(source)
    report.save_as(tmp_path / "a")
    nodule, mass = sorted(find(tmp_path), key=lambda item: item.finding != "Nodule")
    np.testing.assert_array_equal(read(nodule).masks, [pixels(slice(1, 3), slice(1, 4))])
    assert refusal(mass) == "segment_elsewhere"
