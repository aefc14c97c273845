"""Directories: what a DICOMDIR names and is not there is told; nothing outside its folder is looked at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from pipeline.cohort.index import index_studies
from pipeline.executors.here import Here
from pipeline.loaders.dicomdir import named_files

REAL = Path(str(get_testdata_file("DICOMDIR")))
"""A directory of pydicom's test files, beside the files that it names."""


def warnings(folder: Path) -> list[str]:
    cohort = index_studies(folder, executor=Here(), pseudonym=lambda *parts: "-".join(map(str, parts)))
    return [notice.message for notice in cohort.notices if "DICOMDIR" in notice.message]


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """A medium whose directory names three of its files."""
    names = sorted(named_files(REAL))[:3]
    for name in names:
        copy = tmp_path.joinpath(*name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REAL.parent.joinpath(*name), copy)
    write_directory(tmp_path, [list(name) for name in names])
    return tmp_path


def write_directory(folder: Path, names: list[object]) -> None:
    directory = dcmread(REAL)
    records = []
    for name in names:
        record = Dataset()
        with disable_value_validation():
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", name
        records.append(record)
    directory.DirectoryRecordSequence = records
    directory.save_as(folder / "DICOMDIR")


def test_the_files_of_a_real_directory_are_all_there() -> None:
    names = named_files(REAL)
    assert len(names) > 30
    assert all(REAL.parent.joinpath(*name).is_file() for name in names)


def test_a_whole_medium_is_read_without_a_warning(medium: Path) -> None:
    assert warnings(medium) == []


def test_files_in_lower_case_are_there(medium: Path) -> None:
    for path in sorted(medium.rglob("CR*")):
        path.rename(path.with_name(path.name.lower()))
    assert warnings(medium) == []


def test_files_that_are_missing_and_outside_are_counted(medium: Path) -> None:
    names = [list(name) for name in named_files(medium / "DICOMDIR")]
    write_directory(medium, [*names, ["GONE", "1"], ["..", "OTHER"], "x" * 5000])
    absent, outside = warnings(medium)
    assert absent.startswith("2 of 6 files that DICOMDIR names are not in the study folder")
    assert outside.startswith("1 of 6 files that DICOMDIR names are outside its folder")


def test_a_directory_that_is_damaged_tells_nothing(medium: Path) -> None:
    content = (medium / "DICOMDIR").read_bytes()
    (medium / "DICOMDIR").write_bytes(content[: len(content) // 2])
    assert warnings(medium) == []
