"""Words that fewer patients share than `validation.public_words` are in the crosswalk alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.validation.plan import make_validation_plan
from pipeline.validation.private_words import patients_by_name
from pipeline.validation.validate import Validation, validate
from pipeline.validation.vocabulary import read_words
from tests.annotations.segmentations import source_image, write_segmentation
from tests.study import GRID, picture, square, uid, write_image, write_mask

MANY = 6
PRIVATE = "ZqSmith left lung"
LATER = "ZqBaker right lung"
ONE = square((GRID, GRID), 4, 4, 20)


def study(folder: Path, patients: Mapping[int, str] | None = None) -> Path:
    for number in range(1, MANY + 1):
        own = (patients or {}).get(number, f"P{number}")
        write_image(folder / "images", number, picture(number), PatientID=own)
    return folder


def run(folder: Path, **settings: Any) -> Validation:
    given = {"studies": str(folder / "images"), "annotations.path": str(folder), "out": str(folder / "out")}
    given |= {key.replace("__", "."): value for key, value in settings.items()}
    return validate(make_validation_plan(load_config(None, given)), executor=Here())


def manifest(validation: Validation) -> dict[str, Any]:
    return json.loads((validation.index.parent / "manifest.json").read_text())  # type: ignore[no-any-return]


def crosswalk(validation: Validation, kind: str) -> dict[str, str]:
    with (validation.index.parent / "crosswalk.csv").open(newline="") as file:
        return {row["pseudonym"]: row["file"] for row in csv.DictReader(file) if row["kind"] == kind}


def holding(validation: Validation, text: str) -> set[str]:
    files = [path for path in validation.index.parent.rglob("*") if path.is_file()]
    return {path.name for path in files if text.encode() in path.read_bytes()}


def masks(folder: Path) -> dict[str, Any]:
    for number in range(1, MANY + 1):
        write_mask(folder, "nodule", number, ONE)
    write_mask(folder, PRIVATE, 2, ONE)
    return {}


def boxes(folder: Path) -> dict[str, Any]:
    lines = ["image,finding,x,y,width,height", *(f"image{n},nodule,4,4,9,9" for n in range(1, MANY + 1))]
    (folder / "boxes.csv").write_text("\n".join([*lines, f"image2,{PRIVATE},4,4,9,9"]) + "\n")
    return {"annotations__sources": [{"format": "boxes", "file": "boxes.csv"}]}


def rle(folder: Path) -> dict[str, Any]:
    runs = {"size": [GRID, GRID], "counts": [100, 200, GRID * GRID - 300]}
    content: dict[str, Any] = {f"image{n}": {"nodule": runs} for n in range(1, MANY + 1)}
    content["image2"][PRIVATE] = runs
    (folder / "masks.json").write_text(json.dumps(content))
    return {"annotations__sources": [{"format": "rle_json", "file": "masks.json"}]}


def segments(folder: Path) -> dict[str, Any]:
    for number in range(1, MANY + 1):
        words = ["nodule", PRIVATE] if number == 2 else ["nodule"]
        frames = np.zeros((1, GRID, GRID, len(words)), np.uint8)
        frames[0, 4:20, 4:20] = 1
        known = str(dcmread(folder / "images" / f"image{number}.dcm").SOPInstanceUID)
        source = source_image(known, (GRID, GRID))
        write_segmentation(folder / f"seg{number}.dcm", frames, [source], words)
    return {"annotations__sources": [{"format": "dicom_seg"}]}


@pytest.mark.parametrize("annotate", [masks, boxes, rle, segments])
def test_a_word_of_one_patient_is_in_the_crosswalk_alone(
    tmp_path: Path, annotate: Callable[[Path], dict[str, Any]]
) -> None:
    validation = run(study(tmp_path), **annotate(tmp_path))
    words = crosswalk(validation, "finding")
    assert list(words.values()) == [PRIVATE]
    assert manifest(validation)["findings"] == ["nodule", *words]
    assert holding(validation, "ZqSmith") == {"crosswalk.csv"}


def test_a_patient_counts_once_however_many_images_it_has(tmp_path: Path) -> None:
    same = dict.fromkeys(range(1, MANY + 1), "P1")
    study(tmp_path, same)
    masks(tmp_path)
    assert manifest(run(tmp_path, validation__public_words=2))["findings"] == sorted(
        crosswalk(run(tmp_path, validation__public_words=2), "finding")
    )
    assert manifest(run(tmp_path, validation__public_words=1))["findings"] == [PRIVATE, "nodule"]


@pytest.mark.parametrize(("patients", "shown"), [(4, False), (5, True)])
def test_five_patients_make_a_word_public(tmp_path: Path, patients: int, shown: bool) -> None:  # noqa: FBT001
    study(tmp_path)
    for number in range(1, patients + 1):
        write_mask(tmp_path, "nodule", number, ONE)
    validation = run(tmp_path)
    assert ("nodule" in manifest(validation)["findings"]) is shown
    assert ("nodule" in crosswalk(validation, "finding").values()) is not shown


def test_annotations_without_an_image_count_for_no_patient(tmp_path: Path) -> None:
    study(tmp_path)
    masks(tmp_path)
    write_mask(tmp_path, PRIVATE, 77, ONE)
    plan = make_validation_plan(
        load_config(None, {"studies": str(tmp_path / "images"), "annotations.path": str(tmp_path)})
    )
    from pipeline.cohort.index import index_studies  # noqa: PLC0415

    words = read_words(plan, Here())
    cohort = index_studies(plan.studies, executor=Here(), pseudonym=lambda *facts: "-".join(map(str, facts)))
    patients = patients_by_name(words.items, cohort.cases, None)
    assert {name: len(known) for name, known in patients.items()} == {
        ("finding", "nodule"): MANY,
        ("finding", PRIVATE): 1,
        ("reader", "reader"): MANY,
    }


def test_a_word_that_the_config_names_is_shown_whoever_has_it(tmp_path: Path) -> None:
    study(tmp_path)
    masks(tmp_path)
    named = {"annotations__findings": {PRIVATE: "shadow", "nodule": "nodule"}}
    assert manifest(run(tmp_path, **named))["findings"] == ["shadow", "nodule"]


def test_hidden_words_are_in_the_order_of_their_pseudonyms_everywhere(tmp_path: Path) -> None:
    study(tmp_path)
    masks(tmp_path)
    write_mask(tmp_path, LATER, 2, ONE)
    orders = set()
    for _ in range(12):  # a new key each time, so that the pseudonyms come in another order
        validation = run(tmp_path)
        shown = manifest(validation)["findings"]
        assert shown == ["nodule", *sorted(crosswalk(validation, "finding"))]
        pictures = json.loads((validation.index.parent / "pictures.json").read_text())
        drawn = [[entry["finding"] for entry in image["references"]] for image in pictures.values()]
        assert all([name for name in shown if name in names] == names for names in drawn)
        assert any(len(names) == 3 for names in drawn)
        orders.add(tuple(crosswalk(validation, "finding").values()))
        (tmp_path / "out" / "pseudonym.key").unlink()
    assert len(orders) == 2  # by chance one order alone: 1 in 2**11


def test_a_reader_of_one_patient_is_hidden_and_one_whom_the_config_names_is_shown(tmp_path: Path) -> None:
    study(tmp_path)
    lines = ["image,finding,reader,x,y,width,height"]
    lines += [f"image{n},nodule,anna,4,4,9,9" for n in range(1, MANY + 1)]
    (tmp_path / "boxes.csv").write_text("\n".join([*lines, "image2,nodule,ZqDr Jones,40,40,9,9"]) + "\n")
    write_mask(tmp_path, "nodule", 3, ONE)
    sources = [
        {"format": "boxes", "file": "boxes.csv"},
        {"format": "png", "pattern": "masks/{finding}/{image}.png", "reader": "eve"},
    ]
    validation = run(tmp_path, annotations__sources=sources)
    hidden = crosswalk(validation, "reader")
    assert list(hidden.values()) == ["ZqDr Jones"]
    assert manifest(validation)["readers"] == ["anna", "eve", *hidden]
    assert holding(validation, "ZqDr") == {"crosswalk.csv"}


def test_a_warning_says_how_many_names_are_hidden_and_shows_none(tmp_path: Path) -> None:
    study(tmp_path)
    validation = run(tmp_path, **masks(tmp_path))
    (warning,) = (e for e in manifest(validation)["notices"] if e["about"] == "validation.public_words")
    assert warning["message"].startswith(
        "Shown as pseudonyms, because fewer than 5 patients share them: 1 name of a finding;"
    )


def test_a_hidden_word_is_still_compared_with_frequent_ones(tmp_path: Path) -> None:
    for number in range(1, 12):
        write_image(tmp_path / "images", number, picture(number), PatientID=f"P{number}")
        write_mask(tmp_path, "effusion", number, np.roll(ONE, number, axis=0))
    write_mask(tmp_path, "efusion", 3, np.roll(ONE, 20, axis=1))
    validation = run(tmp_path)
    (pseudonym,) = crosswalk(validation, "finding")
    with (validation.index.parent / "problems.csv").open(newline="") as file:
        found = [row["message"] for row in csv.DictReader(file) if row["check"] == "undeclared_finding"]
    assert found == [
        f"1 annotation has the finding '{pseudonym}'; did you mean 'effusion', which has 11 annotations?"
    ]


def test_labels_of_a_hidden_word_have_its_pseudonym(tmp_path: Path) -> None:
    study(tmp_path)
    masks(tmp_path)
    rows = [f"{uid(number)},1,{int(number == 2)}" for number in range(1, MANY + 1)]
    (tmp_path / "labels.csv").write_text("\n".join([f"sop_instance_uid,nodule,{PRIVATE}", *rows]) + "\n")
    validation = run(tmp_path)
    assert manifest(validation)["counts"]["labelled images"] == MANY
    assert holding(validation, "ZqSmith") == {"crosswalk.csv"}
