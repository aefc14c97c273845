"""Tests of DICOM SEG."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom.seg import SegmentationTypeValues
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from pipeline.annotations import find_annotations, seg_headers
from pipeline.annotations.dicom_seg import find, read
from pipeline.annotations.placing import LARGER
from pipeline.errors import CaseError, WorkerFailure
from pipeline.executors.here import Here
from pipeline.executors.pool import Pool
from pipeline.records import AnnotationItem, ImagePlane, Reference, image_plane
from tests.annotations.segmentations import source_image, write_segmentation

STUDIES = Path(__file__).parents[2] / "../shared/studies"
SHAPE = (2, 5)
FIRST = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0]], bool)
SECOND = np.array([[0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], bool)
EMPTY = np.zeros(SHAPE, bool)


def as_lists(item: AnnotationItem, shape: tuple[int, int] = SHAPE) -> list[list[list[int]]]:
    found = read(item, case_id="case", finding="mass", shape=shape)
    return [mask.astype(int).tolist() for mask in found.masks]


def write_two_segments(path: Path, labels: list[str]) -> None:
    write_segmentation(path, np.stack([FIRST, SECOND], axis=-1)[None], [source_image("1.2.3", SHAPE)], labels)


def test_segments_of_unlike_labels_are_findings(tmp_path: Path) -> None:
    write_two_segments(tmp_path / "seg.dcm", ["Mass", "Nodule"])
    found = {item.finding: as_lists(item) for item in find(tmp_path)}
    assert found == {"Mass": [FIRST.astype(int).tolist()], "Nodule": [SECOND.astype(int).tolist()]}


def test_segments_of_one_label_are_instances(tmp_path: Path) -> None:
    write_two_segments(tmp_path / "seg.dcm", ["Mass", "Mass"])
    (item,) = find(tmp_path)
    assert as_lists(item) == [FIRST.astype(int).tolist(), SECOND.astype(int).tolist()]


def test_overlapping_segments_keep_all_their_pixels(tmp_path: Path) -> None:
    planes = np.stack([FIRST, FIRST | SECOND], axis=-1)[None]
    write_segmentation(tmp_path / "seg", planes, [source_image("1.2.3", SHAPE)], ["Mass", "Mass"])
    (item,) = find(tmp_path)
    assert as_lists(item) == [FIRST.astype(int).tolist(), (FIRST | SECOND).astype(int).tolist()]


@pytest.mark.parametrize("columns", [9, 10, 11, 13, 15, 16])
def test_frames_that_begin_within_a_byte_keep_their_pixels(tmp_path: Path, columns: int) -> None:
    planes = np.random.default_rng(columns).random((1, 1, columns, 5)) < 0.7
    write_segmentation(tmp_path / "seg", planes, [source_image("1.2.3", (1, columns))], ["Mass"] * 5)
    (item,) = find(tmp_path)
    assert as_lists(item, (1, columns)) == np.moveaxis(planes[0], -1, 0).astype(int).tolist()


def test_segments_of_two_files_lie_side_by_side(tmp_path: Path) -> None:
    image = source_image("1.2.3", SHAPE)
    write_segmentation(tmp_path / "a", FIRST[None, ..., None], [image], ["Mass"])
    write_segmentation(tmp_path / "b", SECOND[None, ..., None], [image], ["Mass"])
    (item,) = find(tmp_path)
    assert as_lists(item) == [FIRST.astype(int).tolist(), SECOND.astype(int).tolist()]


def slices(count: int) -> list[Dataset]:
    """Headers of stacked CT slices with the UIDs 1.2.3.0, 1.2.3.1, …."""
    geometry = {
        "SOPClassUID": CTImageStorage,
        "Modality": "CT",
        "FrameOfReferenceUID": "1.2.9",
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [1, 1],
        "SliceThickness": 1,
    }
    return [
        source_image(f"1.2.3.{z}", SHAPE, ImagePositionPatient=[0, 0, z], **geometry) for z in range(count)
    ]


def test_slices_left_out_because_they_are_empty_are_not_there(tmp_path: Path) -> None:
    planes = np.stack([SECOND, EMPTY, FIRST])[..., None]
    write_segmentation(tmp_path / "seg", planes, slices(3), ["Mass"])
    assert dcmread(tmp_path / "seg").NumberOfFrames == 2
    assert {item.image: as_lists(item) for item in find(tmp_path)} == {
        "1.2.3.0": [SECOND.astype(int).tolist()],
        "1.2.3.1": [],
        "1.2.3.2": [FIRST.astype(int).tolist()],
    }


def test_a_segment_missing_where_another_is_drawn_is_not_there(tmp_path: Path) -> None:
    planes = np.stack([np.stack([FIRST, EMPTY], axis=-1), np.stack([EMPTY, SECOND], axis=-1)])
    write_segmentation(tmp_path / "seg", planes, slices(2), ["Mass", "Nodule"])
    assert {(item.image, item.finding): len(as_lists(item)) for item in find(tmp_path)} == {
        ("1.2.3.0", "Mass"): 1,
        ("1.2.3.0", "Nodule"): 0,
        ("1.2.3.1", "Mass"): 0,
        ("1.2.3.1", "Nodule"): 1,
    }


def test_frames_of_a_multi_frame_image_are_distinguished(tmp_path: Path) -> None:
    write_segmentation(tmp_path / "seg", np.stack([FIRST, SECOND])[..., None], slices(2), ["Mass"])
    header = dcmread(tmp_path / "seg")
    for groups in header.PerFrameFunctionalGroupsSequence:
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        source.ReferencedFrameNumber = {"1.2.3.0": 7, "1.2.3.1": 4}[source.ReferencedSOPInstanceUID]
        source.ReferencedSOPInstanceUID = "1.2.4"
    del header.ReferencedSeriesSequence
    header.save_as(tmp_path / "seg")
    assert {(item.image, item.frame): as_lists(item) for item in find(tmp_path)} == {
        ("1.2.4", 6): [FIRST.astype(int).tolist()],
        ("1.2.4", 3): [SECOND.astype(int).tolist()],
    }


def test_a_referenced_image_without_a_frame_is_not_there(tmp_path: Path) -> None:
    write_two_segments(tmp_path / "seg", ["Mass", "Mass"])
    header = dcmread(tmp_path / "seg")
    other = source_image("1.2.4", SHAPE)
    reference = header.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    reference.append(type(reference[0])(reference[0]))
    reference[-1].ReferencedSOPInstanceUID = other.SOPInstanceUID
    header.save_as(tmp_path / "seg")
    assert {item.image: len(as_lists(item)) for item in find(tmp_path)} == {"1.2.3": 2, "1.2.4": 0}


def test_fractions_from_one_half_up_are_inside(tmp_path: Path) -> None:
    """Stored with a maximum of 255: 0.498 becomes 127, 0.502 becomes 128."""
    fractions = np.array([[0.0, 0.2, 0.498, 0, 0], [0.502, 0.8, 1.0, 0, 0]])
    image = source_image("1.2.3", SHAPE)
    kind = SegmentationTypeValues.FRACTIONAL
    write_segmentation(tmp_path / "seg", fractions[None, ..., None], [image], ["Mass"], kind)
    (item,) = find(tmp_path)
    assert as_lists(item) == [[[0, 0, 0, 0, 0], [1, 1, 1, 0, 0]]]


def test_a_label_map_holds_several_segments_in_a_frame(tmp_path: Path) -> None:
    planes = np.stack([FIRST, SECOND], axis=-1)[None]
    kind = SegmentationTypeValues.LABELMAP
    write_segmentation(tmp_path / "seg", planes, [source_image("1.2.3", SHAPE)], ["Mass", "Nodule"], kind)
    found = {item.finding: as_lists(item) for item in find(tmp_path)}
    assert found == {"Mass": [FIRST.astype(int).tolist()], "Nodule": [SECOND.astype(int).tolist()]}


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    write_two_segments(tmp_path / "seg", ["Mass", "Mass"])
    (item,) = find(tmp_path)
    with pytest.raises(CaseError, match="look swapped") as refused:
        as_lists(item, (5, 2))
    assert refused.value.reason == "mask_size"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("two sources", "names 2 source images"),
        ("no source", "names 0 source images"),
        ("moved", "image's grid"),
    ],
)
def test_a_frame_that_lies_on_no_certain_image_is_refused(tmp_path: Path, change: str, sentence: str) -> None:
    write_two_segments(tmp_path / "seg", ["Mass", "Mass"])
    header = dcmread(tmp_path / "seg")
    for groups in header.PerFrameFunctionalGroupsSequence:
        sources = groups.DerivationImageSequence[0].SourceImageSequence
        if change == "two sources":
            sources.append(sources[0])
        elif change == "no source":
            del groups.DerivationImageSequence
        else:
            sources[0].SpatialLocationsPreserved = "NO"
    header.save_as(tmp_path / "seg")
    (item,) = find(tmp_path)
    assert item.image == "1.2.3"
    with pytest.raises(CaseError, match=sentence) as refused:
        as_lists(item)
    assert refused.value.reason == "mask_not_joined"


def test_a_broken_file_among_good_ones_is_listed(tmp_path: Path) -> None:
    write_two_segments(tmp_path / "good.dcm", ["Mass", "Mass"])
    header = dcmread(tmp_path / "good.dcm")
    del header.PerFrameFunctionalGroupsSequence
    header.save_as(tmp_path / "broken.dcm")
    (tmp_path / "labels.csv").write_text("not DICOM")
    broken, good = find(tmp_path)
    assert len(as_lists(good)) == 2
    assert (broken.image, broken.finding) == ("broken", None)
    with pytest.raises(CaseError) as refused:
        as_lists(broken)
    assert refused.value.reason == "annotation_unreadable"


PLANE = ImagePlane((1, 0, 0), (0, 1, 0), (0, 0, 0), (1, 1), "1.2.9")


def on_image(item: AnnotationItem, plane: ImagePlane) -> Reference:
    return read(replace(item, plane=plane), case_id="case", finding="mass", shape=SHAPE)


def one_slice(folder: Path, orientation: list[float], position: list[float]) -> AnnotationItem:
    """A SEG of FIRST on one slice, then with another plane orientation and position."""
    write_segmentation(folder / "seg", FIRST[None, ..., None], slices(1), ["Mass"])
    header = dcmread(folder / "seg")
    (frame,) = header.PerFrameFunctionalGroupsSequence
    for groups in (header.SharedFunctionalGroupsSequence[0], frame):
        if "PlaneOrientationSequence" in groups:
            groups.PlaneOrientationSequence[0].ImageOrientationPatient = orientation
        if "PlanePositionSequence" in groups:
            groups.PlanePositionSequence[0].ImagePositionPatient = position
    header.save_as(folder / "seg")
    (item,) = find(folder)
    return item


@pytest.mark.parametrize(
    ("orientation", "position", "expected"),
    [
        ([1, 0, 0, 0, 1, 0], [0, 0, 0], FIRST),
        ([1, 0, 0, 0, -1, 0], [0, 1, 0], FIRST[::-1]),
        ([-1, 0, 0, 0, 1, 0], [4, 0, 0], FIRST[:, ::-1]),
        ([1, 0, 0, 0, 1, 0], [0.4, -0.4, 0.3], FIRST),
    ],
    ids=["as the image", "rows from below", "columns from the right", "rounded"],
)
def test_a_frame_is_turned_as_its_plane_orientation_says(
    tmp_path: Path, orientation: list[float], position: list[float], expected: np.ndarray
) -> None:
    found = on_image(one_slice(tmp_path, orientation, position), PLANE)
    np.testing.assert_array_equal(found.masks[0], expected)
    assert found.notices == ()


@pytest.mark.parametrize(
    ("orientation", "position", "complaint"),
    [
        ([1, 0, 0, 0, 0, 1], [0, 0, 0], "not parallel"),
        ([1, 0, 0, 0, 1, 0], [1, 0, 0], "half a pixel"),
        ([1, 0, 0, 0, 1, 0], [0, 0, 2], "half a millimetre"),
        ([1, 0, 0, 0, -1, 0], [0, 0, 0], "half a pixel"),
    ],
    ids=["oblique", "beside", "above", "turned about its first row"],
)
def test_a_frame_that_lies_elsewhere_is_refused(
    tmp_path: Path, orientation: list[float], position: list[float], complaint: str
) -> None:
    item = one_slice(tmp_path, orientation, position)
    with pytest.raises(CaseError, match=complaint) as refused:
        on_image(item, PLANE)
    assert refused.value.reason == "mask_not_joined"


def test_a_frame_off_the_grid_is_placed_only_by_planes_that_show_how(tmp_path: Path) -> None:
    one_slice(tmp_path, [1, 0, 0, 0, -1, 0], [0, 1, 0])
    header = dcmread(tmp_path / "seg")
    (source,) = header.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence
    source.SpatialLocationsPreserved = "REORIENTED_ONLY"
    header.save_as(tmp_path / "seg")
    (item,) = find(tmp_path)
    np.testing.assert_array_equal(on_image(item, PLANE).masks, [FIRST[::-1]])
    for unknown in (replace(PLANE, position=None), replace(PLANE, frame_of_reference="1.2.8")):
        with pytest.raises(CaseError, match="SpatialLocationsPreserved") as refused:
            on_image(item, unknown)
        assert refused.value.reason == "mask_not_joined"


@pytest.mark.parametrize(
    ("orientation", "corner", "stored"),
    [
        ([1, 0, 0, 0, 1, 0], (2, 5), [[1, 0, 0], [1, 1, 0]]),
        ([-1, 0, 0, 0, 1, 0], (2, 7), [[0, 0, 1], [0, 1, 1]]),
        ([0, 1, 0, 1, 0, 0], (2, 5), [[1, 1], [0, 1], [0, 0]]),
    ],
    ids=["as its image", "mirrored", "transposed"],
)
def test_a_cut_out_lies_where_its_plane_says(
    tmp_path: Path, orientation: list[float], corner: tuple[int, int], stored: list[list[int]]
) -> None:
    """Rows 2 and 3 and columns 5 to 7 of an image of 6 × 9 pixels of 0.5 × 0.75 mm."""
    place = image_plane([1, 0, 0, 0, 1, 0], [-40, -30, 12.5], [0.5, 0.75], "1.2.3.9")
    assert place is not None
    spacing = (0.5, 0.75) if orientation[0] else (0.75, 0.5)
    position = [-40 + 0.75 * corner[1], -30 + 0.5 * corner[0], 12.5]
    geometry = {"ImageOrientationPatient": orientation, "ImagePositionPatient": position}
    geometry |= {"PixelSpacing": list(spacing), "SliceThickness": 1, "FrameOfReferenceUID": "1.2.3.9"}
    cut = source_image("1.2.3.0", np.shape(stored), **geometry)
    cut.SOPClassUID = CTImageStorage
    write_segmentation(tmp_path / "seg.dcm", np.array(stored, np.uint8)[None, ..., None], [cut], ["mass"])
    (item,) = find(tmp_path)
    found = read(replace(item, plane=place), case_id="case", finding="mass", shape=(6, 9))
    expected = np.zeros((6, 9), bool)
    expected[2, 5] = expected[3, 5] = expected[3, 6] = True
    np.testing.assert_array_equal(found.masks, [expected])
    for elsewhere, reason in (
        ((-40.4, -30, 12.5), "mask_size"),
        ((-40, -30, 13.2), "mask_not_joined"),
        ((-30, -30, 12.5), "mask_not_joined"),
    ):
        moved = replace(item, plane=replace(place, position=elsewhere))
        with pytest.raises(CaseError) as refused:
            read(moved, case_id="c", finding="f", shape=(6, 9))
        assert refused.value.reason == reason


def on_another_grid(folder: Path, *, spacing: float, **options: Any) -> AnnotationItem:
    """Columns 3 to 5 and rows 2 to 3 of 8 × 10 pixels from -2, -1, of one millimetre or another spacing."""
    stored = np.zeros((8, 10), np.uint8)
    stored[2:4, 3:6] = 1
    geometry: dict[str, object] = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceThickness": 1}
    geometry |= {"ImagePositionPatient": [-2, -1, 0], "PixelSpacing": [spacing, spacing]}
    cut = source_image("1.2.3.0", stored.shape, **geometry, FrameOfReferenceUID="1.2.9")
    cut.SOPClassUID = CTImageStorage
    write_segmentation(folder / "seg.dcm", stored[None, ..., None], [cut], ["mass"])
    (item,) = find(folder, **options)
    return replace(item, plane=PLANE)


def test_a_frame_larger_than_its_image_is_read_where_it_lies_on_it_and_said_to_be(tmp_path: Path) -> None:
    found = read(on_another_grid(tmp_path, spacing=1), case_id="c", finding="f", shape=(4, 5))
    expected = np.zeros((4, 5), bool)
    expected[1:3, 1:4] = True
    np.testing.assert_array_equal(found.masks, [expected])
    assert [notice.message for notice in found.notices] == [LARGER]


def test_a_frame_with_other_pixels_is_read_by_geometry_only_where_the_source_says_so(tmp_path: Path) -> None:
    """Pixels of 2 mm: rows 2 and 3 are 2 … 6 mm, columns 3 to 5 are 3 … 9 mm from the first centre."""
    (tmp_path / "a").mkdir()
    item = on_another_grid(tmp_path / "a", spacing=2)
    with pytest.raises(CaseError, match="set the source's key resample to nearest") as refused:
        read(item, case_id="c", finding="f", shape=(12, 14))
    assert refused.value.reason == "mask_size"
    item = on_another_grid(tmp_path / "a", spacing=2, resample="nearest")
    (mask,) = read(item, case_id="c", finding="f", shape=(12, 14)).masks
    assert np.argwhere(mask).min(axis=0).tolist() == [2, 3]
    assert np.argwhere(mask).max(axis=0).tolist() == [5, 8]
    assert mask.sum() == 4 * 6


def test_another_frame_of_reference_than_that_of_the_named_image_is_a_warning(tmp_path: Path) -> None:
    item = one_slice(tmp_path, [1, 0, 0, 0, -1, 0], [0, 0, 0])
    found = on_image(item, replace(PLANE, frame_of_reference="1.2.8"))
    np.testing.assert_array_equal(found.masks[0], FIRST)
    assert [notice.kind for notice in found.notices] == ["warning"]


def without_images(file: Path) -> Dataset:
    """The header of a SEG whose frames name no image."""
    header = dcmread(file)
    for frame in header.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    return header


@pytest.mark.parametrize("change", ["no frame of reference", "no position", "no frames"])
def test_a_file_that_names_no_image_and_no_place_is_listed(tmp_path: Path, change: str) -> None:
    write_segmentation(tmp_path / "seg.dcm", FIRST[None, ..., None], slices(1), ["Mass"])
    header = without_images(tmp_path / "seg.dcm")
    del header.ReferencedSeriesSequence
    if change == "no frame of reference":
        del header.FrameOfReferenceUID
    elif change == "no position":
        del header.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    else:
        header.PerFrameFunctionalGroupsSequence = []
    header.save_as(tmp_path / "seg.dcm")
    (item,) = find(tmp_path)
    assert (item.image, item.finding) == ("seg", None)
    assert reason_of([item]) == ("annotation_empty" if change == "no frames" else "mask_not_joined")


def test_images_of_the_series_are_not_called_healthy_where_frames_are_joined_by_place(tmp_path: Path) -> None:
    write_segmentation(tmp_path / "seg.dcm", np.stack([FIRST, EMPTY])[..., None], slices(2), ["Mass"])
    without_images(tmp_path / "seg.dcm").save_as(tmp_path / "seg.dcm")
    (item,) = find(tmp_path)
    assert item.place == PLANE


@pytest.mark.skipif(not STUDIES.is_dir(), reason="the shared study sets are not here")
def test_liver_frames_are_joined_by_uid_not_by_order() -> None:
    """The frames are in reverse order of the files 01, 02, 03; SpatialLocationsPreserved is absent."""
    folder = STUDIES / "liver_ct" / "ct_seg"
    names = {dcmread(file).SOPInstanceUID: file.stem for file in folder.glob("0*.dcm")}
    frames = dcmread(folder / "liver.dcm").pixel_array
    found = {names[item.image]: item for item in find(folder)}
    assert sorted(found) == ["01", "02", "03"]
    for name, index in {"01": 2, "02": 1, "03": 0}.items():
        assert found[name].finding == "Liver"
        (mask,) = read(found[name], case_id="case", finding="liver", shape=(512, 512)).masks
        np.testing.assert_array_equal(mask, frames[index])


@pytest.mark.skipif(not STUDIES.is_dir(), reason="the shared study sets are not here")
@pytest.mark.filterwarnings("ignore")  # pydicom warns about malformed files
def test_odd_segmentations_raise_nothing_but_case_errors() -> None:
    outcomes = set()
    for item in find(STUDIES / "hostile" / "files"):
        try:
            read(item, case_id="case", finding="liver", shape=(512, 512))
            outcomes.add("read")
        except CaseError as error:
            outcomes.add(error.reason)
    assert outcomes == {"read", "mask_size", "annotation_unreadable"}


def write_label_map(path: Path, *, segments: int, frames: int) -> None:
    """A label map in which every frame belongs to one image."""
    data, source, derivation, shared = Dataset(), Dataset(), Dataset(), Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.7"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.9"
    data.Rows, data.Columns = SHAPE
    data.SegmentationType = "LABELMAP"
    data.SegmentSequence = [Dataset() for _ in range(segments)]
    for number, segment in enumerate(data.SegmentSequence, start=1):
        segment.SegmentNumber, segment.SegmentLabel = number, f"label {number}"
    source.ReferencedSOPInstanceUID = "1.2.3"
    derivation.SourceImageSequence = [source]
    shared.DerivationImageSequence = [derivation]
    data.SharedFunctionalGroupsSequence = [shared]
    data.PerFrameFunctionalGroupsSequence = [Dataset() for _ in range(frames)]
    data.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize("frames", [1, 3])
def test_frames_without_functional_groups_are_not_left_out_in_silence(tmp_path: Path, frames: int) -> None:
    write_segmentation(tmp_path / "seg.dcm", np.stack([FIRST, FIRST])[..., None], slices(2), ["Mass"])
    header = dcmread(tmp_path / "seg.dcm")
    header.NumberOfFrames = frames
    header.save_as(tmp_path / "seg.dcm")
    assert reason_of(find(tmp_path)) == "annotation_unreadable"


def reason_of(items: Iterable[AnnotationItem]) -> str:
    (item,) = items
    with pytest.raises(CaseError) as refused:
        as_lists(item)
    return refused.value.reason


def test_segments_times_frames_have_a_limit(tmp_path: Path) -> None:
    write_label_map(tmp_path / "a.dcm", segments=1000, frames=1000)
    assert reason_of(find(tmp_path)) == "too_large"


def test_segments_of_a_label_map_are_named_once_for_all_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Dataset] = []
    named = seg_headers._findings
    monkeypatch.setattr(seg_headers, "_findings", lambda header: (asked.append(header), named(header))[1])
    write_label_map(tmp_path / "a.dcm", segments=2, frames=30)
    assert len(list(find(tmp_path))) == 2
    assert len(asked) == 1


def test_a_giant_file_is_skipped_unread(tmp_path: Path) -> None:
    write_two_segments(tmp_path / "a.dcm", ["Mass", "Mass"])
    os.truncate(tmp_path / "a.dcm", 200 << 30)
    assert reason_of(find(tmp_path)) == "too_large"


class Losing:
    """An executor whose workers always exceed the time limit."""

    def stream(
        self, _: Callable[..., Any], items: Iterable[Any], *, on_failure: Callable[..., Any]
    ) -> Iterator[Any]:
        return (on_failure(item, WorkerFailure("out_of_time")) for item in items)


def test_files_are_opened_where_the_executor_works(tmp_path: Path) -> None:
    write_two_segments(tmp_path / "a.dcm", ["Mass", "Nodule"])
    source = [{"format": "dicom_seg"}]
    assert len(find_annotations(tmp_path, source, executor=Here())) == 2
    assert reason_of(find_annotations(tmp_path, source, executor=Losing())) == "out_of_time"


def test_what_a_worker_says_of_a_file_can_be_sent(tmp_path: Path) -> None:
    write_two_segments(tmp_path / "a.dcm", ["Mass", "Nodule"])
    with Pool(workers=1) as pool:
        assert len(find_annotations(tmp_path, [{"format": "dicom_seg"}], executor=pool)) == 2
