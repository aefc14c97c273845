"""Tests of Pascal VOC files, with boxes worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.pascal_voc import DIFFICULT
from pipeline.records import AnnotationItem, Box
from tests.annotations.tools import read, refusal

SIZE = "<size><width>8</width><height>6</height><depth>1</depth></size>"


def entry(*edges: object, name: str = "Mass") -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=False)
    box = "".join(f"<{side}>{edge}</{side}>" for side, edge in sides)
    return f"<object><name>{name}</name><difficult>0</difficult><bndbox>{box}</bndbox></object>"


def items(folder: Path, *entries: str, size: str = SIZE, **options: object) -> list[AnnotationItem]:
    text = f"<annotation>\n<folder>x</folder><filename>17.jpg</filename>{size}{''.join(entries)}</annotation>"
    (folder / "17.xml").write_text(text)
    return find_annotations(folder, [{"format": "pascal_voc", **options}])


def test_pixels_count_from_one_and_the_last_belongs_to_the_box(tmp_path: Path) -> None:
    first, second = items(tmp_path, entry(2, 2, 4, 3), entry(1, 1, 8, 6, name="Lung"))
    assert (first.image, first.finding, first.kind) == ("17", "Mass", "box")
    assert read(first).boxes == (Box(0.5, 0.5, 3, 2),)
    assert read(second).boxes == (Box(-0.5, -0.5, 8, 6),)


def test_edges_from_the_corner_are_read_where_the_config_says_so(tmp_path: Path) -> None:
    (item,) = items(tmp_path, entry(0, 1, 4, 3), origin="corner")
    assert read(item).boxes == (Box(-0.5, 0.5, 4, 2),)


def test_a_box_from_zero_is_refused_with_what_to_set(tmp_path: Path) -> None:
    (item,) = items(tmp_path, entry(0, 1, 4, 3))
    assert refusal(item) == "bad_box"
    with pytest.raises(Exception, match="set origin: corner"):
        read(item)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (entry(2, 2, 4), "bad_entry"),
        (entry(2, 2, "x", 3), "bad_entry"),
        (entry("nan", 2, 3, 3), "bad_box"),
        (entry(5, 2, 3, 3), "bad_box"),
        (entry(2, 2, 40, 3), "box_outside_image"),
        ("<object><name>Mass</name></object>", "bad_entry"),
    ],
)
def test_a_box_that_cannot_be_used_costs_its_finding_on_its_image(
    tmp_path: Path, bad: str, reason: str
) -> None:
    first, second = items(tmp_path, bad, entry(1, 1, 2, 2, name="Cyst"))
    assert refusal(first) == reason
    assert read(second).lesions == 1


def test_another_size_is_refused_and_none_is_not(tmp_path: Path) -> None:
    (item,) = items(tmp_path, entry(1, 1, 2, 2))
    assert refusal(item, (8, 6)) == "mask_size"
    (item,) = items(tmp_path, entry(1, 1, 2, 2), size="<size><width>0</width><height>0</height></size>")
    assert read(item, (9, 9)).lesions == 1


def test_a_file_with_entities_costs_itself_alone(tmp_path: Path) -> None:
    laughs = (
        '<!DOCTYPE annotation [<!ENTITY a "b">]><annotation><object><name>&a;</name></object></annotation>'
    )
    (tmp_path / "16.xml").write_text(laughs)
    broken, whole = items(tmp_path, entry(1, 1, 2, 2))
    assert (broken.image, refusal(broken)) == ("16", "annotation_unreadable")
    assert read(whole).lesions == 1


def test_objects_that_are_difficult_are_read_and_said_to_be(tmp_path: Path) -> None:
    hard = entry(2, 2, 4, 3).replace("<difficult>0", "<difficult>1")
    (item,) = items(tmp_path, hard, entry(1, 1, 8, 6))
    assert (read(item).lesions, read(item).notices) == (2, (DIFFICULT,))
    (plain,) = items(tmp_path, entry(1, 1, 8, 6))
    assert read(plain).notices == ()


def test_a_file_without_objects_says_that_its_image_was_looked_at(tmp_path: Path) -> None:
    (item,) = items(tmp_path)
    assert (item.image, item.says) == ("17", "nothing")
