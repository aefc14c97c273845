"""Every patient's file has the same name, and folders tell them apart, as in CheXpert.

Right: a row is of the image whose folders it names; rows of patients who are not there are listed. Before,
folders were cut off, and all patients' boxes landed on one image. Source:
DIAGNijmegen/rse-grand-challenge#1421, shimming-toolbox/shimming-toolbox#595. Shared case:
input-names-with-folders.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import ConfigError
from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.records import Box, Case
from tests.cohort.cases import case, pseudonym

NAMES = [f"valid/patient{n}/study1/view1.jpg" for n in (1, 2, 3)]
P2 = case("p2", relative_path="patient2/study1/view1.dcm")
P3 = case("p3", relative_path="patient3/study1/view1.dcm")


def gathered(folder: Path, *cases: Case, **changes: object) -> Truth:
    options = {"sources": [], "labels": None, "names": {}, "findings": ["mass"], "pseudonym": pseudonym}
    return gather_truth(folder, **{**options, "cases": cases, **changes})


def write_boxes(folder: Path) -> None:
    rows = [f"{name},mass,{number},1,2,2" for number, name in enumerate(NAMES)]
    (folder / "boxes.csv").write_text("\n".join(["image,finding,x,y,width,height", *rows]))


@pytest.mark.parametrize("cases", [(P2,), (P2, P3)])
def test_a_row_is_of_the_image_whose_folders_it_names(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    write_boxes(tmp_path)
    truth = gathered(tmp_path, *cases)
    (item,) = truth.items["case-p2-0"]
    assert item.payload["boxes"] == (Box(0.5, 0.5, 2, 2),)
    assert [s.reason for s in truth.skipped] == ["annotation_without_image"] * (3 - len(cases))


def test_labels_are_of_the_image_whose_folders_they_name(tmp_path: Path) -> None:
    write_boxes(tmp_path)
    rows = [f"{name},{int(number == 1)}" for number, name in enumerate(NAMES)]
    (tmp_path / "labels.csv").write_text("\n".join(["Path,mass", *rows]))
    truth = gathered(tmp_path, P2, P3)
    assert [truth.labels[f"case-{name}-0"] for name in ("p2", "p3")] == [{"mass": 1}, {"mass": 0}]
    assert "labels_without_image" in {s.reason for s in truth.skipped}


def test_masks_in_such_folders_are_named_by_a_pattern(tmp_path: Path) -> None:
    for number in (1, 2):
        mask = tmp_path / f"masks/patient{number}/study1/view1.png"
        mask.parent.mkdir(parents=True)
        Image.fromarray(np.full((4, 6), 255, np.uint8)).save(mask)
    source = {"format": "png", "pattern": "masks/{folders}/{image}.png", "finding": "mass"}
    truth = gathered(tmp_path, P2, sources=[source])
    assert [item.image for item in truth.items["case-p2-0"]] == ["patient2/study1/view1"]
    assert [s.reason for s in truth.skipped] == ["annotation_without_image"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "boxes.csv",
            "patient_id,image,finding,x,y,width,height\n1,view1,mass,0,1,2,2\n2,view1,mass,1,1,2,2\n",
        ),
        ("labels.csv", "image,Patient,mass\nview1,1,1\nview1,2,0\n"),
    ],
)
def test_one_name_for_images_of_two_patients_is_refused(tmp_path: Path, file: str, text: str) -> None:
    write_boxes(tmp_path)
    (tmp_path / file).write_text(text)
    with pytest.raises(
        ConfigError, match=r"rows 2 and 3 name the same image, but differ in column '[Pp]atient"
    ):
        gathered(tmp_path, P2)


def test_rows_of_one_image_may_repeat_its_patient(tmp_path: Path) -> None:
    rows = ["2,view1,mass,0,1,2,2", "2,view1,mass,1,1,2,2", ",view1,mass,3,1,1,1"]
    (tmp_path / "boxes.csv").write_text("\n".join(["patient,image,finding,x,y,width,height", *rows]))
    (item,) = gathered(tmp_path, P2).items["case-p2-0"]
    assert len(item.payload["boxes"]) == 3
