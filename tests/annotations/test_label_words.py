"""Tests of labels in one column that lists the findings of an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations import label_words
from pipeline.annotations.label_words import listed, listed_findings, read_label_words, word_tables
from pipeline.annotations.tables import read_table
from pipeline.errors import ConfigError

FINDINGS = ("Mass", "Edema", "Nodule")


def read(folder: Path, text: str, **names: str | None) -> dict[str, dict[str, int | None]]:
    file = folder / "labels.csv"
    file.write_text(text)
    rows = read_label_words(file, image="image", column="words", findings=FINDINGS, names=names)
    return {image: dict(labels) for image, labels in rows.items()}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("Mass|Edema", ("Mass", "Edema")),
        ("Mass; Edema", ("Mass", "Edema")),
        ("['Mass', \"Edema\"]", ("Mass", "Edema")),
        ("Mass", ("Mass",)),
        ("Nodule/Mass, large", ("Nodule/Mass, large",)),
        ("", ()),
        ("[]", ("[]",)),
        ("['Mass'", ("['Mass'",)),
    ],
)
def test_words_of_a_cell(cell: str, words: tuple[str, ...]) -> None:
    assert listed(cell) == words


def test_what_is_listed_for_other_images_only_is_absent_and_what_never_is_is_unknown(tmp_path: Path) -> None:
    found = read(tmp_path, "image,words\n1,Mass|Edema\n2,No Finding\n3,\n")
    assert found["1"] == {"Mass": 1, "Edema": 1, "Nodule": None}
    assert found["2"] == {"Mass": 0, "Edema": 0, "Nodule": None}
    assert found["3"] == {"Mass": None, "Edema": None, "Nodule": None}


def test_rows_of_one_image_are_joined(tmp_path: Path) -> None:
    found = read(tmp_path, "image,words\n1.png,Mass\n1.png,Edema\n1.png,\n")
    assert found["1"] == {"Mass": 1, "Edema": 1, "Nodule": None}


def test_words_are_translated_and_spelled_otherwise(tmp_path: Path) -> None:
    found = read(tmp_path, "image,words\n1,EDEMA|Lump\n2,Odd\n", Lump="Mass", Odd=None)
    assert found == {
        "1": {"Mass": 1, "Edema": 1, "Nodule": None},
        "2": {"Mass": 0, "Edema": 0, "Nodule": None},
    }


@pytest.mark.parametrize("cell", ['"Mass, Edema"', "Mass/Edema", "Edema and mass", '"Mass, right lung"'])
def test_findings_that_something_else_separates_are_refused(cell: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"image,labels\na,Mass\nb,{cell}\n")
    with pytest.raises(ConfigError, match=r"row 3, column 'labels': names '(Mass|Edema)' beside other words"):
        read_label_words(file, image="image", column="labels", findings=["Mass", "Edema"], names={})
    for meant in ("Mass", None):
        names = {cell.strip('"'): meant}
        found = read_label_words(
            file, image="image", column="labels", findings=["Mass", "Edema"], names=names
        )
        assert found["b"]["Mass"] == int(meant == "Mass")


def test_a_column_of_free_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_words, "MOST_WORDS", 2)
    with pytest.raises(ConfigError, match="more than 2 different words"):
        read(tmp_path, "image,words\n1,a|b|c\n")
    with pytest.raises(ConfigError, match="has no column 'words'"):
        read(tmp_path, "image,other\n1,a\n")


def test_the_findings_that_a_column_lists(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,words\n1,mass|Cyst\n2,Lump\n")
    table = read_table(tmp_path / "a.csv")
    assert listed_findings(table, "words", FINDINGS, {"Lump": "Nodule"}) == ("Mass", "Nodule")


def test_only_known_columns_with_a_finding_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Image Index,Finding Labels\n1,Mass|Cyst\n")
    (tmp_path / "b.csv").write_text("image,Labels\n1,Cyst\n")
    (tmp_path / "c.csv").write_text("image,notes\n1,Mass\n")
    (found,) = word_tables(tmp_path, FINDINGS, {})
    assert (found.table.file.name, found.image, found.column) == ("a.csv", "Image Index", "Finding Labels")
