"""Inside: what the features hold, what maps look like, how images differ from training, wrong predictions."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.dossier.facts import answered
from pipeline.dossier.material import read_material
from pipeline.reporting.data_sheet import data_sheet
from pipeline.run_files.outputs import OUTPUTS
from pipeline.store.tables import write_table

OF_LABEL = {"n": 40, "patients": 30, "positives": 15, "auroc": 0.71, "low": 0.6, "high": 0.82}
LAYER = {"variant": "", "n": 64, "channels": 8, "distance": 0.1, "factor": 1.2, "far": 0.0, "is_trained": 1}
CASE = {"patient_id": "p", "finding": "benign", "logit": 0.0, "probability": 0.5, "threshold": 0.5}


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(run, tmp_path / "run")


def texts(run: Path, question: str) -> list[str]:
    return [answer.text for answer in answered(read_material(run, {}))[question]]


def test_attributes_that_the_features_hold_stand_beside_a_label_without_meaning(copy: Path) -> None:
    few = {"kind": "attribute", "name": "sex", "group": "F", "n": 9, "patients": 4, "positives": 3}
    write_table(
        copy,
        "readouts.csv",
        [
            {"kind": "finding", "name": "benign", **OF_LABEL},
            {"kind": "attribute", "name": "view", "group": "AP", **OF_LABEL},
            {**few, "because": "too few patients"},
            {"kind": "nonsense", "name": "patient_hash", **OF_LABEL, "auroc": 0.52},
        ],
    )
    view, sex, nonsense = texts(copy, "robust.attributes")
    assert view.startswith("View: AP: a linear function")
    assert "AUROC of 0.71 [0.60 to 0.82], n 40 images (15 of this value), 30 patients" in view
    assert sex == "Sex: F: no AUROC, because of too few patients."
    assert nonsense.startswith("A label without meaning: a linear function")


def test_without_attributes_a_label_without_meaning_answers_nothing(copy: Path) -> None:
    write_table(copy, "readouts.csv", [{"kind": "nonsense", "name": "patient_hash", **OF_LABEL}])
    assert texts(copy, "robust.attributes") == []


def test_maps_of_attributes_are_told_with_correlation_interval_and_n(copy: Path) -> None:
    row = {"finding": "benign", "kind": "attribute", "name": "sex", "group": "F", "n": 12, "patients": 11}
    write_table(
        copy,
        "attribute_maps.csv",
        [
            {**row, "estimate": -0.31, "low": -0.5, "high": -0.1},
            {**row, "group": "M", "because": "fewer than 5 patients with the finding"},
        ],
    )
    women, men = texts(copy, "robust.attribute_maps")
    assert women == (
        "benign: its map compared with that of “Sex: F”: rank correlation −0.31 [−0.50 to −0.10] (1: the "
        "same order of cells), n 12 images with the finding, 11 patients."
    )
    assert men == "benign: its map compared with that of “Sex: M”: fewer than 5 patients with the finding."


def test_the_layers_that_differ_most_from_the_training_are_named(copy: Path) -> None:
    layers: list[dict[str, Any]] = [
        {"layer": "norm0"},
        {"layer": "norm1", "factor": 3.0, "distance": 0.5},
        {"layer": "norm2", "far": 0.5, "distance": "", "factor": ""},
        {"layer": "norm0", "variant": "mirrored", "factor": 9.0, "far": 1.0},
    ]
    write_table(copy, "normalisation.csv", [{**LAYER, **layer} for layer in layers])
    first, factor, far = texts(copy, "robust.shift")
    assert first.startswith("Of 3 batch normalisations, the first (norm0): audited images differ")
    assert "(norm1)" in factor
    assert "0.50 SD in mean and by a factor of 3.00 in variance" in factor
    assert far.endswith("(norm2): 50 % of 8 channels far from the training; n 64 images.")


def test_wrong_predictions_are_counted_at_their_thresholds(copy: Path) -> None:
    said = [("1", "1"), ("1", "0"), ("1", "0"), ("0", "1"), ("0", "0"), ("", "1")]
    write_table(
        copy,
        "predictions.csv",
        [
            {**CASE, "case_id": f"c{number}", "label": label, "predicted": predicted}
            for number, (label, predicted) in enumerate(said)
        ],
    )
    (errors,) = texts(copy, "results.errors")
    assert errors == (
        "benign: 2 of 3 images with it predicted without it, 1 of 2 images without it predicted with it, "
        "at a probability of 0.5."
    )
    assert texts(copy, "data.prevalence") == ["benign: present in 3, absent in 2, unknown in 1 images."]


def test_a_signature_beside_the_hashes_is_named_but_not_vouched_for(copy: Path) -> None:
    assert texts(copy, "run.signature") == []
    (copy / f"{OUTPUTS}.minisig").write_text("not a signature", encoding="utf-8")
    (said,) = texts(copy, "run.signature")
    assert f"{OUTPUTS}.minisig" in said
    assert "this dossier did not" in said


def test_groups_and_updating_are_told_from_the_manifest(copy: Path) -> None:
    content = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    table = {"file": "sites.csv", "columns": ["site"]}
    content["config"] = {"subgroups": {"attributes": ["sex"], "table": table, "minimum_patients": 7}}
    (copy / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    (groups,) = texts(copy, "design.groups")
    assert groups.startswith("Images are grouped by sex, site.")
    assert "fewer than 7 patients" in groups
    (updating,) = texts(copy, "design.updating")
    assert "changed neither the weights" in updating
    del content["weights_sha256"], content["config"]
    (copy / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    assert texts(copy, "design.updating") == texts(copy, "design.groups") == []


def test_patients_are_counted_once_and_images_as_often_as_they_are(run: Path) -> None:
    of = {"sex": "F", "age": "40", "view": "AP", "file_format": ""}
    cases = (
        {"case_id": "a", "patient_id": "p", **of},
        {"case_id": "b", "patient_id": "p", **of, "age": "41"},
        {"case_id": "c", "patient_id": "q", **of, "sex": "", "age": "60", "file_format": "PNG"},
    )
    answers = answered(replace(read_material(run, {}), cases=cases, sheet=data_sheet(cases)))
    assert [answer.text for answer in answers["data.sex"]] == [
        "Sex, of 1 patient by the first image of each: F 1; missing for 1 patient."
    ]
    (age,) = answers["data.age"]
    assert age.text.startswith("Age, of 2 patients by the first image of each: median 50 years")
    said = [answer.text for answer in answers["data.acquisition"]]
    assert "View, of 3 images: AP 3." in said
    assert "File format, of 3 images: DICOM 2, PNG 1." in said


def test_calibration_tells_what_is_observed_at_the_lowest_and_the_highest_probability(copy: Path) -> None:
    tenth = {"finding": "benign", "n": 8, "low": 0.1, "high": 0.5}
    write_table(
        copy,
        "calibration.csv",
        [
            {**tenth, "lowest": 0.0, "highest": 0.2, "predicted": 0.1, "observed": 0.25},
            {**tenth, "lowest": 0.2, "highest": 0.4, "predicted": 0.3, "observed": 0.3},
            {**tenth, "lowest": 0.4, "highest": 0.9, "predicted": 0.7, "observed": 0.5},
        ],
    )
    lowest, highest = texts(copy, "results.calibration")[-2:]
    assert lowest == (
        "benign: where the probability is lowest (mean 0.10, n 8 images), the finding is present in 25 % "
        "[10 to 50]."
    )
    assert highest.startswith("benign: where the probability is highest (mean 0.70, n 8 images)")
