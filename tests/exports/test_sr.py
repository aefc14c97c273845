"""Tests of measurement reports: other people's readers find the numbers and outlines of the run in them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from highdicom.sr import CodedConcept, MeasurementReport, srread
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from pipeline.annotations.dicom_sr import find
from pipeline.contours.drawing import draw
from pipeline.exports import EXPORTS
from pipeline.exports import report_codes as said
from pipeline.exports.codes import code_of
from pipeline.exports.objects import ExportedObject, encoded
from pipeline.exports.report_groups import closed_outline
from pipeline.exports.study import ContourOverlap, ExportedStudy
from pipeline.geometry import resized, whole
from pipeline.records import AnnotationItem, Heatmap, Region
from tests.annotations.tools import read
from tests.exports.made import FINDINGS, METHODS, MODALITIES, RUN, SHAPE, study

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:highdicom", "ignore::UserWarning:pydicom")
PERCENT = 100
TID1500READER = Path(sys.executable).with_name("tid1500reader")


def written(of: ExportedStudy, folder: Path, *, with_seg: bool = True) -> tuple[Path, list[Dataset]]:
    """The study's report as a file, and the Segmentations that it refers to."""
    made = [one for one in EXPORTS["seg"].objects(of, {}) if isinstance(one, ExportedObject)]
    (report,) = EXPORTS["sr"].objects(of, {"seg": made} if with_seg else {})
    path = folder / "report.dcm"
    path.write_bytes(encoded(report.dataset))
    return path, [one.dataset for one in made]


def content(path: Path) -> MeasurementReport:
    report = srread(path).content
    assert isinstance(report, MeasurementReport)
    return report


def with_hole(of: ExportedStudy) -> ExportedStudy:
    """The first case with one contour, a ring."""
    cells = np.zeros((8, 6), np.float32)
    cells[2:7, 1:5] = 1
    cells[4, 2:4] = -1
    ring = Heatmap(
        "case-aaaaaaaaaaaa", FINDINGS[0], METHODS[0], cells, "logit", resized(whole(SHAPE), (8, 6))
    )
    return with_contours(of, draw(ring, rule="fraction", threshold=0.5).regions)


def with_contours(of: ExportedStudy, contours: tuple[Region, ...]) -> ExportedStudy:
    (image,) = of.images
    (frame,) = image.frames
    first = replace(frame.findings[0], contours=contours, agreements=())
    return replace(of, images=(replace(image, frames=(replace(frame, findings=(first,)),)),))


@pytest.mark.parametrize("modality", MODALITIES)
def test_dcmqi_reads_the_numbers(modality, tmp_path):
    of = study(modality)
    path, _ = written(of, tmp_path)
    command = [TID1500READER, "--inputDICOM", path, "--outputMetadata", tmp_path / "read.json"]
    subprocess.run(command, check=True, capture_output=True)
    groups = json.loads((tmp_path / "read.json").read_text())["Measurements"]
    findings = [finding for image in of.images for frame in image.frames for finding in frame.findings]

    def values(code: CodedConcept) -> list[float]:
        return sorted(
            float(item["value"])
            for group in groups
            for item in group["measurementItems"]
            if item["quantity"]["CodeValue"] == code.value
        )

    assert values(said.PROBABILITY) == pytest.approx(sorted(PERCENT * one.probability for one in findings))
    assert values(said.PEAK) == pytest.approx(
        sorted(contour.peak for one in findings for contour in one.contours), rel=1e-6
    )


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_finding_has_its_probability_threshold_answer_and_verdict(modality, tmp_path):
    of = study(modality)
    path, _ = written(of, tmp_path)
    expected = [finding for image in of.images for frame in image.frames for finding in frame.findings]
    groups = content(path).get_image_measurement_groups()
    assert len(groups) == len(expected)
    for group, finding in zip(groups, expected, strict=True):
        (probability,) = group.get_measurements(said.PROBABILITY)
        (threshold,) = group.get_measurements(said.THRESHOLD)
        assert probability.value == pytest.approx(PERCENT * finding.probability)
        assert threshold.value == pytest.approx(PERCENT * finding.threshold)
        answers = {one.name.meaning: one.value for one in group.get_qualitative_evaluations()}
        meaning = code_of(RUN.findings[finding.finding]).meaning
        is_positive = finding.probability >= finding.threshold
        assert answers[meaning] == (said.PRESENT if is_positive else said.ABSENT)
        assert answers[said.VERDICT.meaning] == said.VERDICTS[RUN.verdicts[finding.finding]]
        assert group.finding_type is None  # or readers would take an absent finding for present


def test_agreement_names_method_and_reader_and_says_why_it_is_undefined(tmp_path):
    of = study("DX")
    path, _ = written(of, tmp_path)
    finding = of.images[0].frames[0].findings[0]
    group = content(path).get_image_measurement_groups()[0]
    found = {}
    for measurement in group.get_measurements(said.IOU_OF_MAP):
        modifiers = {item.name.meaning: item.value.meaning for item in measurement[0].ContentSequence}
        found[modifiers[said.METHOD.meaning], modifiers[said.READER.meaning]] = measurement.value
    assert found == {(a.method, a.reader): a.iou for a in finding.agreements if a.iou is not None}
    texts = [item.value for item in group[0].ContentSequence if item.name == said.NO_IOU]
    assert texts == [f"{a.method}, {a.reader}: no_reference" for a in finding.agreements if a.iou is None]


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_contour_has_its_area_and_peak(modality, tmp_path):
    of = study(modality)
    path, _ = written(of, tmp_path, with_seg=False)
    contours = [
        contour
        for image in of.images
        for frame in image.frames
        for finding in frame.findings
        for method in METHODS
        for contour in finding.contours
        if contour.method == method
    ]
    groups = content(path).get_planar_roi_measurement_groups()
    assert len(groups) == len(contours) > 0
    for group, contour in zip(groups, contours, strict=True):
        assert group.finding_type == code_of(RUN.findings[contour.finding])
        assert group.method.meaning == contour.method
        (area,) = group.get_measurements(said.AREA)
        assert (area.value, area.unit) == (pytest.approx(contour.area_px * 0.5 * 0.25), said.SQUARE_MM)
        (peak,) = group.get_measurements(said.PEAK)
        assert (peak.value, peak.unit) == (pytest.approx(contour.peak), said.LOGIT)
    assert len({group.tracking_uid for group in groups}) == len(groups)


def test_without_spacing_areas_are_in_pixels(tmp_path):
    of = study("DX")
    (image,) = of.images
    frame = replace(image.frames[0], spacing_mm=None)
    path, _ = written(replace(of, images=(replace(image, frames=(frame,)),)), tmp_path, with_seg=False)
    group = content(path).get_planar_roi_measurement_groups()[0]
    (area,) = group.get_measurements(said.AREA)
    assert (area.value, area.unit) == (frame.findings[0].contours[0].area_px, said.PIXELS)


def test_a_contour_states_its_best_lesion_of_each_reader(tmp_path):
    of = study("DX")
    (image,) = of.images
    (frame,) = image.frames
    overlaps = (
        ContourOverlap(METHODS[0], 0, "A", (0.125, 0.5)),
        ContourOverlap(METHODS[0], 0, "B", ()),
        ContourOverlap(METHODS[1], 0, "A", (0.25,)),
    )
    findings = (replace(frame.findings[0], overlaps=overlaps), *frame.findings[1:])
    of = replace(of, images=(replace(image, frames=(replace(frame, findings=findings),)),))
    path, _ = written(of, tmp_path, with_seg=False)
    first, second, third = content(path).get_planar_roi_measurement_groups()
    assert [one.value for one in first.get_measurements(said.IOU_OF_CONTOUR)] == [0.5]
    assert [one.value for one in second.get_measurements(said.IOU_OF_CONTOUR)] == [0.25]
    assert third.get_measurements(said.IOU_OF_CONTOUR) == []


def test_outlines_count_from_the_corner_of_the_image():
    pixel = np.array([(2.5, 3.5), (3.5, 3.5), (3.5, 4.5), (2.5, 4.5)], np.float32)  # column 3, row 4
    expected = [(3, 4), (4, 4), (4, 5), (3, 5), (3, 4)]
    np.testing.assert_array_equal(closed_outline([pixel]), np.array(expected, np.float32))


def test_a_hole_is_cut_out_of_the_area():
    outer = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], np.float32)
    hole = np.array([(2, 2), (2, 5), (5, 5), (5, 2)], np.float32)
    x, y = closed_outline([outer, hole]).T.astype(np.float64)
    assert abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2 == pytest.approx(100 - 9)


@pytest.mark.parametrize("modality", MODALITIES)
def test_our_own_reader_gets_every_contour_back_pixel_for_pixel(modality, tmp_path):
    of = study(modality)
    written(of, tmp_path)
    found = {(item.image, item.frame or 0, item.finding): item for item in regions(tmp_path)}
    expected = 0
    for image in of.images:
        for frame in image.frames:
            for finding in frame.findings:
                if not finding.contours:
                    continue
                expected += 1
                code = code_of(RUN.findings[finding.finding]).meaning
                item = found[str(image.header.SOPInstanceUID), frame.frame, code]
                masks = read(item, SHAPE).masks
                assert sorted(mask.tobytes() for mask in masks) == sorted(
                    whole_mask(contour).tobytes() for contour in finding.contours
                )
    assert len(found) == expected > 0


def test_a_ring_comes_back_with_its_hole(tmp_path):
    of = with_hole(study("DX"))
    (contour,) = of.images[0].frames[0].findings[0].contours
    assert len(contour.outlines) > 1
    written(of, tmp_path)
    (item,) = regions(tmp_path)
    np.testing.assert_array_equal(read(item, SHAPE).masks[0], whole_mask(contour))


def test_an_outline_too_long_for_explicit_lengths_is_written_whole(tmp_path):
    of = with_hole(study("DX"))
    (contour,) = of.images[0].frames[0].findings[0].contours
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    circle = np.stack([24 + 9 * np.cos(angles), 30 + 9 * np.sin(angles)], axis=1).astype(np.float32)
    path, _ = written(with_contours(of, (replace(contour, outlines=(circle,)),)), tmp_path)
    assert dcmread(path).file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    (group,) = content(path).get_planar_roi_measurement_groups(graphic_type=None)[:1]
    np.testing.assert_array_equal(group.roi.value[:-1], circle + np.float32(0.5))


@pytest.mark.parametrize("modality", MODALITIES)
def test_references_to_segments_lead_to_the_contours_of_the_map(modality, tmp_path):
    of = study(modality)
    path, segmentations = written(of, tmp_path)
    known = {one.SOPInstanceUID: one for one in segmentations}
    groups = [
        group
        for group in content(path).get_planar_roi_measurement_groups()
        if group.referenced_segmentation_frame is not None
    ]
    drawn = {
        (str(image.header.SOPInstanceUID), frame.frame, contour.finding, contour.method): contour
        for image in of.images
        for frame in image.frames
        for finding in frame.findings
        for contour in finding.contours
    }
    assert len(groups) == len(drawn) > 0
    for group in groups:
        reference = group.referenced_segmentation_frame
        dataset = known[reference.referenced_sop_instance_uid]
        (number,) = reference.referenced_frame_numbers
        pixels = np.atleast_3d(dataset.pixel_array.T).T[number - 1].astype(bool)
        source = reference.source_image_for_segmentation
        frame = (source.referenced_frame_numbers or [1])[0] - 1
        finding = next(f for f in FINDINGS if code_of(RUN.findings[f]) == group.finding_type)
        contour = drawn[str(source.referenced_sop_instance_uid), frame, finding, group.method.meaning]
        np.testing.assert_array_equal(pixels, whole_mask(contour))
        (area,) = group.get_measurements(said.AREA)
        assert area.value == pytest.approx(contour.area_px * 0.5 * 0.25)


def test_label_maps_are_not_referred_to_by_segment(tmp_path):
    path, (segmentation,) = written(study("DX", options={"segmentation": "labelmap"}), tmp_path)
    assert segmentation.SegmentationType == "LABELMAP"
    groups = content(path).get_planar_roi_measurement_groups()
    assert groups
    assert all(group.referenced_segmentation_frame is None for group in groups)


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_tracked_finding_has_coordinates_or_ohif_opens_no_report(modality, tmp_path):
    path, _ = written(study(modality), tmp_path)
    tracked: dict[str, list[str]] = {}
    for group in MeasurementReport.from_sequence([dcmread(path)])[0].ContentSequence[-1].ContentSequence:
        (uid,) = [item.UID for item in group.ContentSequence if item.ValueType == "UIDREF"]
        inner = [one for item in group.ContentSequence for one in item.get("ContentSequence", ())]
        kinds = tracked.setdefault(uid, [])
        kinds += [item.ValueType for item in (*group.ContentSequence, *inner)]
    assert tracked
    assert all("SCOORD" in kinds for kinds in tracked.values())


def test_dcmtk_prints_the_numbers(tmp_path):
    if not shutil.which("dsrdump"):
        pytest.skip("dsrdump of dcmtk is not installed")
    path, _ = written(study("DX"), tmp_path)
    ended = subprocess.run(["dsrdump", "+Pl", path], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert 'NUM:(,,"Certainty of Finding")="75.0" (%,UCUM,"Percent")' in ended.stdout
    assert '(F9F52A5B4BCA704E,99HEATPROOF,"gradcam")' in ended.stdout
    findings = study("DX").images[0].frames[0].findings
    assert ended.stdout.count('SCOORD:(,,"Image Region")') == sum(len(one.contours) for one in findings)


def regions(folder: Path) -> list[AnnotationItem]:
    """What our reader finds, without the groups of whole images."""
    return [item for item in find(folder) if item.finding is not None]


def whole_mask(contour: Region) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    row, column = contour.corner
    height, width = contour.mask.shape
    mask[row : row + height, column : column + width] = contour.mask
    return mask
