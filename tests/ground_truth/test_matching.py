"""Matching: the image and finding of each annotation."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from pipeline.annotations import read_annotation
from pipeline.errors import CaseError, ConfigError
from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.records import Case
from tests.annotations.segmentations import source_image, write_segmentation
from tests.cohort.cases import case, pseudonym
from tests.study import square, write_mask

FINDINGS = ("nodule", "effusion")
PNG = {"format": "png", "pattern": "masks/{finding}/{image}.png"}
UNNAMED = {"format": "png", "pattern": "{image}.png"}
INSIDE = square((4, 6), 1, 1, 2)


def gathered(folder: Path, *cases: Case, **changes: Any) -> Truth:
    options: dict[str, Any] = {
        "sources": [PNG], "labels": None, "names": {}, "findings": FINDINGS, "cases": cases,
        "pseudonym": pseudonym,
    }  # fmt: skip
    return gather_truth(folder, **{**options, **changes})


def unnamed_mask(folder: Path, stem: str) -> None:
    write_mask(folder, "x", 1, INSIDE)
    (folder / "masks" / "x" / "image1.png").rename(folder / f"{stem}.png")


def table(folder: Path, name: str, *lines: str) -> tuple[Path, str, dict[str, Any]]:
    (folder / name).write_text("\n".join(lines))
    return folder / name, "image", {}


def findings_of(truth: Truth, case_id: str) -> list[str | None]:
    return [item.finding for item in truth.items.get(case_id, ())]


@pytest.mark.parametrize(
    "found", [case("image1", uid="1.2"), case("other", uid="image1")], ids=["stem", "uid"]
)
def test_an_annotation_is_joined_by_stem_or_uid(tmp_path: Path, found: Case) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    truth = gathered(tmp_path, found)
    assert findings_of(truth, found.case_id) == ["nodule"]
    assert not truth.skipped


def test_an_image_whose_stem_is_its_uid_gets_its_annotation_once(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    found = case("image1", uid="image1")
    assert findings_of(gathered(tmp_path, found), found.case_id) == ["nodule"]


SHARED = (
    case("a", uid="1.1", relative_path="a/image1.dcm"),
    case("b", uid="1.2", relative_path="b/image1.dcm"),
)
"""Files with the same name from two patients."""


def test_an_annotation_by_a_name_that_several_files_have_is_of_none_of_them(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    truth = gathered(tmp_path, *SHARED)
    assert not truth.items
    assert [(s.subject, s.stage, s.reason) for s in truth.skipped] == [
        ("annotation-image1-0", "annotations", "ambiguous_image")
    ]
    assert "SOP instance UID" in truth.skipped[0].message
    assert "image1" not in truth.skipped[0].message
    assert truth.skipped_images == {"annotation-image1-0": "image1"}


def test_an_annotation_by_uid_is_joined_whatever_the_files_are_called(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    folder = tmp_path / "masks" / "nodule"
    (folder / "image1.png").rename(folder / "1.2.png")
    truth = gathered(tmp_path, *SHARED)
    assert list(truth.items) == ["case-b-0"]
    assert not truth.skipped


def test_labels_by_a_name_that_several_files_have_are_of_none_of_them(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 7, INSIDE)
    labels = table(tmp_path, "labels.csv", "image,nodule,effusion", "image1,1,0", "image7,1,0")
    truth = gathered(tmp_path, *SHARED, case("image7"), labels=labels)
    assert truth.labels == {"case-a-0": {}, "case-b-0": {}, "case-image7-0": {"nodule": 1, "effusion": 0}}
    assert [(s.subject, s.stage, s.reason) for s in truth.skipped] == [
        ("case-a-0", "annotations", "ambiguous_image"),
        ("case-b-0", "annotations", "ambiguous_image"),
    ]


def test_labels_by_uid_are_joined_whatever_the_files_are_called(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 7, INSIDE)
    labels = table(tmp_path, "labels.csv", "image,nodule,effusion", "1.1,1,0", "1.2,0,0")
    truth = gathered(tmp_path, *SHARED, case("image7"), labels=labels)
    assert [truth.labels[f"case-{name}-0"]["nodule"] for name in "ab"] == [1, 0]
    assert not truth.skipped


@pytest.mark.parametrize(
    ("file", "mask"),
    [
        ("IM.0001", "IM.0001.png"),
        ("1.2.3.4", "1.2.3.4.png"),
        ("a.DCM", "a.png"),
        ("a.png.dcm", "a.png"),
        ("a.dcm", "a.dcm.png"),
    ],
)
def test_dots_in_names_are_kept_and_image_suffixes_are_not(tmp_path: Path, file: str, mask: str) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    folder = tmp_path / "masks" / "nodule"
    (folder / "image1.png").rename(folder / mask)
    others = [case("IM", relative_path="IM.0002"), case("UID", relative_path="1.2.3.5")]
    found = case("found", relative_path=f"deep/{file}")
    truth = gathered(tmp_path, found, *others)
    assert list(truth.items) == ["case-found-0"]
    assert not truth.skipped


def test_an_annotation_without_image_is_listed_under_a_pseudonym(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    write_mask(tmp_path, "nodule", 77, INSIDE)
    truth = gathered(tmp_path, case("image1"))
    assert [(s.subject, s.stage, s.reason) for s in truth.skipped] == [
        ("annotation-image77-0", "annotations", "annotation_without_image")
    ]
    assert truth.skipped_images == {"annotation-image77-0": "image77"}
    assert "77" not in truth.skipped[0].message


def test_an_annotation_of_a_frame_belongs_to_that_frame_alone(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    frames = [case("image1", frame=frame, frames=3) for frame in range(3)]
    assert [s.reason for s in gathered(tmp_path, *frames).skipped] == ["annotation_without_frame"]
    table(
        tmp_path,
        "boxes.csv",
        "image,finding,frame,x,y,width,height",
        "image1,nodule,2,1,1,2,2",
        "a,nodule,0,,,,",
    )
    truth = gathered(tmp_path, *frames, sources=[{"format": "boxes", "file": "boxes.csv"}])
    assert {c.source.frame: findings_of(truth, c.case_id) for c in frames} == {0: [], 1: [], 2: ["nodule"]}


def test_an_annotation_of_a_file_with_one_frame_needs_no_frame(tmp_path: Path) -> None:
    """A single-frame file that was split from a series may keep its frame number."""
    write_mask(tmp_path, "nodule", 1, INSIDE)
    slice_ = case("image1", frame=4, frames=1)
    assert findings_of(gathered(tmp_path, slice_), slice_.case_id) == ["nodule"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [({"mass": "nodule"}, ["nodule"]), ({"mass": None}, [])],
    ids=["mapped", "left-out"],
)
def test_the_annotators_words_are_mapped_or_left_out(
    tmp_path: Path, names: dict[str, str | None], expected: list[str]
) -> None:
    write_mask(tmp_path, "mass", 1, INSIDE)
    found = case("image1")
    truth = gathered(tmp_path, found, names=names)
    assert findings_of(truth, found.case_id) == expected
    assert not truth.skipped


def test_a_word_that_is_no_finding_is_listed_with_the_remedy(tmp_path: Path) -> None:
    write_mask(tmp_path, "mass", 1, INSIDE)
    found = case("image1")
    (skipped,) = gathered(tmp_path, found).skipped
    assert (skipped.subject, skipped.reason) == (found.case_id, "unknown_finding")
    assert skipped.message.startswith("finding-mass is not a finding of the network")
    assert gathered(tmp_path, found).unknown_words == {"finding-mass": "mass"}
    assert "annotations.findings" in skipped.message


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("1,0", [("nodule", False)]),
        ("1,", [("nodule", False)]),
        ("0,0", [("nodule", True), ("effusion", True)]),
        ("0,", [("nodule", True)]),
    ],
)
def test_an_annotation_without_finding_is_of_the_one_that_the_label_says_is_present(
    tmp_path: Path, label: str, expected: list[tuple[str, bool]]
) -> None:
    unnamed_mask(tmp_path, "image1")
    labels = table(tmp_path, "labels.csv", "image,nodule,effusion", f"image1,{label}")
    found = case("image1")
    truth = gathered(tmp_path, found, sources=[UNNAMED], labels=labels)
    assert [(item.finding, item.absent) for item in truth.items[found.case_id]] == expected
    assert not truth.skipped


@pytest.mark.parametrize("row", ["image1,,", "image2,1,1"], ids=["unknown", "no-row"])
def test_an_annotation_without_finding_and_label_is_listed(tmp_path: Path, row: str) -> None:
    unnamed_mask(tmp_path, "image1")
    labels = table(tmp_path, "labels.csv", "image,nodule,effusion", row)
    truth = gathered(tmp_path, case("image1"), sources=[UNNAMED], labels=labels)
    assert not any(truth.items.values())
    assert "unknown_finding" in [skipped.reason for skipped in truth.skipped]


def test_an_annotation_without_finding_is_of_none_where_the_labels_name_several(tmp_path: Path) -> None:
    unnamed_mask(tmp_path, "image1")
    labels = table(tmp_path, "labels.csv", "image,nodule,effusion", "image1,1,1")
    truth = gathered(tmp_path, case("image1"), sources=[UNNAMED], labels=labels)
    assert not any(truth.items.values())
    assert [(s.subject, s.reason) for s in truth.skipped] == [("case-image1-0", "ambiguous_finding")]
    assert "{finding}" in truth.skipped[0].message


def test_labels_are_guessed_where_none_are_named(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    table(tmp_path, "truth.csv", "image,effusion", "image1,0", "image2,1")
    cases = [case("image1"), case("image2"), case("image3")]
    assert list(gathered(tmp_path, *cases).labels.values()) == [{"effusion": 0}, {"effusion": 1}, {}]


def test_without_labels_nothing_is_known(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    assert gathered(tmp_path, case("image1")).labels == {"case-image1-0": {}}


def test_labels_may_be_named_by_columns(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    file, image, _ = table(tmp_path, "l.csv", "image,Mass,Nodule,Fluid", "image1,0,1,0")
    columns = {"nodule": ("Mass", "Nodule"), "effusion": ("Fluid",)}
    truth = gathered(tmp_path, case("image1"), labels=(file, image, columns))
    assert truth.labels["case-image1-0"] == {"nodule": 1, "effusion": 0}


def test_one_reader_says_what_is_absent_and_several_leave_it_to_the_labels(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    assert gathered(tmp_path, case("image1"), sources=[{**PNG, "reader": "anna"}]).reader == "anna"
    both = [{**PNG, "reader": "anna"}, {**PNG, "reader": "ben"}]
    assert gathered(tmp_path, case("image1"), sources=both).reader == "labels"


def test_the_kind_is_that_of_all_annotations_or_none(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    table(tmp_path, "boxes.csv", "image,finding,x,y,width,height", "image1,nodule,1,1,2,2")
    boxes = {"format": "boxes", "file": "boxes.csv"}
    found = case("image1")
    kinds = [gathered(tmp_path, found, sources=s).kind for s in ([PNG], [boxes], [PNG, boxes])]
    assert kinds == ["mask", "box", None]


def test_formats_are_guessed_where_no_source_is_named(tmp_path: Path) -> None:
    write_mask(tmp_path, "effusion", 1, INSIDE)
    assert findings_of(gathered(tmp_path, case("image1"), sources=[]), "case-image1-0") == ["effusion"]


@pytest.mark.parametrize(
    "sources", [[], [{"format": "rle_json", "file": "a.json"}]], ids=["guessed", "stated"]
)
def test_a_coco_file_without_annotations_is_named(tmp_path: Path, sources: list[dict[str, str]]) -> None:
    (tmp_path / "a.json").write_text('{"images": [], "annotations": [], "categories": []}')
    with pytest.raises(ConfigError, match=r"a\.json.*COCO JSON; .* with format: coco"):
        gathered(tmp_path, case("image1"), sources=sources)


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no annotations recognised"):
        gathered(tmp_path, case("image1"), sources=[])


def test_the_hash_is_of_what_a_mask_holds_not_of_when_or_where_it_was_saved(tmp_path: Path) -> None:
    found = case("image1")
    for folder in ("a", "b"):
        write_mask(tmp_path / folder, "nodule", 1, INSIDE)
    first = gathered(tmp_path / "a", found).sha256
    os.utime(tmp_path / "a" / "masks" / "nodule" / "image1.png", (0, 0))
    assert gathered(tmp_path / "a", found).sha256 == first
    assert gathered(tmp_path / "b", found).sha256 == first
    write_mask(tmp_path / "a", "nodule", 1, np.logical_not(INSIDE))
    assert gathered(tmp_path / "a", found).sha256 != first


def test_the_hash_is_of_labels_boxes_and_readers_too(tmp_path: Path) -> None:
    found = case("image1")
    table(tmp_path, "boxes.csv", "image,finding,x,y,width,height", "image1,nodule,1,1,2,2")
    boxes = {"format": "boxes", "file": "boxes.csv"}
    hashes = [gathered(tmp_path, found, sources=[boxes]).sha256]
    hashes.append(gathered(tmp_path, found, sources=[{**boxes, "reader": "anna"}]).sha256)
    table(tmp_path, "labels.csv", "image,effusion", "image1,0")
    hashes.append(gathered(tmp_path, found, sources=[boxes]).sha256)
    table(tmp_path, "boxes.csv", "image,finding,x,y,width,height", "image1,nodule,1,1,2,3")
    hashes.append(gathered(tmp_path, found, sources=[boxes]).sha256)
    assert len(set(hashes)) == 4


def test_the_hash_is_of_the_pixels_of_a_segmentation_and_not_of_its_place(tmp_path: Path) -> None:
    found = case("image1", uid="1.2.3")

    def hashed(folder: str) -> str:
        return gathered(tmp_path / folder, found, sources=[{"format": "dicom_seg"}]).sha256

    (tmp_path / "a").mkdir()
    seg = tmp_path / "a" / "seg.dcm"
    write_segmentation(seg, INSIDE[None, ..., None], [source_image("1.2.3", INSIDE.shape)], ["nodule"])
    first = hashed("a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert hashed("b") == first
    data = dcmread(tmp_path / "b" / "seg.dcm")
    data.PixelData = bytes([data.PixelData[0] ^ 1]) + data.PixelData[1:]
    data.save_as(tmp_path / "b" / "seg.dcm")
    assert hashed("b") != first


def test_a_mask_that_cannot_be_read_is_left_to_the_worker_that_lists_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = case("image1")
    write_mask(tmp_path, "nodule", 1, INSIDE)
    readable = gathered(tmp_path, found).sha256

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError

    # Root, the user in containers, can read any file, so Python's file access is patched instead.
    monkeypatch.setattr("os.open", refuse)
    truth = gathered(tmp_path, found)
    (item,) = truth.items[found.case_id]
    assert truth.sha256 != readable
    with pytest.raises(CaseError) as refusal:
        read_annotation(item, case_id=found.case_id, finding="nodule", shape=(4, 6))
    assert refusal.value.reason == "unreadable"  # retried when the run resumes


def reason_of(truth: Truth, case_id: str) -> str:
    (item,) = truth.items[case_id]
    with pytest.raises(CaseError) as refusal:
        read_annotation(item, case_id=case_id, finding="nodule", shape=(4, 6))
    return refusal.value.reason


def test_a_mask_that_was_written_again_after_it_was_hashed_is_not_scored(tmp_path: Path) -> None:
    found = case("image1")
    write_mask(tmp_path, "nodule", 1, INSIDE)
    truth = gathered(tmp_path, found)
    write_mask(tmp_path, "nodule", 1, ~INSIDE)
    assert reason_of(truth, found.case_id) == "file_changed"


def test_a_segmentation_that_was_written_again_is_not_scored(tmp_path: Path) -> None:
    def write(values: np.ndarray) -> None:
        source = source_image("1.2.3", INSIDE.shape)
        write_segmentation(tmp_path / "seg.dcm", values[None, ..., None], [source], ["nodule"])

    found = case("image1", uid="1.2.3")
    write(INSIDE)
    truth = gathered(tmp_path, found, sources=[{"format": "dicom_seg"}])
    write(~INSIDE)
    assert reason_of(truth, found.case_id) == "file_changed"


def test_a_giant_mask_is_skipped_unread(tmp_path: Path) -> None:
    found = case("image1")
    write_mask(tmp_path, "nodule", 1, INSIDE)
    os.truncate(tmp_path / "masks" / "nodule" / "image1.png", 200 << 30)
    assert reason_of(gathered(tmp_path, found), found.case_id) == "too_large"


def test_a_reader_may_not_be_called_as_the_consensus_is(tmp_path: Path) -> None:
    write_mask(tmp_path, "nodule", 1, INSIDE)
    with pytest.raises(ConfigError, match="a reader is called 'majority'"):
        gathered(tmp_path, case("image1"), sources=[PNG | {"reader": "majority"}])


def test_the_hash_sees_every_run_of_a_mask_in_json(tmp_path: Path) -> None:
    hashes = set()
    for counts in ([3, 3], [2, 4], "33"):
        content = {"image1": {"nodule": {"size": [2, 3], "counts": counts}}}
        (tmp_path / "masks.json").write_text(json.dumps(content))
        source = {"format": "rle_json", "file": "masks.json"}
        hashes.add(gathered(tmp_path, case("image1", uid="1.2"), sources=[source]).sha256)
    assert len(hashes) == 3
