"""Tests of image-level labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations.labels import read_labels
from pipeline.errors import ConfigError

STUDIES = Path(__file__).parents[2] / "../shared/studies"


def labels(tmp_path: Path, text: str, **columns: list[str]) -> dict[str, dict[str, int | None]]:
    (tmp_path / "labels.csv").write_text(text)
    found = read_labels(tmp_path / "labels.csv", image="file", columns=columns)
    return {image: dict(labels) for image, labels in found.by_image.items()}


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("1", 1), ("1.0", 1), ("true", 1), ("True", 1), (" 1 ", 1),
        ("0", 0), ("0.0", 0), ("FALSE", 0),
        ("", None), ("-1", None), ("-1.0", None), ("NaN", None),
    ],
)  # fmt: skip
def test_what_a_cell_says(tmp_path: Path, cell: str, label: int | None) -> None:
    assert labels(tmp_path, f"file,Mass\n7,{cell}\n", mass=["Mass"]) == {"7": {"mass": label}}


@pytest.mark.parametrize(
    ("cells", "label"), [("1,0", 1), ("0,0", 0), ("0,", None), ("1,-1", 1), (",", None), ("1,1", 1)]
)
def test_of_several_columns_one_is_enough(tmp_path: Path, cells: str, label: int | None) -> None:
    found = labels(tmp_path, f"file,Mass,Nodule\n7,{cells}\n", lesion=["Mass", "Nodule"])
    assert found == {"7": {"lesion": label}}


def test_suffixes_of_images_are_dropped_but_folders_and_uids_kept(tmp_path: Path) -> None:
    text = "file,Mass\nimages/00000820_000.dcm,1\n1.2.840.10008.7,0\nb.PNG,1\n"
    assert list(labels(tmp_path, text, mass=["Mass"])) == ["images/00000820_000", "1.2.840.10008.7", "b"]


@pytest.mark.parametrize(
    ("rows", "label"), [(("1", "0"), None), (("1", "0", "1"), None), (("", "1"), 1), (("0", "0"), 0)]
)
def test_rows_of_one_image_must_agree(tmp_path: Path, rows: tuple[str, ...], label: int | None) -> None:
    text = "file,Mass\n" + "".join(f"7,{row}\n" for row in rows)
    assert labels(tmp_path, text, mass=["Mass"]) == {"7": {"mass": label}}


def test_images_and_findings_that_rows_contradict_are_named(tmp_path: Path) -> None:
    text = "file,Mass,Cyst\n7,1,1\n8,0,\n7,0,1\n9,1,0\n9,0,1\n8,0,1\n"
    (tmp_path / "labels.csv").write_text(text)
    columns = {"mass": ["Mass"], "cyst": ["Cyst"]}
    found = read_labels(tmp_path / "labels.csv", image="file", columns=columns)
    assert found.contradicted == {"7": ("mass",), "9": ("mass", "cyst")}
    assert found.by_image["7"] == {"mass": None, "cyst": 1}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("image,Mass\n", "has no column 'file'"),
        ("file,Mas\n", "has no column 'Mass'; column 2 has a similar name"),
        ("file,Mass\n6,1\n7,0.7\n", r"labels\.csv, row 3, column 'Mass': is not a label; write 1, 0, true"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        labels(tmp_path, text, mass=["Mass"])


@pytest.mark.skipif(not STUDIES.is_dir(), reason="the shared study sets are not here")
def test_breast_ultrasound_labels() -> None:
    file = STUDIES / "breast_ultrasound" / "labels.csv"
    columns = {"benign": ["benign"], "malignant": ["malignant"]}
    found = list(read_labels(file, image="sop_instance_uid", columns=columns).by_image.values())
    assert [sum(labels[finding] == 1 for labels in found) for finding in columns] == [349, 168]
    assert sum(labels == {"benign": 0, "malignant": 0} for labels in found) == 106


def test_rows_are_counted_as_in_the_file_with_empty_ones_and_the_line_that_names_the_separator(
    tmp_path: Path,
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("sep=;\nimage;nodule\n\na;1\n\nb;perhaps\n")
    with pytest.raises(ConfigError, match=r"labels\.csv, row 6, column 'nodule': is not a label"):
        read_labels(file, image="image", columns={"nodule": ("nodule",)})
