"""A table of boxes of many classes and three readers, given to a network with one finding.

Right: the column of classes says what a box is of. Under the names of a published set it is read as that
set has it, which is shown as a guess; under other names the table is refused, with the lines that map it,
until it is mapped. Three readers have a box each, and another class is no nodule. Before, every box was a
nodule of one reader. Source: Scu-sen/VinBigData-Chest-X-ray-Abnormalities-Detection#1,
mlmed/torchxrayvision#153. Shared case: input-boxes-all-classes-one-finding.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.errors import ConfigError
from pipeline.ground_truth.matching import Truth, gather_truth
from tests.cohort.cases import case, pseudonym

TABLE = """image_id,class_name,rad_id,x_min,y_min,x_max,y_max
a,Mass,R1,1,1,3,3
a,Mass,R2,1,1,3,3
a,Mass,R3,1,1,3,3
b,Heart,R1,0,0,4,4
"""


def gathered(folder: Path, **changes: object) -> Truth:
    options = {"sources": [], "labels": None, "names": {}, "findings": ["mass"], "pseudonym": pseudonym}
    return gather_truth(folder, **{**options, "cases": [case("a"), case("b")], **changes})


def test_a_table_with_the_columns_of_vindr_is_read_as_it_and_the_guess_is_shown(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(TABLE)
    truth = gathered(tmp_path)
    assert [item.reader for item in truth.items["case-a-0"]] == ["R1", "R2", "R3"]
    assert not truth.items.get("case-b-0")
    assert any("class_name" in notice.text() and "rad_id" in notice.text() for notice in truth.notices)


def test_the_table_is_refused_with_the_lines_that_map_it(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(TABLE.replace("class_name", "class").replace("rad_id", "doctor"))
    with pytest.raises(
        ConfigError, match="does not say of what its boxes are, who drew which box"
    ) as refused:
        gathered(tmp_path)
    lines = yaml.safe_load("annotations: " + str(refused.value).partition("): annotations: ")[2])
    (source,) = lines["annotations"]["sources"]
    assert source == {
        "format": "boxes",
        "file": "train.csv",
        "columns": {"image": "image_id", "finding": "class", "reader": "doctor"},
    }
    truth = gathered(tmp_path, sources=[source])
    assert [(item.finding, item.reader) for item in truth.items["case-a-0"]] == [
        ("mass", "R1"),
        ("mass", "R2"),
        ("mass", "R3"),
    ]
    assert "case-b-0" not in {case_id for case_id, items in truth.items.items() if items}


def test_readers_are_not_made_one_though_the_finding_is_stated(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(TABLE.replace("class_name", "finding"))
    with pytest.raises(ConfigError, match="does not say who drew which box"):
        gathered(tmp_path, sources=[{"format": "boxes", "file": "train.csv"}])


@pytest.mark.parametrize("header", ["image,label,x,y,width,height", "image,Target,x,y,width,height"])
def test_any_column_that_may_name_classes_asks_for_an_answer(tmp_path: Path, header: str) -> None:
    (tmp_path / "boxes.csv").write_text(f"{header}\na,1,0,0,1,1\n")
    with pytest.raises(ConfigError, match="does not say of what its boxes are"):
        gathered(tmp_path)
