"""Index: the images of a study folder, independent of file names."""

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

from pipeline.cohort.apart import BESIDE_DICOM
from pipeline.cohort.index import BROKEN, REPEATED, Cohort, digest, index_studies
from pipeline.errors import CaseError, ConfigError, WorkerFailure
from pipeline.executors.here import Here
from tests.cohort.cases import case, pseudonym
from tests.loaders.pictures import write_picture
from tests.study import uid, write_image

PIXELS = np.zeros((4, 6), np.uint8)


def indexed(folder: Path) -> Cohort:
    return index_studies(folder, executor=Here(), pseudonym=pseudonym)


def write_frames(folder: Path, number: int, frames: int) -> Path:
    path = write_image(folder, number, np.zeros((4 * frames, 6), np.uint8))
    data = dcmread(path)
    data.Rows, data.NumberOfFrames = 4, frames
    data.save_as(path)
    return path


def test_an_image_is_known_by_its_uid_and_its_patient(tmp_path: Path) -> None:
    write_image(tmp_path, 1, PIXELS, PatientID="P-1")
    (found,) = indexed(tmp_path).cases
    assert (found.case_id, found.patient_id) == (f"case-{uid(1)}-0", "patient-P-1")
    assert found.source.shape == (4, 6)


def test_dates_of_a_patient_are_shifted_alike_and_those_of_others_otherwise(tmp_path: Path) -> None:
    dates = [("P-1", "20200131"), ("P-1", "20200302"), ("P-2", "20200131"), ("P-1", "00010101"), ("P-1", "")]
    for number, (patient, day) in enumerate(dates, start=1):
        write_image(tmp_path, number, PIXELS, PatientID=patient, StudyDate=day)
    first, second, other, *neither = (c.source.attributes for c in indexed(tmp_path).cases)
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
    found = indexed(tmp_path / "first").cases
    assert [c.source.sop_instance_uid for c in found] == [uid(1), uid(2), uid(3)]
    (tmp_path / "second").mkdir()
    for number, path in enumerate(sorted((tmp_path / "first").rglob("*.dcm"))):
        shutil.move(path, tmp_path / "second" / str(number))
    renamed = indexed(tmp_path / "second").cases
    assert [(c.case_id, c.patient_id) for c in renamed] == [(c.case_id, c.patient_id) for c in found]


def test_of_files_with_one_uid_the_first_by_path_is_audited_and_the_other_listed(tmp_path: Path) -> None:
    write_image(tmp_path / "b", 1, PIXELS)
    write_image(tmp_path / "a", 1, PIXELS)
    cohort = indexed(tmp_path)
    assert [c.source.relative_path for c in cohort.cases] == ["a/image1.dcm"]
    (skipped,) = cohort.skipped
    assert (skipped.subject, skipped.stage, skipped.reason) == (
        "file-b/image1.dcm", "index", "repeated_sop_instance_uid",
    )  # fmt: skip
    assert cohort.skipped_files == {"file-b/image1.dcm": "b/image1.dcm"}


def test_of_files_with_one_uid_the_first_that_is_whole_is_audited(tmp_path: Path) -> None:
    whole = write_image(tmp_path, 1, PIXELS)
    for name in ("aaa.dcm", "zzz.dcm"):
        (tmp_path / name).write_bytes(whole.read_bytes()[:-2])
    cohort = indexed(tmp_path)
    assert [(c.case_id, c.source.relative_path) for c in cohort.cases] == [(f"case-{uid(1)}-0", "image1.dcm")]
    assert [s.subject for s in cohort.skipped] == ["file-aaa.dcm", "file-zzz.dcm"]
    assert {(s.reason, s.message) for s in cohort.skipped} == {("repeated_sop_instance_uid", BROKEN)}
    assert cohort.cases[0].other_stems == ("aaa", "zzz")
    whole.unlink()
    cohort = indexed(tmp_path)
    assert [c.source.relative_path for c in cohort.cases] == ["aaa.dcm"]
    assert [s.message for s in cohort.skipped] == [REPEATED]


def test_a_uid_that_reads_like_a_path_is_not_the_file_of_that_path(tmp_path: Path) -> None:
    for number, name in ((1, "path:strange.dcm"), (2, "uid:path:strange.dcm"), (3, "")):
        path = write_image(tmp_path, number, PIXELS)
        data = dcmread(path)
        with disable_value_validation():
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = name
            data.save_as(path, enforce_file_format=False)
    (tmp_path / "image3.dcm").rename(tmp_path / "strange.dcm")
    cohort = indexed(tmp_path)
    assert not cohort.skipped
    found = {c.source.relative_path: c.case_id for c in cohort.cases}
    assert len(set(found.values())) == len(found) == 3
    assert found["strange.dcm"] == "case-path:strange.dcm-0"


def test_a_repeated_file_is_listed_once_however_many_frames_it_has(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_frames(tmp_path / folder, 1, 3)
    cohort = indexed(tmp_path)
    assert [(c.source.relative_path[0], c.source.frame) for c in cohort.cases] == [
        ("a", 0),
        ("a", 1),
        ("a", 2),
    ]
    assert [skipped.subject for skipped in cohort.skipped] == ["file-b/image1.dcm"]


def test_of_a_longer_file_with_the_same_uid_no_frame_is_taken(tmp_path: Path) -> None:
    write_frames(tmp_path / "b", 1, 3)
    write_frames(tmp_path / "a", 1, 2)
    cohort = indexed(tmp_path)
    assert [(c.source.relative_path[0], c.source.frame) for c in cohort.cases] == [("a", 0), ("a", 1)]
    assert [(s.subject, s.reason) for s in cohort.skipped] == [
        ("file-b/image1.dcm", "repeated_sop_instance_uid")
    ]


def test_images_without_uid_are_distinguished_by_their_paths(tmp_path: Path) -> None:
    for number in (1, 2):
        write_image(tmp_path, number, PIXELS)
        data = dcmread(tmp_path / f"image{number}.dcm")
        del data.SOPInstanceUID
        data.file_meta.MediaStorageSOPInstanceUID = ""
        data.save_as(tmp_path / f"image{number}.dcm", enforce_file_format=False)
    cohort = indexed(tmp_path)
    assert [c.source.sop_instance_uid for c in cohort.cases] == ["", ""]
    assert [c.case_id for c in cohort.cases] == ["case-path:image1.dcm-0", "case-path:image2.dcm-0"]
    assert not cohort.skipped


def test_what_is_no_image_is_listed_under_a_pseudonym(tmp_path: Path) -> None:
    write_image(tmp_path, 1, PIXELS)
    (tmp_path / "Doe^Jane.txt").write_text("notes")
    cohort = index_studies(tmp_path, executor=Here(), pseudonym=lambda kind, *_: f"{kind}-7")
    (skipped,) = cohort.skipped
    assert (skipped.subject, skipped.stage, skipped.reason) == ("file-7", "index", "not_dicom")
    assert "Doe" not in skipped.message
    assert cohort.skipped_files == {"file-7": "Doe^Jane.txt"}
    assert cohort.files == 2


class LosesLast:
    """An executor whose worker dies on the last item."""

    def stream(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        on_failure: Callable[[Any, CaseError], Any],
    ) -> Iterator[Any]:
        *whole, last = items
        yield from map(function, whole)
        yield on_failure(last, WorkerFailure("worker_died"))


def test_a_file_that_ends_its_worker_costs_itself_alone(tmp_path: Path) -> None:
    write_image(tmp_path, 1, PIXELS)
    write_image(tmp_path, 2, PIXELS)
    cohort = index_studies(tmp_path, executor=LosesLast(), pseudonym=pseudonym)
    assert [c.source.sop_instance_uid for c in cohort.cases] == [uid(1)]
    assert [(s.subject, s.reason) for s in cohort.skipped] == [("file-image2.dcm", "worker_died")]


def test_a_folder_without_images_is_refused_and_says_how_many_files_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("no image")
    with pytest.raises(
        ConfigError,
        match=r"holds no image: 1 text file; DICOM, PNG, .* are read, also in ZIP and tar archives: give",
    ):
        indexed(tmp_path)


def test_a_folder_without_images_is_refused_with_the_kinds_of_its_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no image: it is empty; choose the folder"):
        indexed(tmp_path)
    for number in range(3):
        (tmp_path / f"{number}.dcm").write_bytes(b"GIF89a" + bytes(600))
    write_image(tmp_path, 1, PIXELS, SeriesDescription="ROI mask images")
    (tmp_path / "notes").write_text("notes")
    (tmp_path / "unknown").write_bytes(bytes(600))
    with pytest.raises(ConfigError) as refusal:
        indexed(tmp_path)
    assert str(refusal.value).endswith(
        "holds no image: 3 GIF files and 1 text file and 1 file refused because the file is not a whole "
        'image: Series Description says "ROI mask images" and 1 file refused because the file is not DICOM, '
        "and of no other known format; DICOM, PNG, JPEG, TIFF, NIfTI, NRRD and MetaImage are read, also in "
        "ZIP and tar archives: save them as PNG, which keeps every value"
    )


def test_pngs_and_masks_beside_images_are_listed_with_what_they_are(tmp_path: Path) -> None:
    write_image(tmp_path, 1, PIXELS)
    write_image(tmp_path, 2, PIXELS, SeriesDescription="ROI mask images")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(600))
    write_picture(tmp_path / "b.png", PIXELS)
    cohort = indexed(tmp_path)
    assert [case.source.sop_instance_uid for case in cohort.cases] == [uid(1)]
    assert [(skipped.reason, skipped.message) for skipped in cohort.skipped] == [
        ("not_an_image", BESIDE_DICOM),
        ("not_an_image", BESIDE_DICOM),
        ("not_an_image", 'the file is not a whole image: Series Description says "ROI mask images"'),
    ]


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    path = write_image(tmp_path, 1, PIXELS)
    with pytest.raises(ConfigError, match="is not a folder; give the folder that holds the images"):
        indexed(path)


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
    copied = replace(one, source=replace(one.source, changed_ns=9))
    assert digest([copied]) == digest([one])


def test_images_without_patient_id_are_a_guess_with_their_number(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_image(
            tmp_path, number, np.zeros((2, 2), np.uint8), **({} if number == 1 else {"PatientID": ""})
        )
    (notice,) = indexed(tmp_path).notices
    assert notice.kind == "guess"
    assert notice.message.startswith("2 of 3 images have no Patient ID, so each study, or file, counts as a")


@pytest.mark.parametrize(("count", "kinds"), [(9, []), (10, ["warning"])])
def test_many_images_of_one_patient_are_a_warning(count: int, kinds: list[str], tmp_path: Path) -> None:
    for number in range(count):
        write_image(tmp_path, number, np.zeros((2, 2), np.uint8), PatientID="ANON")
    assert [notice.kind for notice in indexed(tmp_path).notices] == kinds
