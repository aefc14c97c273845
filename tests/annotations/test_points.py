"""Tests of points in a CSV, up to the hit within a tolerance."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import guess_sources
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Point
from tests.annotations.tools import read, refusal

TABLE = """image,finding,reader,x,y
17.png,Mass,ann,2.5,3
17.png,Mass,ann,4,4
17.png,Cyst,ann,,
18,Mass,bea,1,1
"""


def items(folder: Path, text: str = TABLE, **options: object) -> list[AnnotationItem]:
    (folder / "points.csv").write_text(text)
    return find_annotations(folder, [{"format": "points", "file": "points.csv", **options}])


def test_points_count_from_the_corner_and_none_means_absent(tmp_path: Path) -> None:
    two, none, other = items(tmp_path)
    assert (two.image, two.finding, two.reader) == ("17", "Mass", "ann")
    assert read(two).points == (Point(2, 2.5), Point(3.5, 3.5))
    assert (none.finding, read(none).lesions) == ("Cyst", 0)
    assert (other.image, other.reader) == ("18", "bea")
    (item,) = items(tmp_path, "image,finding,x,y\n17,Mass,2,3\n", origin="centre")
    assert read(item).points == (Point(2, 3),)


def test_words_may_deny_all_findings(tmp_path: Path) -> None:
    first, second = items(
        tmp_path, "image,finding,x,y\n17,No finding,,\n18,Mass,1,1\n", no_finding=["no finding"]
    )
    assert (first.denies, second.denies) == (True, False)


@pytest.mark.parametrize(
    ("cells", "reason"), [("1,", "bad_point"), ("a,1", "bad_point"), ("20,1", "point_outside_image")]
)
def test_a_point_that_is_none_is_refused(tmp_path: Path, cells: str, reason: str) -> None:
    (item,) = items(tmp_path, f"image,finding,x,y\n17,Mass,{cells}\n")
    assert refusal(item) == reason


def test_the_table_is_recognised_by_its_columns(tmp_path: Path) -> None:
    items(tmp_path)
    columns = {name: name for name in ("image", "finding", "reader", "x", "y")}
    source = {"format": "points", "file": "points.csv", "columns": columns}
    assert guess_sources(tmp_path, findings=["Mass"]) == (source,)
    (tmp_path / "other.csv").write_text("image,x,y\n17,1,1\n")
    assert guess_sources(tmp_path, findings=["Mass"]) == (source,)
    with pytest.raises(ConfigError, match="has no columns x, y; name the columns in the first row"):
        items(tmp_path, "image,finding\n17,Mass\n")
