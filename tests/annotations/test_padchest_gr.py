"""Tests of PadChest-GR, with boxes worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import guess_sources
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Box
from tests.annotations.tools import read, refusal

SHARES = [0.125, 0.5, 0.5, 0.75]


def sentence(*boxes: Any, extra: Any = (), labels: Any = ("Mass",), abnormal: bool = True) -> dict[str, Any]:
    return {"abnormal": abnormal, "boxes": boxes, "extra_boxes": extra, "labels": labels}


def study(*findings: Any, image: str = "17.png") -> dict[str, Any]:
    return {"StudyID": "1", "ImageID": image, "PreviousStudyID": None, "findings": findings}


def items(folder: Path, *studies: Any, **options: Any) -> list[AnnotationItem]:
    (folder / "a.json").write_text(json.dumps(studies))
    return find_annotations(folder, [{"format": "padchest_gr", "file": "a.json", **options}])


def test_boxes_are_shares_of_the_image_and_each_set_is_of_a_reader(tmp_path: Path) -> None:
    first, second = items(tmp_path, study(sentence(SHARES, [0, 0, 1, 1], extra=[SHARES])))
    assert [(item.image, item.finding, item.reader, item.kind) for item in (first, second)] == [
        ("17", "Mass", "reader 1", "box"),
        ("17", "Mass", "reader 2", "box"),
    ]
    assert read(first, (4, 8)).boxes == (Box(0.5, 1.5, 3, 1), Box(-0.5, -0.5, 8, 4))
    assert read(second, (8, 16)).boxes == (Box(1.5, 3.5, 6, 2),)
    (only,) = items(tmp_path, study(sentence(SHARES, extra=[SHARES])), reader="anna")
    assert only.reader == "anna"


def test_each_label_of_a_sentence_has_its_boxes(tmp_path: Path) -> None:
    found = items(tmp_path, study(sentence(SHARES, labels=["Mass", "Cyst"])))
    assert [item.finding for item in found] == ["Mass", "Cyst"]


def test_an_abnormal_sentence_without_box_is_a_label_and_a_normal_one_says_nothing(tmp_path: Path) -> None:
    normal = sentence(labels=["Cyst"], abnormal=False)
    found = items(tmp_path, study(sentence(), normal), study({"abnormal": False}, image="18.png"))
    assert [(item.image, item.finding, item.says) for item in found] == [
        ("17", "Mass", "present"),
        ("18", None, "nothing"),
    ]


def test_it_is_guessed(tmp_path: Path) -> None:
    items(tmp_path, study(sentence(SHARES)))
    assert guess_sources(tmp_path, findings=["Mass"]) == ({"format": "padchest_gr", "file": "a.json"},)


@pytest.mark.parametrize(
    ("box", "reason"),
    [([0, 0, 1], "bad_shape"), ([0, 0, 1, "x"], "bad_shape"), (5, "bad_shape"), ([1, 1, 0, 0], "bad_box"),
     ([0, 0, 3, 3], "box_outside_image")],
)  # fmt: skip
def test_a_box_that_cannot_be_used_costs_its_finding_on_its_image(
    tmp_path: Path, box: Any, reason: str
) -> None:
    first, second = items(tmp_path, study(sentence(box), sentence(SHARES, labels=["Cyst"])))
    assert refusal(first) == reason
    assert read(second).lesions == 1


@pytest.mark.parametrize(
    ("studies", "message"),
    [
        ([5], "is not a file of PadChest-GR"),
        ([study(), {"findings": []}], 'study 2: has no text or whole number "ImageID"'),
        ([study(5)], "study 1: has an entry in findings that is not a mapping"),
        ([study(sentence(labels=5))], 'study 1: has a value of "labels" that is not a list'),
    ],
)
def test_a_file_that_is_malformed_as_a_whole_is_refused(tmp_path: Path, studies: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        items(tmp_path, *studies)
