"""Manifest: what a run is called after, and what is written down so that it can be made again."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import __version__
from pipeline.audited_model.example import Example
from pipeline.audited_model.loading import AuditedModel, CheckResult, load_model
from pipeline.classifiers import ModelCard
from pipeline.cohort.index import Cohort
from pipeline.cohort.leakage import Reuse
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.external_maps.plan import ScorePlan, make_score_plan
from pipeline.ground_truth.matching import Truth
from pipeline.plan import AuditPlan, make_plan
from pipeline.probes import PROBES
from pipeline.probes.map_tests import MAP_TESTS
from pipeline.records import AnnotationItem, Intensity, Skipped
from pipeline.registry import Registry
from pipeline.run.manifest import (
    NETWORK_PACKAGES,
    PACKAGES,
    Provenance,
    maps_provenance,
    model_provenance,
    name_of_audit,
    name_of_scoring,
    write_manifest,
)
from pipeline.run.opening import open_run
from pipeline.run.tables import Results
from pipeline.statistics.verdict import VerdictRow
from tests.annotations.segmentations import source_image, write_segmentation
from tests.cohort.cases import case
from tests.study import FINDINGS, GRID, square, uid, write_model, write_study

CASES = (case("a", uid="1.2.3"), case("b", uid="1.2.4"))
COHORT = Cohort(7, CASES, (), {}, {}, CASES[:1])
ITEM = AnnotationItem("png", "a", "nodule", "anna", payload={})
TRUTH = Truth({"case-a-0": (ITEM,)}, {}, (), {}, "mask", "anna", "of the annotations")
BASELINES: Mapping[str, Intensity] = {"center_prior": np.eye(2, dtype=np.float32)}
GONE = Skipped("case-b-0", "load", "truncated", "a sentence")
VERDICT = tuple(VerdictRow(f, "better", q) for f in FINDINGS for q in ("pointing", "contours"))
RESULTS = Results(("case-a-0",), (GONE,), (), (), VERDICT)
NOTHING = Provenance((), {})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("study"), count=2)
    (folder / "maps").mkdir()
    for name in ("masks", "labels.csv"):
        (folder / "said").mkdir(exist_ok=True)
        (folder / name).rename(folder / "said" / name)
    write_model(folder / "model")
    return folder


def settings(study: Path, **more: Any) -> dict[str, Any]:
    return {
        "studies": str(study / "images"),
        "annotations.path": str(study / "said"),
        "out": str(study / "out"),
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def audit_plan(study: Path, **more: Any) -> AuditPlan:
    given = {"model": str(study / "model" / "tiny.yaml"), "burned_in_text__look": "none", **more}
    return make_plan(load_config(None, settings(study, **given)))


def score_plan(study: Path, **more: Any) -> ScorePlan:
    given = {"heatmaps__path": str(study / "maps"), "heatmaps__findings": FINDINGS, **more}
    return make_score_plan(load_config(None, settings(study, **given)), executor=Here())


@pytest.fixture(scope="module")
def model(study: Path) -> AuditedModel:
    return load_model(audit_plan(study))


def named(study: Path, model: AuditedModel, **more: Any) -> str:
    return name_of_audit(audit_plan(study, **more), model, COHORT.chosen, TRUTH, BASELINES)


def test_a_run_is_called_after_its_model_and_eight_digits(study: Path, model: AuditedModel) -> None:
    name, _, digits = named(study, model).rpartition("-")
    assert name == "tiny"
    assert len(digits) == 8
    assert int(digits, 16) >= 0


def test_the_same_facts_give_the_same_name_wherever_they_lie(study: Path, model: AuditedModel) -> None:
    for elsewhere in ({"out": "elsewhere"}, {"workers": 3}, {"limits__seconds": 7.0}):
        assert named(study, model, **elsewhere) == named(study, model)


def test_the_cards_example_makes_another_run_without_the_name_of_its_image(
    study: Path, model: AuditedModel
) -> None:
    plan = audit_plan(study)
    example = {"image": "doe_jane.dcm", "logits": [0.5, 1.5]}
    card = ModelCard.model_validate(plan.card.model_dump(mode="json", by_alias=True) | {"example": example})
    stated = replace(plan, card=card)
    met = replace(model, example=Example(sha256="0" * 64, detail="met"))
    other = replace(model, example=Example(sha256="1" * 64, detail="met"))
    names = {
        name_of_audit(*given, COHORT.chosen, TRUTH, BASELINES)
        for given in ((plan, model), (stated, met), (stated, other))
    }
    assert len(names) == 3
    facts = json.dumps(dict(model_provenance(stated, met, ()).facts))
    assert "doe_jane" not in facts
    assert "1.5" in facts


@pytest.mark.parametrize(
    "other",
    [
        {"contours__threshold": 0.5},
        {"title": "another"},
        {"statistics__seed": 1},
        {"batch_size": 3},
        {"baselines__random": False},
        {"annotations__findings": {"Verschattung": "nodule"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_every_other_setting_makes_another_run(
    study: Path, model: AuditedModel, other: dict[str, Any]
) -> None:
    assert named(study, model, **other) != named(study, model)


def test_other_images_annotations_baselines_and_weights_make_another_run(
    study: Path, model: AuditedModel
) -> None:
    plan = audit_plan(study)
    given = (plan, model, COHORT.chosen, TRUTH, BASELINES)
    weights = replace(model, classifier=replace(model.classifier, weights_sha256="other"))
    card = replace(plan, card=plan.card.model_copy(update={"purpose": "another"}))
    others = [
        (plan, model, CASES, TRUTH, BASELINES),
        (plan, model, COHORT.chosen, replace(TRUTH, sha256="other"), BASELINES),
        (plan, model, COHORT.chosen, TRUTH, {"center_prior": np.ones((2, 2), np.float32)}),
        (plan, weights, COHORT.chosen, TRUTH, BASELINES),
        (card, model, COHORT.chosen, TRUTH, BASELINES),
    ]
    assert len({name_of_audit(*one) for one in (given, *others)}) == len(others) + 1


@pytest.mark.parametrize(
    ("registry", "levels"), [(PROBES, {"quick", "full"}), (MAP_TESTS, {"full"})], ids=["probes", "map tests"]
)
def test_another_version_of_a_plug_in_makes_another_run_where_it_runs(
    study: Path,
    model: AuditedModel,
    registry: Registry[Any],
    levels: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for level in ("off", "quick", "full"):
        names = set()
        for of_lab in ("1.0", "1.1"):
            found = {"lab": of_lab}
            monkeypatch.setattr(registry, "packages", lambda run, found=found: found if list(run) else {})
            names.add(named(study, model, probes=level))
        assert len(names) == (2 if level in levels else 1), level


def write_maps(folder: Path) -> None:
    for number in (1, 2):
        for finding in FINDINGS:
            np.save(folder / f"image{number}__{finding}.npy", np.arange(4.0).reshape(2, 2) + number)


def test_a_scoring_is_called_after_the_maps_and_what_they_hold(study: Path, tmp_path: Path) -> None:
    write_maps(tmp_path)
    given = {"heatmaps__path": str(tmp_path)}

    def name(**more: Any) -> str:
        return name_of_scoring(score_plan(study, **given, **more), COHORT.chosen, TRUTH, BASELINES)

    first = name()
    assert first.startswith("heatmaps-")
    assert name(heatmaps__operating_point=0.4) != first
    np.save(tmp_path / "image1__nodule.npy", np.eye(2))
    assert name() != first


def written(folder: Path, plan: AuditPlan | ScorePlan, subject: Provenance, **changes: Any) -> dict[str, Any]:
    """The manifest of a run called "run" in `folder`."""
    given: dict[str, Any] = {"truth": TRUTH, "results": RESULTS, **changes}
    config = plan.config.model_copy(update={"out": folder})
    facts = {"inputs_sha256": "of the inputs", "reuse": given.get("reuse")}
    with open_run(replace(plan, config=config), Here(), worker_modules=()) as run:
        run.lock("run")
        write_manifest(plan, run, subject, COHORT, given["truth"], given["results"], **facts)
    found: dict[str, Any] = json.loads((folder / "run" / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_a_manifest_says_what_was_read_chosen_and_audited(study: Path, tmp_path: Path) -> None:
    found = written(tmp_path, audit_plan(study), NOTHING)
    assert found["run_id"] == "run"
    assert found["version"] == __version__
    assert found["findings"] == list(FINDINGS)
    assert found["studies"] == {
        "files": 7, "images": 2, "selected": 1, "audited": 1, "sha256": "of the inputs",
    }  # fmt: skip
    assert found["annotations_sha256"] == "of the annotations"
    assert found["verdict"] == dict.fromkeys(FINDINGS, "better")
    assert found["tuned"] is None


def test_reuse_of_tuned_images_is_recorded(study: Path, tmp_path: Path) -> None:
    reuse = Reuse("gradcam", 8, 5, 2, 1, patients_compared=True)
    found = written(tmp_path, audit_plan(study), NOTHING, reuse=reuse)["tuned"]
    assert (found["tuned_images"], found["images"], found["patients_compared"]) == (8, 2, True)


def test_the_day_of_a_run_is_that_on_which_it_was_first_finished(study: Path, tmp_path: Path) -> None:
    plan = audit_plan(study)
    first = written(tmp_path, plan, NOTHING)
    assert len(first["created"]) == len("2026-11-28")
    path = tmp_path / "run" / "manifest.json"
    path.write_text(json.dumps(first | {"created": "2001-02-03", "title": "gone"}))
    again = written(tmp_path, plan, NOTHING)
    assert (again["created"], again["title"]) == ("2001-02-03", "Audit")


def test_a_manifest_is_text_that_people_can_read(study: Path, tmp_path: Path) -> None:
    written(tmp_path, audit_plan(study, title="Größe"), NOTHING)
    text = (tmp_path / "run" / "manifest.json").read_text(encoding="utf-8")
    assert text.endswith("\n}\n")
    assert '\n "title": "Größe",\n' in text


PLACES = ("model", "weights", "out", "workers", "limits", "validation")


def test_the_paths_of_inputs_are_not_recorded(study: Path, tmp_path: Path) -> None:
    more = {
        "annotations__labels": {"file": str(study / "said" / "labels.csv")},
        "select": {"file": str(study / "said" / "labels.csv"), "where": {"nodule": "1"}},
        "subgroups__table": {"file": str(study / "said" / "labels.csv"), "columns": ["nodule"]},
        "weights": str(study / "model" / "tiny.safetensors"),
    }
    found = written(tmp_path, audit_plan(study, **more), NOTHING)
    config = found["config"]
    assert not set(PLACES) & config.keys()
    assert config["studies"] == {"formats": [], "table": None}
    assert "path" not in config["annotations"]
    assert "path" not in config["heatmaps"]
    tables = (config["annotations"]["labels"], config["select"], config["subgroups"]["table"])
    assert [table["file"] for table in tables] == ["labels.csv"] * 3
    assert str(study) not in json.dumps(found)


def test_whom_a_config_was_tuned_on_is_counted_and_not_named(study: Path, tmp_path: Path) -> None:
    tuned = {"key": "k", "method": "gradcam", "images": 3, "patients": ["patient-1"], "pixels": ["ff"]}
    found = written(tmp_path, audit_plan(study, tuned=tuned), NOTHING)["config"]["tuned"]
    assert (found["images"], found["patients"]) == (3, 1)
    assert "patient-1" not in json.dumps(found)


def test_the_rule_of_every_finding_is_recorded_resolved_and_in_words(study: Path, tmp_path: Path) -> None:
    own = {"effusion": {"rule": "otsu", "gate": "all"}}
    found = written(tmp_path, audit_plan(study, contours__findings=own), NOTHING)["contours"]
    assert (found["scaling"], found["minimum_area_px"], found["minimum_area_mm2"]) == ("positive", 0, 0)
    rules = found["rules"]
    assert (rules["nodule"]["rule"], rules["nodule"]["threshold"], rules["nodule"]["gate"]) == (
        "fraction", 0.6, "predicted",
    )  # fmt: skip
    assert (rules["effusion"]["rule"], rules["effusion"]["gate"]) == ("otsu", "all")
    assert "0.6" in rules["nodule"]["words"]
    assert "{" not in rules["nodule"]["words"]


def test_a_baseline_says_what_it_never_saw(study: Path, tmp_path: Path) -> None:
    plan = audit_plan(study, baselines={"local_contrast": True})
    methods = written(tmp_path, plan, replace(NOTHING, methods=[{"name": "gradcam"}]))["methods"]
    assert [method["name"] for method in methods] == ["gradcam", "center_prior", "random", "local_contrast"]
    assert [method["unseen"] for method in methods[1:]] == ["the image", "the image", "the network"]
    assert {(method["kind"], method["unit"], method["layer"]) for method in methods[1:]} == {
        ("baseline", "relative", "")
    }


def test_every_metric_that_is_scored_is_described(study: Path, tmp_path: Path) -> None:
    found = written(tmp_path, audit_plan(study, metrics=["hd95", "hit"]), NOTHING)["metrics"]
    assert [(metric["name"], metric["better"], metric["unit"]) for metric in found] == [
        ("hd95", "lower", "mm"),
        ("hit", "higher", ""),
    ]
    assert found[1]["against"] == ["mask"]
    assert found[1]["emptiness"]["missed"] == 0


@pytest.mark.parametrize(("definition", "words"), [("border_pixel", "border pixels"), ("surfel", "surfels")])
def test_what_depends_on_the_definition_of_a_surface_states_it(
    study: Path, tmp_path: Path, definition: str, words: str
) -> None:
    plan = audit_plan(
        study, metrics=["hd95", "surface_distance", "hit"], surface_distance={"definition": definition}
    )
    found = {metric["name"]: metric for metric in written(tmp_path, plan, NOTHING)["metrics"]}
    assert found["hd95"]["title"] == f"95 % Hausdorff distance ({words})"
    assert found["surface_distance"]["title"] == f"Normalised surface distance ({words})"
    assert found["surface_distance"]["surface"] == found["hd95"]["surface"] == definition
    assert (found["hit"]["title"], "surface" in found["hit"]) == ("Pointing-game hit", False)


def test_the_versions_are_those_of_what_results_depend_on(study: Path, tmp_path: Path) -> None:
    found = written(tmp_path, audit_plan(study), replace(NOTHING, packages=("torch",)))["versions"]
    assert found["python"] == platform.python_version()
    assert found.keys() == {"python", *PACKAGES, "torch"}
    assert found["numpy"] == version("numpy")


def test_a_network_is_recorded_with_its_card_weights_checks_and_maps(
    study: Path, model: AuditedModel
) -> None:
    plan = audit_plan(study)
    found = model_provenance(plan, model, [CheckResult("batch", "A title", "a detail")])
    assert found.methods == [
        {"name": "gradcam", "kind": "network", "layer": "class_layers.relu", "unit": "logit"}
    ]
    assert found.facts["checks"] == [
        {"name": "batch", "title": "A title", "detail": "a detail", "passed": True}
    ]
    assert found.facts["card"]["weights"] == "tiny.safetensors"
    assert found.facts["card"]["name"] == "tiny"
    assert found.facts["card"]["architecture"]["class"] == "DenseNet"  # as the card itself has it
    assert found.facts["weights_sha256"] == plan.card.sha256
    assert [found.facts[key] for key in ("device", "backend", "precision")] == ["cpu", "torch", "float32"]
    assert found.packages == NETWORK_PACKAGES


def test_a_card_that_names_no_weights_is_recorded_as_such(study: Path, model: AuditedModel) -> None:
    plan = audit_plan(study)
    card = plan.card.model_copy(update={"weights": None})
    assert model_provenance(replace(plan, card=card), model, ()).facts["card"]["weights"] is None


def test_maps_that_are_scaled_have_no_unit_of_the_networks(study: Path, model: AuditedModel) -> None:
    found = model_provenance(audit_plan(study, contours__scaling="minmax"), model, ())
    assert [method["unit"] for method in found.methods] == ["relative"]


def test_a_backend_beside_torch_is_one_of_the_packages(study: Path, model: AuditedModel) -> None:
    drifting = replace(model, reference=model.explainer, backend="openvino")
    found = model_provenance(audit_plan(study, backend="openvino"), drifting, ())
    assert found.packages == (*NETWORK_PACKAGES, "openvino")


def test_external_maps_are_identified_by_the_content_of_their_files(study: Path, tmp_path: Path) -> None:
    write_maps(tmp_path)
    plan = score_plan(study, heatmaps__path=str(tmp_path))
    found = maps_provenance(plan)
    assert found.methods == [{"name": "heatmap", "kind": "network", "layer": "", "unit": "relative"}]
    assert found.packages == ()
    assert found.facts == {
        "checks": [],
        "heatmaps": {
            "maps": 4,
            "files": 4,
            "formats": ["array"],
            "probabilities": False,
            "gate_opened": True,
            "sha256": plan.files.sha256,
        },
    }


def test_external_contours_are_distinguished_from_maps_and_files_are_counted_once(
    study: Path, tmp_path: Path
) -> None:
    write_maps(tmp_path)
    shape = (GRID, GRID)
    mask = square(shape, 5, 5, 9)[None, ..., None]
    (tmp_path / "seg").mkdir()
    write_segmentation(
        tmp_path / "seg" / "1.dcm",
        np.concatenate([mask] * 2, axis=-1),
        [source_image(uid(1), shape)],
        [*FINDINGS],
    )
    found = maps_provenance(score_plan(study, heatmaps__path=str(tmp_path)))
    assert [(method["name"], method["unit"]) for method in found.methods] == [
        ("heatmap", "relative"),
        ("seg", "contour"),
    ]
    heatmaps = found.facts["heatmaps"]
    assert (heatmaps["maps"], heatmaps["files"]) == (6, 5)
    assert heatmaps["formats"] == ["array", "dicom_seg"]


def test_a_manifest_of_maps_holds_nothing_of_a_network(study: Path, tmp_path: Path) -> None:
    write_maps(tmp_path)
    plan = score_plan(study, heatmaps__path=str(tmp_path))
    found = written(tmp_path, plan, maps_provenance(plan))
    assert found["heatmaps"]["maps"] == 4
    assert not {"card", "weights_sha256"} & found.keys()
    assert not set(NETWORK_PACKAGES) & found["versions"].keys()
    assert [method["name"] for method in found["methods"]] == ["heatmap", "center_prior", "random"]
