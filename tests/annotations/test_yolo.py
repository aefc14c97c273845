"""Tests of YOLO files, with pixels worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.tool_kinds import HEAD_BYTES, is_yolo
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Box
from tests.annotations.tools import pixels, read, refusal

NAMES = ["Cyst", "Mass"]


def items(folder: Path, text: str, **options: object) -> list[AnnotationItem]:
    (folder / "17.txt").write_text(text)
    return find_annotations(folder, [{"format": "yolo", "names": NAMES, **options}])


def test_a_box_has_a_centre_and_a_size_in_shares_of_the_image(tmp_path: Path) -> None:
    (item,) = items(tmp_path, "1 0.3125 0.5 0.375 0.5\n")
    assert (item.image, item.finding, item.kind) == ("17", "Mass", "box")
    assert read(item, (8, 16)).boxes == (Box(1.5, 1.5, 6, 4),)


def test_a_polygon_has_corners_in_shares_of_the_image(tmp_path: Path) -> None:
    (item,) = items(tmp_path, "1 .125 0.25 0.5 0.25 0.5 0.75 0.125 0.75\n")
    reference = read(item, (4, 8))
    np.testing.assert_array_equal(reference.polygons, [[[0.5, 0.5], [3.5, 0.5], [3.5, 2.5], [0.5, 2.5]]])
    np.testing.assert_array_equal(reference.masks, [pixels(slice(1, 3), slice(1, 4))[:4]])


def test_boxes_among_polygons_make_all_of_them_boxes(tmp_path: Path) -> None:
    (item,) = items(tmp_path, "1 0.5 0.5 1 1\n1 .125 0.25 0.5 0.25 0.5 0.75 0.125 0.75\n")
    assert read(item, (4, 8)).boxes == (Box(-0.5, -0.5, 8, 4), Box(0.5, 0.5, 3, 2))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "Cyst\nMass\n"),
        ("obj.names", "Cyst\nMass"),
        ("labels.txt", "\nMass\n\n"),
        ("data.yaml", "path: ../x\ntrain: images\nnc: 2\nnames: [Cyst, Mass]\n"),
        ("data.yaml", "names:\n  0: Cyst\n  1: Mass\n"),
    ],
)
def test_names_are_in_a_file_beside_the_annotations_or_around_them(
    tmp_path: Path, name: str, text: str
) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "17.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    for place in (labels / name, tmp_path / name):
        place.write_text(text)
        for path, folder in ((labels, ""), (tmp_path, "labels")):
            (item,) = find_annotations(path, [{"format": "yolo", "folder": folder}])
            assert item.finding == "Mass"
        place.unlink()


def test_without_names_the_run_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no data\.yaml or classes\.txt says their names; .*names: \[\.\.\.\]"
    ):
        items(tmp_path, "1 0.5 0.5 0.5 0.5\n", names=None)
    (tmp_path / "data.yaml").write_text("names: x")
    with pytest.raises(ConfigError, match="has no list of names"):
        items(tmp_path, "1 0.5 0.5 0.5 0.5\n", names=None)


def test_keypoints_after_a_box_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [Cyst, Mass]\nkpt_shape: [1, 2]")
    (item,) = items(tmp_path, "1 0.5 0.5 0.5 0.5 0.25 0.25\n", names=None)
    assert read(item, (4, 8)).boxes == (Box(1.5, 0.5, 4, 2),)


def test_folders_belong_to_the_name_of_the_image(tmp_path: Path) -> None:
    for part in ("train", "val"):
        (tmp_path / "labels" / part).mkdir(parents=True)
        (tmp_path / "labels" / part / "a.b.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    found = find_annotations(tmp_path, [{"format": "yolo", "names": NAMES}])
    assert [item.image for item in found] == ["labels/train/a.b", "labels/val/a.b"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1 0.5 0.5 0.5 0.5 0.9", "bad_box"),
        ("1 0.5 0.5 0.5", "bad_polygon"),
        ("1 0.5 0.5 0.5 0", "bad_box"),
        ("1 0.5 0.5 x 0.5", "bad_shape"),
        ("1 0.1 0.1 0.2 0.1 0.2 0.2 0.1", "bad_polygon"),
        ("1 0.1 0.1 nan 0.1 0.2 0.2", "bad_polygon"),
        ("1 0.1 0.1 7 0.1 0.2 0.2", "polygon_outside_image"),
    ],
)
def test_a_line_that_cannot_be_used_costs_its_class_on_its_image(
    tmp_path: Path, line: str, reason: str
) -> None:
    first, second = items(tmp_path, f"0 0.5 0.5 0.5 0.5\n{line}\n" if reason else "")
    assert refusal(second) == reason
    assert read(first).lesions == 1


def test_a_class_without_name_is_called_by_its_number(tmp_path: Path) -> None:
    (item,) = items(tmp_path, "7 0.5 0.5 0.5 0.5\n")
    assert item.finding == "class 7"


@pytest.mark.parametrize(
    "text", ["0 0.5 0.5 0.5 0.5\nx 1 1 1 1\n", "0 0.5 0.5 0.5 0.5\n" + "9" * 30 + " 0 0 1 1"]
)
def test_a_broken_file_costs_itself_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "16.txt").write_text(text)
    broken, whole = items(tmp_path, "0 0.5 0.5 0.5 0.5\n")
    assert (broken.image, refusal(broken)) == ("16", "annotation_unreadable")
    assert read(whole).lesions == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0.5 0.5 0.25 0.125\n", True),
        ("0 1 1e-05 1.000000 .5\n\n1 0 0 1 1\n", True),
        ("0 " + "0.123456 0.654321 " * 9000, True),
        ("0 0.5 0.5 0.25 0.125\n0 0.5 0.", True),
        ("", False),
        ("0 0.5 0.5\n", False),
        ("Cyst\nMass\n", False),
        ("1 12 13 14 15\n", False),
        ("the 1 1 1 1\n", False),
    ],
)
def test_files_are_told_by_their_lines(text: str, *, expected: bool) -> None:
    assert is_yolo(text.encode()[:HEAD_BYTES]) == expected
