"""Study table: what a table says of images whose files say nothing; guesses and contradictions are told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from pipeline.cohort.index import Cohort, digest, index_studies
from pipeline.config import StudyTable
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.loaders import decode
from pipeline.records import Case
from tests.loaders.pictures import write_picture
from tests.study import write_image

PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)


def pseudonym(kind: str, *identity: object) -> str:
    return "-".join(map(str, (kind, *identity)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        write_picture(tmp_path / f"{name}.png", PIXELS)
    return tmp_path


def indexed(folder: Path, text: str, **keys: object) -> Cohort:
    (folder / "table.csv").write_text(text)
    table = StudyTable.model_validate({"file": "table.csv", **keys})
    return index_studies(folder, executor=Here(), pseudonym=pseudonym, table=table)


def by_stem(cohort: Cohort) -> Mapping[str, Case]:
    return {case.source.stem: case for case in cohort.cases}


def warnings(cohort: Cohort) -> list[str]:
    return [notice.message for notice in cohort.notices if notice.kind == "warning"]


def test_columns_of_nih_are_recognised_and_told(folder: Path) -> None:
    cohort = indexed(
        folder,
        "Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position\n"
        "a.png,Mass,7,58,M,PA\nb.png,Mass,7,058Y,female,ap\nc.png,No Finding,8,104,F,PA\n",
    )
    found = by_stem(cohort)
    assert [found[stem].patient_id for stem in "abc"] == ["patient-7", "patient-7", "patient-8"]
    attributes = [
        {key: found[stem].source.attributes[key] for key in ("view", "sex", "age")} for stem in "abc"
    ]
    assert attributes == [
        {"view": "PA", "sex": "M", "age": "58"},
        {"view": "AP", "sex": "F", "age": "58"},
        {"view": "PA", "sex": "F", "age": "90+"},
    ]
    (guess,) = cohort.notices
    assert guess.text() == (
        "Columns of the table of images are read as image: Image Index, patient: Patient ID, view: View "
        "Position, sex: Patient Gender, age: Patient Age."
    )
    assert "table: {image: Image Index, patient: Patient ID, view: View Position" in guess.line()


def test_columns_of_chexpert_are_recognised_and_told(tmp_path: Path) -> None:
    """A row's view is that of AP/PA, and lateral images have none there; the folder names the patient."""
    rows = {
        "patient00001/study1/view1_frontal.jpg": "Female,68,Frontal,AP",
        "patient00001/study1/view2_lateral.jpg": "Female,68,Lateral,",
        "patient00002/study1/view1_frontal.jpg": "Male,91,Frontal,PA",
        "patient00003/study1/view1_frontal.jpg": "Unknown,0,Frontal,LL",
        "patient00004/study1/view1_frontal.jpg": "Male,40,Frontal,",
    }
    for name in rows:
        write_picture(tmp_path / "valid" / name, PIXELS)
    lines = [f"CheXpert-v1.0-small/valid/{name},{cells},1.0" for name, cells in rows.items()]
    header = "Path,Sex,Age,Frontal/Lateral,AP/PA,Edema"
    cohort = indexed(tmp_path, "\n".join([header, *lines]))
    found = {case.source.relative_path.removeprefix("valid/"): case for case in cohort.cases}
    assert [found[name].source.attributes.get("view") for name in rows] == [
        "AP", "LATERAL", "PA", "LL", "FRONTAL",
    ]  # fmt: skip
    assert [found[name].source.attributes.get("sex") for name in rows] == ["F", "F", "M", None, "M"]
    assert [found[name].source.attributes.get("age") for name in rows][:3] == ["68", "68", "90+"]
    assert [found[name].patient_id for name in rows] == [f"patient-{name.split('/')[0]}" for name in rows]
    table, folders = cohort.notices
    assert table.text() == (
        "Columns of the table of images are read as image: Path, view: AP/PA and Frontal/Lateral, sex: Sex, "
        "age: Age."
    )
    assert table.pin == {
        "studies": {
            "table": {"image": "Path", "view": ["AP/PA", "Frontal/Lateral"], "sex": "Sex", "age": "Age"}
        }
    }
    assert "5 pictures lie in 4 folders named like patients" in folders.message
    stated = indexed(tmp_path, "\n".join([header, *lines]), **table.pin["studies"]["table"])
    assert [case.source.attributes for case in stated.cases] == [
        case.source.attributes for case in cohort.cases
    ]
    assert [notice.kind for notice in stated.notices] == ["guess"]  # of the folders


def test_columns_of_mimic_are_recognised_and_told(folder: Path) -> None:
    cohort = indexed(
        folder,
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows\n"
        "a,10000032,5,CHEST (PA AND LAT),PA,16\nb,10000032,5,CHEST (PA AND LAT),LATERAL,16\n"
        "c,10000764,6,CHEST (PORTABLE AP),AP,16\n",
    )
    found = by_stem(cohort)
    assert [found[stem].patient_id for stem in "abc"] == [
        "patient-10000032", "patient-10000032", "patient-10000764",
    ]  # fmt: skip
    assert [found[stem].source.attributes["view"] for stem in "abc"] == ["PA", "LATERAL", "AP"]
    (guess,) = cohort.notices
    assert guess.text() == (
        "Columns of the table of images are read as image: dicom_id, patient: subject_id, view: ViewPosition."
    )


def test_columns_that_the_config_names_are_no_guess(folder: Path) -> None:
    cohort = indexed(folder, "file,id,patient\na,1,9\nb,2,9\nc,2,9\n", image="file", patient="id")
    assert [by_stem(cohort)[stem].patient_id for stem in "abc"] == ["patient-1", "patient-2", "patient-2"]
    assert cohort.notices == ()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("0.143", (0.143, 0.143)), ("0.2 0.1", (0.2, 0.1)),
     ('"[0.2, 0.1]"', (0.2, 0.1)), ("0.2\\0.1", (0.2, 0.1)),
     ("1.5e-1", (0.15, 0.15)), ("", None), ("0", None), ("-0.2", None), ("9e99", None), ("small", None),
     ("1 2 3", None), ("NaN", None),
     (".2", (0.2, 0.2)), ("0.2 mm x 0.1 mm", (0.2, 0.1)), ("\"['0.2', '0.1']\"", (0.2, 0.1)),
     ("0.02 cm", None), ('"1,5"', None), ("5 px/mm", None), ("0.1-0.2", None)],
)  # fmt: skip
def test_spacing_is_used_where_the_file_states_none(
    cell: str, expected: tuple[float, float] | None, folder: Path
) -> None:
    cohort = indexed(folder, f"image,spacing\na,{cell}\nb,{cell}\nc,{cell}\n")
    image = decode(by_stem(cohort)["a"].source, case_id="case")
    assert image.spacing_mm == expected
    unread = expected is None and cell not in {"", "NaN"}
    assert len(warnings(cohort)) == unread


def test_an_age_that_nobody_reaches_is_unknown_and_told(folder: Path) -> None:
    cohort = indexed(folder, "image,age\na,720\nb,60\nc,018M\n")
    ages = [by_stem(cohort)[stem].source.attributes.get("age") for stem in "abc"]
    assert ages == [None, "60", "1"]
    assert warnings(cohort) == ["Cells of the table in the column of age that are not understood: 1."]


def test_spacing_of_two_columns(folder: Path) -> None:
    cohort = indexed(folder, "image,rows_mm,columns_mm\na,0.2,0.1\n", spacing=["rows_mm", "columns_mm"])
    assert by_stem(cohort)["a"].source.spacing_mm == (0.2, 0.1)


def test_the_file_of_an_image_counts_where_it_says_something(folder: Path) -> None:
    for stem in "abc":
        (folder / f"{stem}.png").unlink()
    write_image(folder, 1, PIXELS)
    cohort = indexed(folder, "image,patient,sex,age,spacing\nimage1,other,M,61,9\n")
    (case,) = cohort.cases
    assert case.patient_id == "patient-HOSPITAL-1"
    assert (case.source.attributes["sex"], case.source.attributes["age"]) == ("F", "61")
    assert decode(case.source, case_id="case").spacing_mm == (0.5, 0.5)
    assert warnings(cohort) == [
        "Rows of the table that give another sex than the file of the image, which counts: 1."
    ]


def test_rows_and_images_that_do_not_meet_are_told(folder: Path) -> None:
    cohort = indexed(folder, "image,patient,sex\na,1,F\nb,2,X\nz,3,F\ny,4,F\n")
    assert warnings(cohort) == [
        "Images without a row in the table, so that what it says is unknown of them: 1 of 3.",
        "Names in the table that are those of no image, so that their rows are not used: 2.",
        "Cells of the table in the column of sex that are not understood: 1.",
    ]
    assert any("1 of 3 images have no Patient ID" in notice.message for notice in cohort.notices)


def test_no_cell_of_the_table_is_in_what_a_run_shows(folder: Path) -> None:
    """Only known views, sexes and ages pass; the patient becomes a pseudonym."""
    cohort = indexed(folder, "image,patient,view,sex,age\na,Doe^Jane,Zq1 PA,Jane,Zq2\n")
    source = by_stem(cohort)["a"].source
    assert {"view", "sex", "age"} & set(source.attributes) == set()
    assert source.patient == "Doe^Jane"  # as a Patient ID of a header, of which only a pseudonym leaves
    assert not any("Zq" in notice.text() or "Jane" in notice.text() for notice in cohort.notices)


def test_another_table_is_another_study_set(folder: Path) -> None:
    first, again, other = (
        digest(indexed(folder, f"image,patient\na,{name}\nb,2\nc,3\n").cases) for name in ("1", "1", "2")
    )
    assert first == again != other
    plain = index_studies(folder, executor=Here(), pseudonym=pseudonym)
    assert digest(plain.cases) != first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,sex\n1,F\n", "has no column for the image"),
        ("image,finding\na,1\n", "has no column for patient, view, sex, age or spacing; call one of them so"),
        ("image,patient\nx,1\n", "names no image of the study folder; check the column of the images"),
        ("image,patient\na,1\na,2\n", "its rows contradict each other; keep one row per image"),
        ("image,patient,patient\na,1,2\n", "has several columns 'patient'"),
    ],
)
def test_tables_that_cannot_be_used(text: str, message: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        indexed(folder, text)


def test_a_column_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match="has no column 'who'"):
        indexed(folder, "image,patient\na,1\n", patient="who")
    table = StudyTable.model_validate({"file": "absent.csv"})
    with pytest.raises(ConfigError, match=r"absent\.csv: .*cannot be read"):
        index_studies(folder, executor=Here(), pseudonym=pseudonym, table=table)
