"""Tests of Segmentations: readers of others and our own get every contour back pixel for pixel."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from highdicom.seg import segread
from pydicom import dcmread
from pydicom.dataset import Dataset

from pipeline.annotations.dicom_seg import find, read
from pipeline.exports import EXPORTS
from pipeline.exports.objects import ExportedObject, LeftOut, encoded
from pipeline.exports.study import ExportedStudy
from pipeline.external_maps.catalogue import find_maps
from pipeline.records import Region
from tests.exports.made import FINDINGS, METHODS, MODALITIES, RUN, SHAPE, study
from tests.exports.validators import complaints

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:highdicom", "ignore::UserWarning:pydicom")
SEGIMAGE2ITKIMAGE = Path(sys.executable).with_name("segimage2itkimage")
KINDS = {"binary": "BINARY", "labelmap": "LABELMAP"}
Address = tuple[str, int, str]
"""SOP instance UID and frame of the image, from 0, and label of the segment."""


def made(of: ExportedStudy) -> tuple[list[ExportedObject], list[LeftOut]]:
    found = list(EXPORTS["seg"].objects(of, {}))
    return (
        [one for one in found if isinstance(one, ExportedObject)],
        [one for one in found if isinstance(one, LeftOut)],
    )


def written(of: ExportedStudy, folder: Path) -> list[Path]:
    paths = []
    for number, one in enumerate(made(of)[0]):
        paths.append(folder / f"{number}.dcm")
        paths[-1].write_bytes(encoded(one.dataset))
    return paths


def overlapping() -> ExportedStudy:
    """A radiograph on which both methods draw the same contour."""
    of = study("DX", options={"segmentation": "labelmap"})
    (image,) = of.images
    (frame,) = image.frames
    (first, _) = frame.findings[0].contours
    findings = (replace(frame.findings[0], contours=(first, replace(first, method=METHODS[1]))),)
    return replace(of, images=(replace(image, frames=(replace(frame, findings=findings),)),))


def drawn(of: ExportedStudy) -> dict[Address, np.ndarray]:
    """The union of the contours of each map, where it has any."""
    found: dict[Address, np.ndarray] = {}
    for image in of.images:
        for frame in image.frames:
            for finding in frame.findings:
                for contour in finding.contours:
                    end = f" ({contour.method})"
                    label = contour.finding[: 64 - len(end)] + end
                    key = str(image.header.SOPInstanceUID), frame.frame, label
                    found[key] = found.get(key, np.zeros(SHAPE, bool)) | whole_mask(contour)
    return found


def whole_mask(contour: Region) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    row, column = contour.corner
    height, width = contour.mask.shape
    mask[row : row + height, column : column + width] = contour.mask
    return mask


def by_pydicom(path: Path) -> Iterator[tuple[Address, np.ndarray]]:
    """Frames as pydicom decodes them, with the images that their functional groups name."""
    dataset = dcmread(path)
    labels = {item.SegmentNumber: item.SegmentLabel for item in dataset.SegmentSequence if item.SegmentNumber}
    pixels = dataset.pixel_array.reshape(-1, *SHAPE)
    for frame, groups in zip(pixels, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        ((source,),) = [derivation.SourceImageSequence for derivation in groups.DerivationImageSequence]
        where = str(source.ReferencedSOPInstanceUID), int(source.get("ReferencedFrameNumber") or 1) - 1
        if dataset.SegmentationType == "LABELMAP":
            for number, label in labels.items():
                if number in frame:
                    yield (*where, label), frame == number
        else:
            number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
            yield (*where, labels[number]), frame.astype(bool)


def the_same(found: dict[Address, np.ndarray], expected: dict[Address, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for key, mask in found.items():
        np.testing.assert_array_equal(mask, expected[key])


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("kind", KINDS)
def test_pydicom_reads_every_contour(kind, modality, tmp_path):
    of = study(modality, options={"segmentation": kind})
    paths = written(of, tmp_path)
    assert {dcmread(path).SegmentationType for path in paths} == {KINDS[kind]}
    the_same(dict(one for path in paths for one in by_pydicom(path)), drawn(of))


def test_pydicom_reads_contours_that_overlap(tmp_path):
    of = overlapping()
    the_same(dict(one for path in written(of, tmp_path) for one in by_pydicom(path)), drawn(of))


def test_names_alike_in_64_characters_are_labels_apart_and_read_in_full(tmp_path):
    of = study("DX")
    run = replace(of.run, findings={f"{FINDINGS[1]}{end}": of.run.findings[FINDINGS[0]] for end in "AB"})
    (image,) = of.images
    (frame,) = image.frames
    findings = tuple(
        replace(
            frame.findings[0],
            finding=name,
            contours=tuple(replace(contour, finding=name) for contour in frame.findings[0].contours),
        )
        for name in run.findings
    )
    images = (replace(image, frames=(replace(frame, findings=findings),)),)
    (path,) = written(replace(of, run=run, images=images), tmp_path)
    assert len({item.SegmentLabel for item in dcmread(path).SegmentSequence}) == 4
    assert {(item.finding, item.method) for item in find_maps(tmp_path).items} == {
        (name, method) for name in run.findings for method in METHODS
    }


def test_segments_have_the_codes_of_their_findings_and_name_the_network(tmp_path):
    (path,) = written(study("DX"), tmp_path)
    for segment in dcmread(path).SegmentSequence:
        finding = next(name for name in FINDINGS if segment.SegmentLabel.startswith(name[:40]))
        concept, (code,) = RUN.findings[finding], segment.SegmentedPropertyTypeCodeSequence
        assert (code.CodingSchemeDesignator, code.CodeValue) == (concept.scheme, concept.value)
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert algorithm.AlgorithmName == RUN.model
        assert RUN.weights_sha256 in str(algorithm.AlgorithmParameters)
        assert segment.SegmentAlgorithmType == "AUTOMATIC"


# Of radiographs highdicom wants a slice thickness beside the spacing, where dciodvfy allows none.
@pytest.mark.parametrize("modality", ["CT series", "MR series", "enhanced CT"])
@pytest.mark.parametrize("kind", KINDS)
def test_highdicom_finds_the_contours_by_their_images(kind, modality, tmp_path):
    of = study(modality, options={"segmentation": kind})
    expected = drawn(of)
    (path,) = written(of, tmp_path)
    dataset = segread(path)
    labels = [item.SegmentLabel for item in dataset.SegmentSequence if item.SegmentNumber]
    for image in of.images:
        uid = str(image.header.SOPInstanceUID)
        for frame in image.frames:
            if not any(key[:2] == (uid, frame.frame) for key in expected):
                continue
            if modality == "enhanced CT":
                stack = dataset.get_pixels_by_source_frame(uid, [frame.frame + 1])
            else:
                stack = dataset.get_pixels_by_source_instance([uid])
            for index, label in enumerate(labels):
                mask = expected.get((uid, frame.frame, label), np.zeros(SHAPE, bool))
                np.testing.assert_array_equal(stack[0, ..., index].astype(bool), mask)


# dcmqi reads volumes: of projections, which have no frame of reference, it takes no segmentation.
@pytest.mark.parametrize("modality", ["CT series", "MR series", "enhanced CT"])
def test_dcmqi_finds_the_contours_at_their_place_in_the_patient(modality, tmp_path):
    of = study(modality)
    (path,) = written(of, tmp_path)
    command = [SEGIMAGE2ITKIMAGE, "--inputDICOM", path, "--outputDirectory", tmp_path, "--prefix", "read"]
    subprocess.run([*command, "--outputType", "nrrd"], check=True, capture_output=True)
    described = json.loads((tmp_path / "read-meta.json").read_text())["segmentAttributes"]
    expected = drawn(of)
    found = {}
    for number, (segment,) in enumerate(described, start=1):
        volume = SimpleITK.ReadImage(tmp_path / f"read-{number}.nrrd")
        for image in of.images:
            for frame in image.frames:
                key = str(image.header.SOPInstanceUID), frame.frame, segment["SegmentLabel"]
                mask = plane_of(volume, corner_of(image.header, frame.frame))
                if mask.any():
                    found[key] = mask
    the_same(found, expected)


def corner_of(header: Dataset, frame: int) -> list[float]:
    """The centre of the first pixel of a frame, in mm."""
    groups = header.get("PerFrameFunctionalGroupsSequence")
    of = groups[frame].PlanePositionSequence[0] if groups else header
    return [float(value) for value in of.ImagePositionPatient]


def plane_of(volume: SimpleITK.Image, corner: list[float]) -> np.ndarray:
    """The plane that begins at a point; nothing where the volume has none."""
    column, row, plane = np.round(volume.TransformPhysicalPointToContinuousIndex(corner), 3)
    assert (column, row) == (0, 0)
    if not (plane.is_integer() and 0 <= plane < volume.GetDepth()):
        return np.zeros(SHAPE, bool)
    return SimpleITK.GetArrayFromImage(volume)[int(plane)].astype(bool)


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("kind", KINDS)
def test_our_own_reader_joins_the_contours_to_their_images(kind, modality, tmp_path):
    of = study(modality, options={"segmentation": kind})
    written(of, tmp_path)
    found = {}
    for item in find(tmp_path):
        masks = read(item, case_id="c", finding=item.finding or "", shape=SHAPE).masks
        if masks:
            found[item.image, item.frame or 0, item.finding] = np.logical_or.reduce(masks)
    the_same(found, drawn(of))


def test_dcmtk_decodes_the_same_pixels(tmp_path):
    if not shutil.which("dcm2pnm"):
        pytest.skip("dcm2pnm of dcmtk is not installed")
    of = study("CT series")
    (path,) = written(of, tmp_path)
    expected = [mask for _, mask in by_pydicom(path)]
    for number, mask in enumerate(expected, start=1):
        target = tmp_path / f"{number}.pgm"
        subprocess.run(
            ["dcm2pnm", "--write-raw-pnm", "--frame", str(number), path, target],
            check=True,
            capture_output=True,
        )
        rows, columns = SHAPE
        pixels = np.frombuffer(target.read_bytes()[-rows * columns :], np.uint8).reshape(SHAPE)
        np.testing.assert_array_equal(pixels > 0, mask)


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_validator_finds_nothing_wrong_with_label_maps(modality, tmp_path):
    objects, left_out = made(study(modality, options={"segmentation": "labelmap"}))
    assert objects
    assert left_out == []
    for one in objects:
        assert complaints(one, tmp_path) == []


def test_segments_that_overlap_stay_binary_and_are_listed():
    objects, left_out = made(overlapping())
    assert [one.dataset.SegmentationType for one in objects] == ["BINARY"]
    assert [(one.case_id, one.kind, one.reason) for one in left_out] == [
        ("case-aaaaaaaaaaaa", "seg", "segments_overlap")
    ]


@pytest.mark.parametrize("modality", ["CT series", "MR series"])
def test_slices_of_a_series_share_an_object_that_names_them_all(modality):
    of = study(modality)
    ((one,), _) = made(of)
    (series,) = one.dataset.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == of.images[0].header.SeriesInstanceUID
    assert {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence} == {
        image.header.SOPInstanceUID for image in of.images
    }
    assert one.dataset.FrameOfReferenceUID == of.images[0].header.FrameOfReferenceUID


def test_slices_that_are_not_parallel_do_not_share_an_object():
    of = study("CT series")
    first, second, third = of.images
    second.header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    objects, _ = made(replace(of, images=(first, second, third)))
    assert [one.case_ids for one in objects] == [
        (first.frames[0].case_id,),
        (second.frames[0].case_id,),
    ]


def test_a_slice_without_thickness_or_place_is_segmented(tmp_path):
    of = study("CT series")
    del of.images[0].header.SliceThickness
    alone = replace(of, images=of.images[:1])
    the_same(dict(one for path in written(alone, tmp_path) for one in by_pydicom(path)), drawn(alone))
    del alone.images[0].header.ImagePositionPatient
    alone.images[0].header.SOPClassUID = study("US multi-frame").images[0].header.SOPClassUID
    the_same(dict(one for path in written(alone, tmp_path) for one in by_pydicom(path)), drawn(alone))


def test_frames_of_a_loop_are_named_by_number():
    objects, _ = made(study("US multi-frame"))
    assert [one.case_ids for one in objects] == [("case-cccccccccc00",), ("case-cccccccccc02",)]
    assert [frame_number(one.dataset) for one in objects] == [1, 3]


def frame_number(dataset: Dataset) -> int:
    (number,) = {
        int(groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber)
        for groups in dataset.PerFrameFunctionalGroupsSequence
    }
    return number
