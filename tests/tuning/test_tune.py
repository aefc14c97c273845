"""Tuning: the tuned config, its gain, and the warning of an audit that scores the tuning images."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydicom import dcmread
from safetensors.torch import load_file, save_file

from pipeline.audit import audit
from pipeline.cases.burned_in_text import TextSearch
from pipeline.cases.case import decode_case
from pipeline.config import AuditConfig, load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.records import Case
from pipeline.run.outcome import Outcome
from pipeline.tuning.plan import make_tuning_plan
from pipeline.tuning.tune import Tuning, tune
from tests.page_text import page_text
from tests.study import FINDINGS, picture, uid, write_image, write_model, write_study

COUNT = 12
TRAIN = range(1, 9)
PLACES = ("studies", "annotations.path", "model", "out")


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(folder / "model" / "tiny.yaml"),
        "out": str(folder / "out"),
        "workers": 1,
        "statistics.replicates": 50,
        "select": {"file": "splits.csv", "where": {"split": "dev"}},
        "tuning": {"where": {"split": "train"}, "minimum_patients": 2},
        "contours.gate": "annotated",
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def config(folder: Path, **more: Any) -> AuditConfig:
    return load_config(None, settings(folder, **more))


def tuned(folder: Path, **more: Any) -> Tuning:
    return tune(*make_tuning_plan(config(folder, **more), folder / "tuned.yaml"), executor=Here())


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_study(tmp_path, count=COUNT)
    write_model(tmp_path / "model")
    rows = [f"{uid(n)},{'train' if n in TRAIN else 'dev'}" for n in range(1, COUNT + 1)]
    (tmp_path / "splits.csv").write_text("\n".join(["sop_instance_uid,split", *rows]))
    return tmp_path


def audited(folder: Path, **overrides: Any) -> Outcome:
    given = {key: settings(folder)[key] for key in PLACES}
    given |= {key.replace("__", "."): value for key, value in overrides.items()}
    return audit(make_plan(load_config(folder / "tuned.yaml", given)), executor=Here())


def mean_iou(run: Outcome, finding: str) -> float:
    with (run.index.parent / "summary.csv").open(newline="") as file:
        (row,) = (
            row
            for row in csv.DictReader(file)
            if (row["finding"], row["method"], row["metric"]) == (finding, "gradcam", "iou")
        )
    return float(row["estimate"])


def test_what_tuning_promises_an_audit_of_the_same_images_finds(study: Path) -> None:
    tuning = tuned(study, contours__gate="all")
    assert [entry.finding for entry in tuning.choices] == list(FINDINGS)
    assert tuning.images == len(TRAIN)
    run = audited(study, select__where={"split": "train"})
    before = audited(study, select__where={"split": "train"}, contours__findings={})
    for entry in tuning.choices:
        assert entry.before is not None
        assert entry.after is not None
        assert entry.before < entry.after
        assert mean_iou(run, entry.finding) == pytest.approx(entry.after, abs=1e-9)
        assert mean_iou(before, entry.finding) == pytest.approx(entry.before, abs=1e-9)


def test_an_audit_of_images_that_were_tuned_on_says_so_and_one_of_others_does_not(study: Path) -> None:
    tuned(study)
    again, others = (audited(study, select__where={"split": split}) for split in ("train", "dev"))
    of_again, of_others = (
        json.loads((run.index.parent / "manifest.json").read_text())["tuned"] for run in (again, others)
    )
    assert of_again == {
        "method": "gradcam", "tuned_images": 8, "tuned_patients": 8, "images": 8, "patients": 8,
        "patients_compared": True,
    }  # fmt: skip
    assert of_others == of_again | {"images": 0, "patients": 0}
    assert "<span>Thresholds were tuned on images that are scored here: 8 of 8" in (page_text(again.index))
    page = page_text(others.index)
    assert "Thresholds were tuned on images" not in page
    assert "on 8 images of 8 patients, with maps of gradcam; none of them is scored here." in page
    manifest = (again.index.parent / "manifest.json").read_text()
    assert not any(name in manifest for name in load_config(study / "tuned.yaml", {}).tuned.patients)  # type: ignore[union-attr]


def test_the_tuned_config_has_no_absolute_path_and_finds_its_tables_all_the_same(study: Path) -> None:
    tuned(study, select__file=str(study / "splits.csv"), weights=str(study / "model" / "tiny.safetensors"))
    text = (study / "tuned.yaml").read_text()
    assert str(study.parent) not in text
    written = yaml.safe_load(text)
    assert written["select"]["file"] == "splits.csv"
    assert not {"studies", "model", "weights", "out", "path"} & {*written, *written["annotations"]}
    assert audited(study).images == COUNT - len(TRAIN)


def test_the_place_of_a_table_in_another_folder_is_left_out_and_given_again(
    study: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = tmp_path_factory.mktemp("elsewhere") / "splits.csv"
    (study / "splits.csv").rename(table)
    tuned(study, select__file=str(table))
    written = yaml.safe_load((study / "tuned.yaml").read_text())
    assert written["select"] == {"where": {"split": ["dev"]}}
    with pytest.raises(ConfigError, match=r"select\.file: is missing"):
        audited(study)
    assert audited(study, select__file=str(table)).images == COUNT - len(TRAIN)


def test_relative_paths_stay_in_the_tuned_config_as_they_were_typed(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study)
    tuned(study, studies="images", annotations__path=".", model="model/tiny.yaml", out="out")
    written = yaml.safe_load((study / "tuned.yaml").read_text())
    assert (written["studies"], written["annotations"]["path"]) == ("images", ".")
    assert (written["model"], written["out"]) == ("model/tiny.yaml", "out")


def test_thresholds_tuned_on_another_methods_maps_cause_a_warning(study: Path) -> None:
    tuned(study)
    run = audited(study, methods=["layercam", "gradcam"])
    warning = "Thresholds were tuned on maps of gradcam, not of layercam"
    assert f"<span>{warning}" in page_text(run.index)


def test_with_another_key_pictures_alone_are_compared(study: Path) -> None:
    tuned(study)
    run = audited(study, out=str(study / "elsewhere"), select__where={"split": ["train", "dev"]})
    found = json.loads((run.index.parent / "manifest.json").read_text())["tuned"]
    assert (found["images"], found["patients_compared"]) == (8, False)
    assert "Patients could not be compared" in page_text(run.index)


def test_the_gate_is_tuned_where_it_is_by_probability_and_left_where_it_is_open(study: Path) -> None:
    tuned(study)
    cuts = yaml.safe_load((study / "tuned.yaml").read_text())["contours"]["findings"]
    assert set(cuts) == set(FINDINGS)
    assert all(0 < rule["probability"] < 1 and rule["gate"] == "annotated" for rule in cuts.values())
    tuned(study, contours__gate="all")
    cuts = yaml.safe_load((study / "tuned.yaml").read_text())["contours"]["findings"]
    assert all("probability" not in rule and rule["gate"] == "all" for rule in cuts.values())


def test_a_finding_of_too_few_patients_stays_as_it_is(study: Path) -> None:
    tuning = tuned(study, tuning__minimum_patients=4)  # four show a nodule, two an effusion
    assert [bool(entry.unchanged_because) for entry in tuning.choices] == [False, True]
    text = (study / "tuned.yaml").read_text()
    assert "effusion: unchanged; 2 patients have the finding, and tuning.minimum_patients is 4" in text
    assert set(yaml.safe_load(text)["contours"]["findings"]) == {"nodule"}


def test_a_patient_or_a_picture_in_both_splits_is_an_error(study: Path) -> None:
    path = study / "images" / "image12.dcm"
    data = dcmread(path)
    data.PatientID = "HOSPITAL-1"
    data.save_as(path)
    with pytest.raises(ConfigError, match=r"^tuning\.where: 1 patient in both select\.where and tuning"):
        tuned(study)
    write_image(study / "images", 12, picture(1))
    with pytest.raises(ConfigError, match=r"^tuning\.where: 1 identical image in both"):
        tuned(study)
    assert tuned(study, splits__compare_pixels=False).images == 8
    assert not (study / "out" / "tiny").exists()


@pytest.mark.parametrize(
    ("more", "out", "complaint"),
    [
        ({}, None, "--out: is missing"),
        ({}, "images", "--out: .* is a folder"),
        ({}, "nowhere/tuned.yaml", "its folder does not exist"),
        ({"tuning": None}, "t.yaml", r"tuning\.where: is missing"),
        ({"select": None}, "t.yaml", r"select: is missing"),
        (
            {"tuning__rules": ["otzu"]},
            "t.yaml",
            r"tuning\.rules: unknown threshold rule 'otzu'; did you mean 'otsu'",
        ),
        ({"tuning__rules": ["absolute"]}, "t.yaml", r"'absolute' cannot be tuned"),
    ],
)
def test_what_cannot_be_tuned_is_refused(
    study: Path, more: dict[str, Any], out: str | None, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        make_tuning_plan(config(study, **more), None if out is None else study / out)


def test_tuning_sees_burned_in_text_no_more_than_the_audit(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[TextSearch | None] = []

    def watched(case: Case, *, search: TextSearch | None, **rest: Any) -> Any:
        seen.append(search)
        return decode_case(case, search=search, **rest)

    monkeypatch.setattr("pipeline.tuning.tune.decode_case", watched)
    tuned(study, burned_in_text__look="contrast")
    assert set(seen) == {None}
    seen.clear()
    tuned(study, burned_in_text__look="contrast", burned_in_text__mask=True)
    assert set(seen) == {TextSearch("contrast", mask=True)}


def test_outputs_that_contradict_the_card_are_refused_before_any_threshold_is_tried(study: Path) -> None:
    card = study / "model" / "tiny.yaml"
    card.write_text(card.read_text().replace("activation: sigmoid", "activation: none"))
    weights = study / "model" / "tiny.safetensors"
    tensors = load_file(weights)
    tensors["class_layers.out.bias"] += 5
    save_file(tensors, weights)
    text = re.sub(
        r"sha256: \w+", f"sha256: {hashlib.sha256(weights.read_bytes()).hexdigest()}", card.read_text()
    )
    card.write_text(text)
    with pytest.raises(ConfigError, match="activation"):
        tuned(study)
    assert not (study / "tuned.yaml").exists()
