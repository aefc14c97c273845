"""Tests of DICOM RT Structure Sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
from pydicom import Dataset, dcmread

from pipeline.annotations import dicom_files, find_annotations
from pipeline.annotations.drawn import ODD
from pipeline.cohort.lookup import ImageLookup
from pipeline.errors import CaseError, ConfigError
from pipeline.ground_truth.matching import gather_truth
from pipeline.loaders import read_header
from pipeline.records import AnnotationItem, Case, ImagePlane, Point
from tests.annotations.dicom_masks import write_mask
from tests.annotations.structure_sets import Contour, in_mm, write_structure_set
from tests.annotations.tools import read, refusal
from tests.cohort.cases import case, pseudonym

SHAPE = (12, 20)
PLANE = ImagePlane((0.6, 0.8, 0), (0, 0, -1), (20.5, -7, 33), (0.5, 0.75), "1.2.3")
"""Oblique, off the centre, with pixels that are not square."""
AXIAL = ImagePlane((1, 0, 0), (0, 1, 0), (-40, -30, 12.5), (0.5, 0.75), "1.2.3")
TRIANGLE = [(2.3, 1.6), (14.1, 3.2), (6.7, 9.4)]
OUTER, INNER, FAR = ([(a, a), (b, a), (b, b), (a, b)] for a, b in ((0.5, 9.5), (3.5, 6.5), (9.5, 11.5)))


def items(folder: Path, plane: ImagePlane = PLANE) -> list[AnnotationItem]:
    return [replace(item, plane=plane) for item in find_annotations(folder, [{"format": "rtstruct"}])]


def contour(points: list[tuple[float, float]], plane: ImagePlane = PLANE, image: str | None = "7") -> Contour:
    return Contour(in_mm(points, plane), image)


def write(folder: Path, *contours: Contour, system: str = "1.2.3") -> None:
    write_structure_set(folder / "a.dcm", {"Nodule": contours}, frame_of_reference=system)


def test_a_contour_in_mm_is_a_polygon_in_pixels(tmp_path: Path) -> None:
    write(tmp_path, contour(TRIANGLE))
    (item,) = items(tmp_path)
    assert (item.image, item.finding, item.reader, item.kind) == ("7", "Nodule", "reader", "polygon")
    (polygon,) = read(item, SHAPE).polygons
    np.testing.assert_allclose(polygon, TRIANGLE, atol=1e-4)


def test_simple_itk_finds_the_same_pixels(tmp_path: Path) -> None:
    points = np.array([[25.0, -1, 31], [28.0, 3.0, 29.5], [26.5, 1.0, 28.0]])
    image = sitk.Image(20, 12, 1, sitk.sitkUInt8)
    image.SetOrigin(PLANE.position)
    image.SetSpacing((0.75, 0.5, 1))
    normal = np.cross(PLANE.along, PLANE.down)
    points -= ((points - PLANE.position) @ normal)[:, None] * normal
    image.SetDirection(np.stack([PLANE.along, PLANE.down, normal], axis=1).ravel())
    expected = [image.TransformPhysicalPointToContinuousIndex(point)[:2] for point in points.tolist()]
    write(tmp_path, Contour(points, "7"))
    (item,) = items(tmp_path)
    np.testing.assert_allclose(read(item, SHAPE).polygons[0], expected, atol=1e-4)


def test_a_contour_in_another_is_a_hole_and_one_beside_it_a_part(tmp_path: Path) -> None:
    """Rows and columns 1 to 9 without 4 to 6, and 10 to 11."""
    write(tmp_path, contour(OUTER), contour(INNER), contour(FAR))
    (item,) = items(tmp_path)
    reference = read(item, SHAPE)
    expected = np.zeros(SHAPE, bool)
    expected[1:10, 1:10] = expected[10:12, 10:12] = True
    expected[4:7, 4:7] = False
    np.testing.assert_array_equal(reference.masks, [expected])
    assert reference.notices == (ODD,)


def test_contours_of_several_images_and_rois(tmp_path: Path) -> None:
    rois = {"Nodule": [contour(OUTER, image="7"), contour(OUTER, image="8")], "Cyst": [contour(INNER)]}
    write_structure_set(tmp_path / "a", rois)
    found = [(item.image, item.finding, item.kind) for item in items(tmp_path)]
    assert found == [("7", "Nodule", "polygon"), ("8", "Nodule", "polygon"), ("7", "Cyst", "polygon")]


def test_a_frame_is_counted_from_zero(tmp_path: Path) -> None:
    write(tmp_path, contour(OUTER)._replace(frame=3))
    assert [item.frame for item in items(tmp_path)] == [2]


def test_points_are_points(tmp_path: Path) -> None:
    write(tmp_path, contour([(2.5, 4)])._replace(kind="POINT"), contour([(3, 5.25)])._replace(kind="POINT"))
    (item,) = items(tmp_path)
    assert item.kind == "point"
    points = read(item, SHAPE).points
    np.testing.assert_allclose([(p.x, p.y) for p in points], [(2.5, 4), (3, 5.25)], atol=1e-4)
    assert all(isinstance(point, Point) for point in points)


@pytest.mark.parametrize(
    ("plane", "why"),
    [
        (None, "does not say where it lies"),
        (replace(PLANE, spacing_mm=None), "does not say where it lies"),
        (replace(PLANE, frame_of_reference="1.2.4"), "frame of reference"),
        (replace(PLANE, position=(20.5 - 0.8, -7 + 0.6, 33)), "more than 0.5 mm"),
    ],
)
def test_contours_that_do_not_lie_on_their_image_are_refused(
    tmp_path: Path, plane: ImagePlane | None, why: str
) -> None:
    write(tmp_path, contour(TRIANGLE))
    (item,) = items(tmp_path)
    with pytest.raises(CaseError, match=why) as refused:
        read(replace(item, plane=plane), SHAPE)
    assert refused.value.reason == "mask_not_joined"


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (Contour(in_mm(OUTER, PLANE), "7", "OPEN_PLANAR"), "no_area"),
        (Contour(np.array([1.0, 2, 3, 4]), "7"), "bad_polygon"),
        (Contour(np.array([]), "7"), "bad_polygon"),
        (Contour(in_mm([(1, 1), (2, 2)], PLANE), "7"), "bad_polygon"),
        (Contour(in_mm([(1, 1), (40, 2), (3, 3)], PLANE), "7"), "polygon_outside_image"),
    ],
    ids=["open", "not in threes", "empty", "two corners", "outside"],
)
def test_what_encloses_no_area_costs_its_finding_alone(tmp_path: Path, shape: Contour, reason: str) -> None:
    rois = {"Nodule": [shape], "Cyst": [contour(INNER)]}
    write_structure_set(tmp_path / "a", rois)
    first, second = items(tmp_path)
    assert refusal(first, SHAPE) == reason
    assert read(second, SHAPE).lesions == 1


def test_a_contour_without_image_is_found_by_its_plane(tmp_path: Path) -> None:
    write(tmp_path, contour(TRIANGLE, AXIAL, None), contour([(2, 2), (8, 2), (3, 9)], AXIAL, None))
    (item,) = items(tmp_path, AXIAL)
    there = case("there")
    there = replace(there, source=replace(there.source, plane=AXIAL))
    above = replace(AXIAL, position=(-40, -30, 15))
    other = case("above")
    other = replace(other, source=replace(other.source, plane=above))
    assert ImageLookup([other, there]).owner(item, what="annotation") is there
    with pytest.raises(CaseError, match="no image of the study folder"):
        ImageLookup([other]).owner(item, what="annotation")
    assert read(item, SHAPE).masks[0].any()


def test_an_oblique_contour_without_image_belongs_nowhere(tmp_path: Path) -> None:
    tilted = replace(PLANE, down=(0.8, -0.6, 0), along=(0.48, 0.64, 0.6))
    write(tmp_path, contour(TRIANGLE, tilted, None))
    (item,) = items(tmp_path)
    with pytest.raises(CaseError, match="neither axial, coronal nor sagittal") as refused:
        read(item, SHAPE)
    assert refused.value.reason == "mask_not_joined"
    write(tmp_path, contour(TRIANGLE, AXIAL, None), system="")
    (item,) = items(tmp_path)
    with pytest.raises(CaseError, match="neither an image nor a frame of reference"):
        read(item, SHAPE)


def test_an_image_that_is_not_there_is_the_reason_and_others_are_listed_by_the_structure_set(
    tmp_path: Path,
) -> None:
    write(tmp_path, contour(TRIANGLE))
    header = dcmread(tmp_path / "a.dcm")
    series, study, system = Dataset(), Dataset(), Dataset()
    series.ContourImageSequence = [Dataset(), Dataset()]
    for image, uid in zip(series.ContourImageSequence, "78", strict=True):
        image.ReferencedSOPInstanceUID = uid
    study.RTReferencedSeriesSequence, system.RTReferencedStudySequence = [series], [study]
    header.ReferencedFrameOfReferenceSequence = [system]
    header.save_as(tmp_path / "a.dcm")
    drawn, listed = find_annotations(tmp_path, [{"format": "rtstruct", "unmarked": "absent"}])
    assert (drawn.image, drawn.says, listed.image, listed.says) == ("7", "shapes", "8", "nothing")
    assert listed.unmarked == ("Nodule",)
    with pytest.raises(CaseError, match="is not in the study folder") as refused:
        ImageLookup([case("other", uid="8")]).owner(drawn, what="annotation")
    assert refused.value.reason == "annotation_without_image"


def test_a_contour_comes_to_lie_on_an_image_that_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    geometry = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [-40, -30, 12.5]}
    geometry |= {"PixelSpacing": [0.5, 0.75], "FrameOfReferenceUID": "1.2.3", "SOPInstanceUID": "1.7"}
    pixels = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE)
    write_mask(tmp_path / "studies" / "a.dcm", pixels, Modality="CT", StudyInstanceUID="1.5", **geometry)
    (source,) = read_header(tmp_path / "studies" / "a.dcm", root=tmp_path / "studies")
    (tmp_path / "annotations").mkdir()
    corners = np.array([(-38.5, -29), (-34, -29), (-34, -27.5), (-38.5, -27.5)])
    points = np.column_stack([corners, np.full(4, 12.5)])
    write(tmp_path / "annotations", Contour(points, "1.7"))
    read_case = {"labels": None, "names": {}, "findings": ["Nodule"], "pseudonym": pseudonym}
    truth = gather_truth(tmp_path / "annotations", sources=(), cases=[Case("c", "p", source)], **read_case)
    (item,) = truth.items["c"]
    expected = [(2, 2), (8, 2), (8, 5), (2, 5)]
    np.testing.assert_allclose(read(item, SHAPE).polygons[0], expected, atol=1e-4)


def test_several_images_of_one_contour_are_refused(tmp_path: Path) -> None:
    write(tmp_path, contour(TRIANGLE))
    header = dcmread(tmp_path / "a.dcm")
    images = header.ROIContourSequence[0].ContourSequence[0].ContourImageSequence
    images.append(images[0])
    header.save_as(tmp_path / "a.dcm")
    (item,) = items(tmp_path)
    assert refusal(item, SHAPE) == "mask_not_joined"


def test_a_file_without_contours_is_refused_and_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    write_structure_set(tmp_path / "a", {"Nodule": []})
    (item,) = items(tmp_path)
    with pytest.raises(CaseError, match="The annotation's file has no contour"):
        read(item, SHAPE)
    (tmp_path / "a").unlink()
    with pytest.raises(ConfigError, match="holds no rtstruct files"):
        items(tmp_path)


def test_more_contours_than_can_be_kept_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, *[contour(OUTER)] * 3)
    monkeypatch.setattr(dicom_files, "MOST_BYTES", 100)
    (item,) = items(tmp_path)
    with pytest.raises(CaseError, match="more than"):
        read(item, SHAPE)


def test_nothing_of_the_file_but_names_of_rois_comes_out(tmp_path: Path) -> None:
    write(tmp_path, contour(TRIANGLE))
    (item,) = find_annotations(tmp_path, [{"format": "rtstruct", "reader": "second"}])
    assert item.reader == "second"
    assert "Roe" not in repr(item)
