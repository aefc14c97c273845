"""Intake: which images a study folder holds, whatever its files are called."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.config import disable_value_validation

from pipeline.contracts import Loss
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.joints.intake import BROKEN, REPEATED, Intake, digest, take_in
from tests.joints.cases import case, pseudonym
from tests.study import uid, write_image

PIXELS = np.zeros((4, 6), np.uint8)


def taken_in(folder: Path) -> Intake:
    return take_in(folder, executor=Here(), pseudonym=pseudonym)


def write_frames(folder: Path, number: int, frames: int) -> Path:
    path = write_image(folder, number, np.zeros((4 * frames, 6), np.uint8))
    data = dcmread(path)
    data.Rows, data.NumberOfFrames = 4, frames
    data.save_as(path)
    return path


def test_an_image_is_known_by_its_uid_and_its_patient(tmp_path: Path) -> None:
    write_image(tmp_path, 1, PIXELS, PatientID="P-1")
    (found,) = taken_in(tmp_path).cases
    assert (found.case_id, found.patient_id) == (f"case-{uid(1)}-0", "patient-P-1")
    assert found.source.shape == (4, 6)


def test_dates_of_a_patient_are_shifted_alike_and_those_of_others_otherwise(tmp_path: Path) -> None:
    said = [("P-1", "20200131"), ("P-1", "20200302"), ("P-2", "20200131"), ("P-1", "00010101"), ("P-1", "")]
    for number, (patient, day) in enumerate(said, start=1):
        write_image(tmp_path, number, PIXELS, PatientID=patient, StudyDate=day)
    first, second, other, *neither = (c.source.attributes for c in taken_in(tmp_path).cases)
    shifted = [date.fromisoformat(found["shifted_study_date"]) for found in (first, second, other)]
    assert shifted[1] - shifted[0] == timedelta(31)
    assert 1 <= (date(2020, 1, 31) - shifted[0]).days <= 730
    assert shifted[2] != shifted[0]
    assert all("shifted_study_date" not in attributes for attributes in neither)


def test_the_order_is_that_of_uids_whatever_the_files_are_called(tmp_path: Path) -> None:
    for number, name in ((3, "a"), (1, "z/b"), (2, "c")):
        target = tmp_path / "first" / f"{name}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(write_image(tmp_path / "made", number, PIXELS), target)
    found = taken_in(tmp_path / "first").cases
    assert [c.source.sop_instance_uid for c in found] == [uid(1), uid(2), uid(3)]
    (tmp_path / "second").mkdir()
    for number, path in enumerate(sorted((tmp_path / "first").rglob("*.dcm"))):
        shutil.move(path, tmp_path / "second" / str(number))
    renamed = taken_in(tmp_path / "second").cases
    assert [(c.case_id, c.patient_id) for c in renamed] == [(c.case_id, c.patient_id) for c in found]


def test_of_files_with_one_uid_the_first_by_path_is_audited_and_the_other_listed(tmp_path: Path) -> None:
    write_image(tmp_path / "b", 1, PIXELS)
    write_image(tmp_path / "a", 1, PIXELS)
    intake = taken_in(tmp_path)
    assert [c.source.relative_path for c in intake.cases] == ["a/image1.dcm"]
    (skipped,) = intake.skipped
    assert (skipped.subject, skipped.stage, skipped.reason) == (
        "file-b/image1.dcm", "index", "repeated_sop_instance_uid",
    )  # fmt: skip
    assert intake.skipped_files == {"file-b/image1.dcm": "b/image1.dcm"}


def test_of_files_with_one_uid_the_first_that_is_whole_is_audited(tmp_path: Path) -> None:
    whole = write_image(tmp_path, 1, PIXELS)
    for name in ("aaa.dcm", "zzz.dcm"):
        (tmp_path / name).write_bytes(whole.read_bytes()[:-2])
    intake = taken_in(tmp_path)
    assert [(c.case_id, c.source.relative_path) for c in intake.cases] == [(f"case-{uid(1)}-0", "image1.dcm")]
    assert [s.subject for s in intake.skipped] == ["file-aaa.dcm", "file-zzz.dcm"]
    assert {(s.reason, s.message) for s in intake.skipped} == {("repeated_sop_instance_uid", BROKEN)}
    assert intake.cases[0].other_stems == ("aaa", "zzz")
    whole.unlink()
    intake = taken_in(tmp_path)
    assert [c.source.relative_path for c in intake.cases] == ["aaa.dcm"]
    assert [s.message for s in intake.skipped] == [REPEATED]


def test_a_uid_that_reads_like_a_path_is_not_the_file_of_that_path(tmp_path: Path) -> None:
    for number, name in ((1, "path:strange.dcm"), (2, "uid:path:strange.dcm"), (3, "")):
        path = write_image(tmp_path, number, PIXELS)
        data = dcmread(path)
        with disable_value_validation():
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = name
            data.save_as(path, enforce_file_format=False)
    (tmp_path / "image3.dcm").rename(tmp_path / "strange.dcm")
    intake = taken_in(tmp_path)
    assert not intake.skipped
    found = {c.source.relative_path: c.case_id for c in intake.cases}
    assert len(set(found.values())) == len(found) == 3
    assert found["strange.dcm"] == "case-path:strange.dcm-0"


def test_a_repeated_file_is_listed_once_however_many_frames_it_has(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_frames(tmp_path / folder, 1, 3)
    intake = taken_in(tmp_path)
    assert [(c.source.relative_path[0], c.source.frame) for c in intake.cases] == [
        ("a", 0),
        ("a", 1),
        ("a", 2),
    ]
    assert [skipped.subject for skipped in intake.skipped] == ["file-b/image1.dcm"]


def test_of_a_longer_file_with_the_same_uid_no_frame_is_taken(tmp_path: Path) -> None:
    write_frames(tmp_path / "b", 1, 3)
    write_frames(tmp_path / "a", 1, 2)
    intake = taken_in(tmp_path)
    assert [(c.source.relative_path[0], c.source.frame) for c in intake.cases] == [("a", 0), ("a", 1)]
    assert [(s.subject, s.reason) for s in intake.skipped] == [
        ("file-b/image1.dcm", "repeated_sop_instance_uid")
    ]


def test_images_without_uid_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    for number in (1, 2):
        write_image(tmp_path, number, PIXELS)
        data = dcmread(tmp_path / f"image{number}.dcm")
        del data.SOPInstanceUID
        data.file_meta.MediaStorageSOPInstanceUID = ""
        data.save_as(tmp_path / f"image{number}.dcm", enforce_file_format=False)
    intake = taken_in(tmp_path)
    assert [c.source.sop_instance_uid for c in intake.cases] == ["", ""]
    assert [c.case_id for c in intake.cases] == ["case-path:image1.dcm-0", "case-path:image2.dcm-0"]
    assert not intake.skipped


def test_what_is_no_image_is_listed_under_a_pseudonym(tmp_path: Path) -> None:
    write_image(tmp_path, 1, PIXELS)
    (tmp_path / "Doe^Jane.txt").write_text("notes")
    intake = take_in(tmp_path, executor=Here(), pseudonym=lambda kind, *_: f"{kind}-7")
    (skipped,) = intake.skipped
    assert (skipped.subject, skipped.stage, skipped.reason) == ("file-7", "index", "not_dicom")
    assert "Doe" not in skipped.message
    assert intake.skipped_files == {"file-7": "Doe^Jane.txt"}
    assert intake.files == 2


class LosesLast:
    """An executor whose worker dies of the last item."""

    def stream(
        self, function: Callable[[Any], Any], items: Iterable[Any], *, lost: Callable[[Any, Loss], Any]
    ) -> Iterator[Any]:
        *whole, last = items
        yield from map(function, whole)
        yield lost(last, "worker_died")


def test_a_file_that_ends_its_worker_costs_itself_alone(tmp_path: Path) -> None:
    write_image(tmp_path, 1, PIXELS)
    write_image(tmp_path, 2, PIXELS)
    intake = take_in(tmp_path, executor=LosesLast(), pseudonym=pseudonym)
    assert [c.source.sop_instance_uid for c in intake.cases] == [uid(1)]
    assert [(s.subject, s.reason) for s in intake.skipped] == [("file-image2.dcm", "worker_died")]


def test_a_folder_without_images_is_refused_and_says_how_many_files_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("no image")
    with pytest.raises(ConfigError, match=r"holds no image \(1 files looked at\)"):
        taken_in(tmp_path)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    path = write_image(tmp_path, 1, PIXELS)
    with pytest.raises(ConfigError, match="is not a folder"):
        taken_in(path)


@pytest.mark.parametrize(
    "change",
    [
        {"size_bytes": 101},
        {"modified_ns": 8},
        {"sop_instance_uid": "9"},
        {"relative_path": "b"},
        {"frame": 1},
    ],
)
def test_another_file_is_another_digest(change: dict[str, Any]) -> None:
    one = case("a", uid="1")
    other = replace(one, source=replace(one.source, **change))
    assert digest([one]) == digest([one])
    assert digest([other]) != digest([one])
    assert digest([one, one]) != digest([one])


def test_a_copy_of_a_file_has_the_same_digest() -> None:
    one = case("a", uid="1")
    copied = replace(one, source=replace(one.source, inode=2, changed_ns=9))
    assert digest([copied]) == digest([one])
