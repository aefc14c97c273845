"""The config maps x_min … y_max to columns of a table of a table with other x, y, width and height.

Right: what the config says. Before, the table's own x, y, width and height were read. Source:
a64bit/tf2-object-detection-api-tutorial#2, SkalskiP/make-sense#150. Shared case: input-boxes-mapping-ignored.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations.boxes import find
from pipeline.errors import ConfigError
from pipeline.records import Box

CORNERS = {"x_min": "x1", "y_min": "y1", "x_max": "x2", "y_max": "y2"}
TABLE = "image,finding,x,y,width,height,x1,y1,x2,y2\na,mass,9.5,8.5,20,10,4,5,15,12\n"


def test_the_columns_of_the_config_are_read(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(TABLE)
    (item,) = find(tmp_path, file="boxes.csv", columns=CORNERS)
    assert item.payload["boxes"] == (Box(3.5, 4.5, 11, 7),)


def test_columns_of_both_kinds_in_the_config_are_refused(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(TABLE)
    with pytest.raises(ConfigError, match="keep one of the two sets"):
        list(find(tmp_path, file="boxes.csv", columns={**CORNERS, "width": "width"}))


def test_two_sets_that_contradict_each_other_ask_for_an_answer(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(TABLE.replace("x1,y1,x2,y2", "x_min,y_min,x_max,y_max"))
    with pytest.raises(ConfigError, match="contradict its columns x_min, y_min"):
        list(find(tmp_path, file="boxes.csv"))


@pytest.mark.parametrize(("key", "value"), [("finding", "nodule"), ("reader", "anna")])
def test_a_finding_or_reader_that_the_table_contradicts_is_refused(
    tmp_path: Path, key: str, value: str
) -> None:
    (tmp_path / "boxes.csv").write_text("image,finding,reader,x,y,width,height\na,mass,ben,1,1,2,2\n")
    with pytest.raises(ConfigError, match=f"{key}: '{value}' is set, but the table has a column"):
        list(find(tmp_path, file="boxes.csv", **{key: value}))
    (item,) = find(tmp_path, file="boxes.csv", columns={key: None}, **{key: value})
    assert getattr(item, key) == value
