"""Tests of the files that no source reads."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.annotations import unread
from pipeline.annotations.unread import Reading, unread_files, what_is_there
from pipeline.guards.json_files import LARGEST_BYTES

FINDINGS = ("mass", "edema")
COCO = {"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}], "categories": []}


def write(folder: Path, name: str, text: str | bytes = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def reasons(folder: Path, *used: Path, stated: bool = False) -> dict[str, str]:
    return {e.path: e.reason for e in unread_files(folder, Reading({*used}, FINDINGS, stated=stated))}


def message(folder: Path) -> str:
    (entry,) = unread_files(folder, Reading((), FINDINGS))
    return entry.message


def test_folders_of_masks_that_are_passed_over_are_listed_with_the_nearest_finding(tmp_path: Path) -> None:
    used = write(tmp_path, "masks/7.png")
    for name in ("masks_instances/7.png", "images/8.png", "Masses/9.png", "masks/a/b/10.png"):
        write(tmp_path, name)
    assert reasons(tmp_path, used) == {
        "Masses/9.png": "mask_folder",
        "images/8.png": "picture_folder",
        "masks/a/b/10.png": "mask_folder",
        "masks_instances/7.png": "second_mask",
    }
    (found,) = (e for e in unread_files(tmp_path, Reading({used}, FINDINGS)) if e.path == "Masses/9.png")
    assert "the nearest finding is 'mass'" in found.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("image,Maß\n7,1\n".encode("latin-1"), "table_unreadable"),
        ("image,mass\n7,1,2\n", "table_unreadable"),
        ("scan,mass\n7,1\n", "no_image_column"),
        ("image,mas\n7,1\n", "nearly_finding"),
        ("image,mass\n7,perhaps\n", "not_labels"),
        ("image,mass\n7,0.3\n", "probabilities"),
        ("image,mass\n7,1\n", "other_labels"),
        ("image,labels\n7,Edema|Mass\n", "words"),
        ("image,weather\n7,1\n", "no_finding_column"),
    ],
)
def test_a_table_that_is_not_read_says_why(tmp_path: Path, text: str | bytes, reason: str) -> None:
    write(tmp_path, "a.csv", text)
    assert reasons(tmp_path) == {"a.csv": reason}


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.json", json.dumps(COCO), "COCO JSON"),
        ("a.json", json.dumps([{"image_id": 1, "bbox": []}]), "a list of COCO results"),
        ("a.json", json.dumps({"a.png1": {"filename": "a.png", "regions": []}}), "VIA"),
        ("a.json", json.dumps({"shapes": [], "imagePath": "a.png"}), "LabelMe"),
        ("a.json", json.dumps({"size": {"height": 1, "width": 1}, "objects": []}), "Supervisely"),
        ("a.json", json.dumps([{"data": {"image": "a"}, "annotations": []}]), "Label Studio"),
        ("a.xml", "<annotation><object><bndbox/></object></annotation>", "Pascal VOC"),
        ("a.xml", "<annotations><meta></meta></annotations>", "CVAT"),
        ("a.txt", "0 0.5 0.5 0.25 0.125\n1 0.1 0.2 0.1 0.1\n", "YOLO"),
        ("a.xlsx", "PK", "spreadsheet"),
        ("a.jpg", "x", "with format: jpg"),
        ("a.bmp", "x", "neither PNG nor JPEG"),
        ("a.dcm", b"\0" * 128 + b"DICM 1.2.840.10008.5.1.4.1.1.481.3", "format: rtstruct"),
    ],
)
def test_files_of_other_programs_are_named_with_what_would_work(
    tmp_path: Path, name: str, text: str | bytes, what: str
) -> None:
    write(tmp_path, name, text)
    assert reasons(tmp_path) == {name: "foreign_format"}
    assert what in message(tmp_path)
    assert what_is_there(tmp_path, FINDINGS) == f"{name} ({message(tmp_path)})"


def test_a_file_of_a_format_in_use_holds_no_shape(tmp_path: Path) -> None:
    write(tmp_path, "a.json", json.dumps({"shapes": [], "imagePath": "a.png"}))
    (found,) = unread_files(tmp_path, Reading((), FINDINGS, formats={"labelme"}))
    assert (found.reason, found.reason in unread.LOUD) == ("no_shape", False)


def test_other_files_are_listed_and_hidden_and_excluded_ones_are_not(tmp_path: Path) -> None:
    for name in ("notes.txt", "a.json", ".DS_Store", "._7.png", "out/run.csv", ".git/x.csv"):
        write(tmp_path, name, "{}")
    found = unread_files(tmp_path, Reading(()), excluded={tmp_path / "out"})
    assert {e.path: e.reason for e in found} == {"a.json": "other_format", "notes.txt": "other_format"}


def test_with_stated_sources_files_that_match_no_pattern_are_listed(tmp_path: Path) -> None:
    used = write(tmp_path, "masks/7.png")
    write(tmp_path, "masks/8_mask.PNG")
    write(tmp_path, "more.csv", "image,finding,x,y,width,height\n")
    assert reasons(tmp_path, used, stated=True) == {
        "masks/8_mask.PNG": "no_pattern",
        "more.csv": "other_table",
    }


def test_the_search_ends_in_a_folder_of_too_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "MOST_FILES", 3)
    for number in range(5):
        write(tmp_path, f"{number}.txt")
    assert [e.reason for e in unread_files(tmp_path, Reading(()))][-1] == "too_many_files"
    assert len(unread_files(tmp_path, Reading(()))) == 4


@pytest.mark.parametrize("names", [("pseudonym.key",), ("manifest.json", "skipped.csv")])
def test_runs_of_heatproof_below_the_annotations_are_its_own_output(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    run = tmp_path / "runs"
    (run / "cases").mkdir(parents=True)
    for name in (*names, "cases/mask.png"):
        (run / name).write_text("")
    assert unread_files(tmp_path, Reading(())) == []
    (run / names[0]).unlink()
    assert unread_files(tmp_path, Reading(())) != []


def test_json_that_is_too_large_to_be_looked_into_makes_a_warning(tmp_path: Path) -> None:
    file = write(tmp_path, "masks.json", '{"7": {"mass": {"size": [1, 1], "counts": [0, 1]}}}')
    os.truncate(file, LARGEST_BYTES + 1)
    (found,) = unread_files(tmp_path, Reading((), FINDINGS))
    assert (found.reason, found.reason in unread.LOUD) == ("too_large", True)
    assert "list the parts as sources" in found.message
