"""Patient folders: pictures in folders named like patients are theirs, which is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.cohort.index import Cohort, index_studies
from pipeline.config import StudyTable
from pipeline.executors.here import Here
from tests.loaders.pictures import write_picture
from tests.study import write_image

PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)


def indexed(folder: Path, table: StudyTable | None = None) -> Cohort:
    pseudonym = lambda *parts: "-".join(map(str, parts))  # noqa: E731  shorter than a function
    return index_studies(folder, executor=Here(), pseudonym=pseudonym, table=table)


def patients(cohort: Cohort) -> list[str]:
    return [case.patient_id for case in sorted(cohort.cases, key=lambda case: case.source.relative_path)]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["train/patient00001/study1", "train/patient00001/study2", "train/patient00002/study1"],
         ["patient00001", "patient00001", "patient00002"]),
        (["p10/p10000032/s50414267", "p10/p10000032/s53189527", "p10/p10000980/s1"],
         ["p10000032", "p10000032", "p10000980"]),
        (["sub-01/a", "sub-01/b", "sub-02/a"], ["sub-01", "sub-01", "sub-02"]),
    ],
    ids=["CheXpert", "MIMIC-CXR-JPG", "BIDS"],
)  # fmt: skip
def test_layouts_of_published_sets(folders: list[str], expected: list[str], tmp_path: Path) -> None:
    for folder in folders:
        write_picture(tmp_path / folder / "view1_frontal.jpg", PIXELS)
    cohort = indexed(tmp_path)
    assert patients(cohort) == [f"patient-{name}" for name in expected]
    (guess,) = cohort.notices
    assert guess.message.startswith("3 pictures lie in 2 folders named like patients")


@pytest.mark.parametrize("folder", ["train", "p10", "patients", "subset", "study1", "pathology 1"])
def test_other_folders_are_no_patients(folder: str, tmp_path: Path) -> None:
    write_picture(tmp_path / folder / "17.png", PIXELS)
    cohort = indexed(tmp_path)
    assert patients(cohort) == [f"patient-{folder}/17.png"]
    assert "1 of 1 images have no Patient ID" in cohort.notices[0].message


def test_a_table_and_a_header_count_more_than_a_folder(tmp_path: Path) -> None:
    write_picture(tmp_path / "patient1" / "17.png", PIXELS)
    (tmp_path / "table.csv").write_text("image,patient\n17,nine\n")
    assert patients(indexed(tmp_path, StudyTable(file=Path("table.csv")))) == ["patient-nine"]
    write_image(tmp_path / "patient2", 1, PIXELS)
    assert patients(indexed(tmp_path)) == ["patient-HOSPITAL-1"]
