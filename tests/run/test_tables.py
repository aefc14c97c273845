"""Tables: what finished cases become, by hand-worked numbers of four small images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cohort.index import Cohort
from pipeline.cohort.near_duplicates import look_of
from pipeline.config import AuditConfig, Policy
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.ground_truth.matching import Truth
from pipeline.metrics.lesions import Rule
from pipeline.metrics.transforms import TRANSFORMS
from pipeline.plan import RunPlan
from pipeline.records import (
    Candidates,
    Case,
    Curve,
    FinishedCase,
    Fit,
    Prediction,
    ProbedOutput,
    Score,
    Skipped,
    Suspicion,
)
from pipeline.run.grouping import Grouping
from pipeline.run.opening import open_run
from pipeline.run.tables import Results, summarise, write_tables
from pipeline.run_files.tables import read_rows
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.effects import StatisticsOptions
from pipeline.store.cases import write_case, write_skipped
from pipeline.store.probes import write_probed
from pipeline.store.tables import read_table
from tests.cohort.cases import case
from tests.store.finished import finished_case

FINDINGS = ("nodule", "effusion")
OPTIONS = StatisticsOptions(FINDINGS, ("gradcam",), ("center_prior",), Resampling(replicates=50), 1)
CASES = [case(stem) for stem in "abcd"]
RULE = Rule("iou", 0.5)


def hits(of: Case, **methods: float | None) -> tuple[Score, ...]:
    return tuple(
        Score(of.case_id, "nodule", "anna", method, "hit", value, "" if value is not None else "healthy")
        for method, value in methods.items()
    )


def finish(run: Path, of: Case, **changes: Any) -> FinishedCase:
    """Put on disk, with one score, one prediction and nothing drawn unless that is given."""
    fields: dict[str, Any] = {
        "patient_id": of.patient_id,
        "scores": hits(of, gradcam=1.0),
        "predictions": (Prediction(of.case_id, "nodule", 0.0, 0.5, 0.5),),
        "labels": {"nodule": 1, "effusion": None},
        "candidates": (),
        "curves": (),
        "skipped": (),
    }
    found = finished_case(case_id=of.case_id, **{**fields, **changes})
    write_case(run, found)
    return found


def tabled(run: Path, cases: Sequence[Case] = CASES, **changes: Any) -> Results:
    given: dict[str, Any] = {
        "options": OPTIONS,
        "matching": RULE,
        "grouping": Grouping(),
        "policy_limits": Policy(),
        "skipped": (),
        "executor": Here(),
    }
    return write_tables(run, cases, **{**given, **changes})


def row(run: Path, name: str, **wanted: str) -> dict[str, str]:
    """The one row of a table with these cells."""
    (found,) = (one for one in read_table(run, name) if all(one[key] == wanted[key] for key in wanted))
    return found


def test_every_table_of_a_run_but_the_crosswalk_is_written(tmp_path: Path) -> None:
    finish(tmp_path, CASES[0])
    tabled(tmp_path, CASES[:1])
    assert {path.name for path in tmp_path.iterdir()} == {
        "cases", "cases.csv", "predictions.csv", "scores.csv", "regions.json", "summary.csv", "skipped.csv",
        "thresholds.csv", "calibration.csv", "unmatched.csv", "skill.csv", "comparisons.csv", "subgroups.csv",
        "policy.csv", "verdict.csv", "suspects.csv", "probes.csv", "causal.csv", "cross.csv",
        "alignment.csv", "look_alikes.csv", "normalisation.csv", "readouts.csv", "attribute_maps.csv",
        "map_tests.csv", "lesion_sizes.csv", "groups.json",
    }  # fmt: skip


def test_images_that_were_skipped_are_not_audited_and_come_behind_what_was_skipped_before(
    tmp_path: Path,
) -> None:
    never, gone, annotation = (
        Skipped(subject, stage, "any", "a sentence")
        for subject, stage in (("file-1", "index"), ("case-b-0", "load"), ("case-a-0", "annotations"))
    )
    finish(tmp_path, CASES[0], skipped=(annotation,))
    write_skipped(tmp_path, gone)
    found = tabled(tmp_path, CASES[1::-1], skipped=[never])
    assert found.audited == ("case-a-0",)
    assert found.skipped == (never, gone, annotation)
    assert [one["subject"] for one in read_table(tmp_path, "skipped.csv")] == [
        "file-1",
        "case-b-0",
        "case-a-0",
    ]
    assert [one["case_id"] for one in read_table(tmp_path, "cases.csv")] == ["case-a-0"]


def of_two_patients(run: Path) -> None:
    """Images a and b of one patient, c of another: hit, missed, hit."""
    for of, hit in zip(CASES[:3], (1.0, 0.0, 1.0), strict=True):
        patient = "patient-x" if of is not CASES[2] else "patient-y"
        finish(run, of, patient_id=patient, scores=hits(of, gradcam=hit))


@pytest.mark.parametrize(("units", "patients"), [("patients", 2), ("images", 3)])
def test_what_is_resampled_is_the_patient_or_the_image(tmp_path: Path, units: str, patients: int) -> None:
    of_two_patients(tmp_path)
    tabled(tmp_path, CASES[:3], units=units)
    for method, metric in (("gradcam", "hit"), ("classifier", "brier")):
        found = row(tmp_path, "summary.csv", finding="nodule", method=method, metric=metric)
        assert (found["n"], found["patients"]) == ("3", str(patients))


def test_patients_are_what_is_resampled_unless_images_are_asked_for(tmp_path: Path) -> None:
    of_two_patients(tmp_path)
    tabled(tmp_path, CASES[:3])
    assert row(tmp_path, "summary.csv", method="gradcam")["patients"] == "2"


def predicted(run: Path, of: Case, chance: float, label: int | None, *, threshold: float = 0.5) -> None:
    finish(
        run,
        of,
        predictions=(Prediction(of.case_id, "nodule", 0.0, chance, threshold),),
        labels={"nodule": label, "effusion": 0},
    )


def test_probabilities_are_compared_with_labels_from_the_operating_point_on(tmp_path: Path) -> None:
    for of, chance, label in zip(CASES, (0.5, 0.4, 0.9, 0.2), (1, 1, 0, None), strict=True):
        predicted(tmp_path, of, chance, label)
    tabled(tmp_path)
    found = {
        one["metric"]: (one["estimate"], one["n"], one["reasons"])
        for one in read_table(tmp_path, "summary.csv")
        if (one["finding"], one["method"]) == ("nodule", "classifier")
    }
    assert found["sensitivity"] == ("0.5", "2", "healthy=1; not_labelled=1")  # 0.5 reaches it, 0.4 does not
    assert found["specificity"] == ("0.0", "1", "finding_present=2; not_labelled=1")
    assert found["brier"][0] == str((0.25 + 0.36 + 0.81) / 3)
    assert row(tmp_path, "summary.csv", finding="effusion", metric="auroc")["n"] == "0"


def test_calibration_is_of_labelled_images_finding_by_finding(tmp_path: Path) -> None:
    for of, chance, label in zip(CASES, (0.5, 0.4, 0.9, 0.2), (1, 0, 1, None), strict=True):
        predicted(tmp_path, of, chance, label)
    tabled(tmp_path)
    found = [
        (one["finding"], one["predicted"], one["observed"], one["n"])
        for one in read_table(tmp_path, "calibration.csv")
    ]
    assert found == [
        ("nodule", "0.4", "0.0", "1"),
        ("nodule", "0.5", "1.0", "1"),
        ("nodule", "0.9", "1.0", "1"),
    ]


def test_images_of_one_patient_are_one_in_the_intervals_of_calibration(tmp_path: Path) -> None:
    for of, label in zip(CASES[:2], (0, 0), strict=True):
        finish(
            tmp_path,
            of,
            patient_id="patient-x",
            predictions=(Prediction(of.case_id, "nodule", 0.0, 0.5, 0.5),),
            labels={"nodule": label},
        )
    tabled(tmp_path, CASES[:2])
    found = row(tmp_path, "calibration.csv")
    assert (found["n"], float(found["high"])) == ("2", pytest.approx(0.975))  # none of one patient


def test_without_probabilities_there_are_no_rows_of_a_classifier(tmp_path: Path) -> None:
    finish(tmp_path, CASES[0], predictions=())
    tabled(tmp_path, CASES[:1])
    assert {one["method"] for one in read_table(tmp_path, "summary.csv")} == {"gradcam"}
    assert read_table(tmp_path, "calibration.csv") == []


def drawn(of: Case, *contours: tuple[float, ...], lesions: int, method: str = "gradcam") -> Candidates:
    """Contours by their IoU with each lesion, the surest first."""
    scores = tuple(1.0 - place / 10 for place in range(len(contours)))
    return Candidates(of.case_id, "nodule", "anna", method, "mask", lesions, scores, {"iou": contours})


def test_what_the_networks_contours_miss_and_what_they_find_in_vain_is_listed(tmp_path: Path) -> None:
    one, other, healthy, _ = CASES
    finish(tmp_path, one, candidates=(drawn(one, (0.5, 0.0), (0.1, 0.4), lesions=2),))
    finish(tmp_path, other, candidates=(drawn(other, lesions=1, method="center_prior"),))
    finish(tmp_path, healthy, candidates=(drawn(healthy, (), (), lesions=0),))
    tabled(tmp_path, CASES[:3])
    found = [tuple(one.values()) for one in read_table(tmp_path, "unmatched.csv")]
    same = ("nodule", "anna", "gradcam", "mask")
    assert found == [
        ("case-a-0", "patient-a", *same, "missed_lesion", "2"),
        ("case-a-0", "patient-a", *same, "contour_without_lesion", "2"),
        ("case-c-0", "patient-c", *same, "contour_on_healthy", "1"),
        ("case-c-0", "patient-c", *same, "contour_on_healthy", "2"),
    ]


def test_lesions_are_matched_by_the_rule_that_is_given(tmp_path: Path) -> None:
    finish(tmp_path, CASES[0], candidates=(drawn(CASES[0], (0.4,), lesions=1),))
    found = {}
    for threshold in (0.4, 0.5):
        tabled(tmp_path, CASES[:1], matching=Rule("iou", threshold))
        found[threshold] = row(tmp_path, "summary.csv", metric="lesion_froc_1")["estimate"]
    assert found == {0.4: "1.0", 0.5: "0.0"}


def test_a_summary_says_what_is_better_of_each_kind_of_measure_and_its_unit(tmp_path: Path) -> None:
    scores = (
        *hits(CASES[0], gradcam=1.0),
        Score(CASES[0].case_id, "nodule", "anna", "gradcam", "hd95", 3.0),
        Score(CASES[0].case_id, "nodule", "anna", "gradcam", "contour_on_healthy", 0.0),
    )
    finish(tmp_path, CASES[0], scores=scores, candidates=(drawn(CASES[0], (0.9,), lesions=1),))
    tabled(tmp_path, CASES[:1])
    found = {
        one["metric"]: (one["better"], one["unit"])
        for one in read_table(tmp_path, "summary.csv")
        if one["finding"] == "nodule"
    }
    assert found["hit"] == found["auroc"] == found["lesion_ap_mean"] == ("higher", "")
    assert found["brier"] == found["contour_on_healthy"] == ("lower", "")
    assert found["hd95"] == ("lower", "mm")


def test_curves_are_averaged_over_images(tmp_path: Path) -> None:
    for of, height in zip(CASES[:2], (0.2, 0.6), strict=True):
        curve = Curve(of.case_id, "nodule", "anna", "gradcam", (height,) * 19)
        finish(tmp_path, of, curves=(curve,))
    tabled(tmp_path, CASES[:2])
    rows = read_table(tmp_path, "thresholds.csv")
    assert len(rows) == 19
    assert {(float(one["estimate"]), one["n"], one["patients"]) for one in rows} == {(0.4, "2", "2")}


def test_skill_comparisons_policy_and_verdict_are_of_the_scores_on_disk(tmp_path: Path) -> None:
    for of, hit in zip(CASES, (1.0, 1.0, 1.0, 0.0), strict=True):
        finish(tmp_path, of, scores=hits(of, gradcam=hit, center_prior=0.0))
    found = tabled(tmp_path, policy_limits=Policy(min_hit_rate=0.8, min_skill=0.7))
    assert row(tmp_path, "skill.csv")["estimate"] == "0.75"
    assert row(tmp_path, "comparisons.csv")["difference"] == "0.75"
    outcomes = {(one["finding"], one["rule"]): one["outcome"] for one in found.policy}
    assert outcomes["nodule", "min_hit_rate"] == "fail"
    assert outcomes["nodule", "min_skill"] == "warn"
    (pointing,) = (one for one in found.verdict if one.finding == "nodule")
    assert (pointing.difference, pointing.baseline) == (0.75, "center_prior")
    assert (pointing.verdict, pointing.patients) == ("unknown", 4)  # too few
    assert row(tmp_path, "verdict.csv", finding="nodule")["difference"] == "0.75"
    assert row(tmp_path, "policy.csv", finding="nodule", rule="min_hit_rate")["limit"] == "0.8"


def test_policy_and_verdict_are_about_the_first_of_the_networks_methods(tmp_path: Path) -> None:
    for of in CASES[:2]:
        finish(tmp_path, of, scores=hits(of, gradcam=0.0, layercam=1.0))
    options = replace(OPTIONS, network=("layercam", "gradcam"))
    found = tabled(tmp_path, CASES[:2], options=options, policy_limits=Policy(min_hit_rate=0.5))
    assert [(one["rule"], one["estimate"]) for one in found.policy if one["finding"] == "nodule"] == [
        ("min_hit_rate", 1.0)
    ]
    assert [(one.question, one.method) for one in found.verdict if one.finding == "nodule"] == [
        ("pointing", "layercam"),
        ("other_map", "gradcam"),
    ]


def test_images_are_grouped_by_their_attributes_and_by_columns_of_a_table(tmp_path: Path) -> None:
    for of in CASES[:3]:
        finish(tmp_path, of, attributes={"view": "PA" if of is CASES[0] else "AP", "sex": "F"})
    sites = {"case-a-0": "north", "case-b-0": "süd", "case-d-0": "not audited", "case-c-0": ""}
    grouping = Grouping(("view",), {"site": sites}, minimum_patients=2)
    tabled(tmp_path, CASES[:3], grouping=grouping)
    rows = [one for one in read_table(tmp_path, "subgroups.csv") if one["metric"] == "hit"]
    assert [(one["attribute"], one["group"], one["n"], one["too_few"]) for one in rows] == [
        ("view", "AP", "2", "0"),
        ("view", "PA", "1", "1"),
        ("site", "north", "1", "1"),
        ("site", "süd", "1", "1"),
    ]
    written = (tmp_path / "groups.json").read_bytes().decode()
    assert json.loads(written) == {"site": {"case-a-0": "north", "case-b-0": "süd"}}
    assert "süd" in written  # as it is read by who opens the file


def test_ten_patients_are_too_few_for_a_group_unless_the_config_says_otherwise() -> None:
    assert Grouping().minimum_patients == AuditConfig().subgroups.minimum_patients == 10


def plan(folder: Path, **config: Any) -> RunPlan:
    """A plan whose tables are in `folder`."""
    return RunPlan(AuditConfig.model_validate({"out": folder / "out", **config}), folder, folder, FINDINGS)


def summarised(
    folder: Path, config: Mapping[str, Any], *, truth: Sequence[Skipped] = (), **changes: Any
) -> tuple[Path, Results]:
    """The run's folder and its results, of images a, b and c of the four of the cohort."""
    cohort = Cohort(
        4, tuple(CASES), (Skipped("file-1", "index", "not_dicom", "a sentence"),), {}, {}, tuple(CASES)
    )
    said = Truth({}, {}, tuple(truth), {}, "mask", "anna", "")
    asked = plan(folder, **config)
    with open_run(asked, Here(), worker_modules=()) as run:
        run.lock("run")
        for of in CASES[:3]:
            finish(run.folder, of, scores=hits(of, gradcam=1.0, center_prior=0.0))
        return run.folder, summarise(
            asked, run, cohort, said, cases=CASES[:3], methods=("gradcam",), **changes
        )


def test_of_skipped_annotations_those_of_images_that_are_not_of_the_run_are_left_out(tmp_path: Path) -> None:
    ours, theirs, nobodys = (
        Skipped(subject, "annotations", "mask_size", "a sentence")
        for subject in ("case-a-0", "case-d-0", "annotation-7")
    )
    last = Skipped("heatmap-1", "heatmaps", "unknown_finding", "a sentence")
    _, found = summarised(tmp_path, {}, truth=[ours, theirs, nobodys], skipped=[last])
    assert [one.subject for one in found.skipped] == ["file-1", "case-a-0", "annotation-7", "heatmap-1"]


def test_a_plan_is_summarised_as_its_config_says(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text("image,site\na.dcm,north\nb.dcm,south\nc.dcm,south\nd.dcm,west\n")
    run, found = summarised(
        tmp_path,
        {
            "statistics": {"units": "images", "replicates": 30, "confidence": 0.9},
            "subgroups": {
                "attributes": ["view"],
                "table": {"file": "sites.csv", "image": "image", "columns": ["site"]},
                "minimum_patients": 2,
            },
            "policy": {"min_hit_rate": 0.3, "max_skipped": 0.5},
            "lesions": {"threshold": 0.7},
        },
    )
    rows = [one for one in read_table(run, "subgroups.csv") if one["metric"] == "hit"]
    assert [(one["group"], one["too_few"]) for one in rows] == [("PA", "0"), ("north", "1"), ("south", "0")]
    hit = row(run, "summary.csv", finding="nodule", method="gradcam", metric="hit")
    assert float(hit["low"]) == pytest.approx(0.05 ** (1 / 3))  # three of three, at 90 %
    assert [(one["rule"], one["outcome"]) for one in found.policy if one["finding"] == "nodule"] == [
        ("min_hit_rate", "pass")
    ]
    assert row(run, "comparisons.csv")["second"] == "center_prior"
    groups = json.loads((run / "groups.json").read_text())
    assert groups == {"site": {"case-a-0": "north", "case-b-0": "south", "case-c-0": "south"}}


def test_the_readers_ceiling_counts_patients_as_the_subgroups_do(tmp_path: Path) -> None:
    of = hits(CASES[0], **{"gradcam": 0.0, "center_prior": 0.0, "reader ben": 1.0})
    found = {}
    for minimum in (1, 2):
        folder = tmp_path / str(minimum)
        asked = plan(folder, subgroups={"minimum_patients": minimum}, statistics={"replicates": 20})
        with open_run(asked, Here(), worker_modules=()) as run:
            run.lock("run")
            finish(run.folder, CASES[0], scores=of)
            nothing = Cohort(1, (CASES[0],), (), {}), Truth({}, {}, (), {}, "mask", "anna", "")
            summarise(asked, run, *nothing, cases=CASES[:1], methods=("gradcam",))
            found[minimum] = {one["ceiling"] for one in read_table(run.folder, "skill.csv")}
    assert found == {1: {"readers"}, 2: {"perfect"}}


def test_without_a_table_of_groups_there_are_none(tmp_path: Path) -> None:
    run, _ = summarised(tmp_path, {"statistics": {"replicates": 20}})
    assert json.loads((run / "groups.json").read_text()) == {}


def test_suspicions_are_listed_once_by_finding_and_strong_ones_first(tmp_path: Path) -> None:
    """Beside those of the rules: the map of one finished case has 1 × 2 cells."""
    finish(tmp_path, CASES[0])
    weak = Suspicion("nodule", "shortcut", "network", "weak", "It may.", n=3)
    strong = Suspicion("nodule", "order", "labels", "strong", "It is.", 0.9, 0.8, 0.95, 4)
    other = Suspicion("effusion", "shortcut", "network", "weak", "It may.")
    whole = Suspicion("(all)", "saturated", "card", "strong", "=all()")
    found = tabled(tmp_path, CASES[:1], suspicions=[whole, other, weak, strong, weak])
    *given, grid = found.suspicions
    assert given == [strong, weak, other, whole]
    assert (grid.finding, grid.rule, grid.suspect, grid.n) == ("(all)", "coarse_grid", "map", 1)
    rows = read_table(tmp_path, "suspects.csv")
    assert [one["sentence"] for one in rows[:4]] == ["It is.", "It may.", "It may.", "=all()"]
    assert rows[0] == {
        "finding": "nodule", "rule": "order", "suspect": "labels", "strength": "strong", "estimate": "0.9",
        "low": "0.8", "high": "0.95", "n": "4", "sentence": "It is.",
    }  # fmt: skip


def test_a_suspicion_beyond_the_policy_is_a_row_that_reports_can_read(tmp_path: Path) -> None:
    finish(tmp_path, CASES[0])
    strong = Suspicion("nodule", "card_inverted", "card", "strong", "It is.", 0.4, 0.3, 0.5, 4)
    tabled(tmp_path, CASES[:1], suspicions=[strong])
    (found,) = read_rows(tmp_path / "policy.csv")
    assert (found["rule"], found["metric"], found["estimate"]) == ("max_suspicion.card", "strength", "2.0")
    assert (found["limit"], found["outcome"]) == ("1.0", "fail")


def test_fits_of_cases_become_the_cross_table_and_the_alignment(tmp_path: Path) -> None:
    """Map of nodule: hits in a and b after a mirror alone; the map of effusion hits them as they are."""
    for of in CASES[:2]:
        own = tuple(0.75 if number == 1 else 0.5 for number in range(len(TRANSFORMS)))
        held = tuple(float(number == 1) for number in range(len(TRANSFORMS)))
        finish(
            tmp_path,
            of,
            fits=(
                Fit(of.case_id, "nodule", "anna", "gradcam", "nodule", own, held),
                Fit(of.case_id, "nodule", "anna", "gradcam", "effusion", (0.9,), (1.0,)),
                Fit(of.case_id, "nodule", "anna", "lrp", "nodule", held, held),
            ),
        )
    tabled(tmp_path, CASES[:2])
    hits = [one for one in read_table(tmp_path, "cross.csv") if one["measure"] == "hit"]
    assert [(one["finding"], one["output"], one["estimate"], one["difference"]) for one in hits] == [
        ("nodule", "nodule", "0.0", ""),
        ("nodule", "effusion", "1.0", "1.0"),
    ]
    found = read_table(tmp_path, "alignment.csv")
    assert [(one["transform"], one["rank"], one["hits"], one["n"]) for one in found[:3]] == [
        ("as_it_is", "0.5", "0.0", "2"),
        ("mirrored", "0.75", "1.0", "2"),
        ("upside_down", "0.5", "0.0", "2"),
    ]
    assert (found[0]["p"], found[1]["difference"], found[1]["p"]) == ("", "0.25", "0.5")


def test_fits_of_another_number_of_transforms_are_of_another_version(tmp_path: Path) -> None:
    fit = Fit(CASES[0].case_id, "nodule", "anna", "gradcam", "nodule", (0.5, 0.5), (0.0, 0.0))
    finish(tmp_path, CASES[0], fits=(fit,))
    with pytest.raises(ConfigError, match=r"fits: ranks: wanted 31 values, or 1 for another output"):
        tabled(tmp_path, CASES[:1])


def test_without_probes_no_reference_is_judged_and_the_table_is_empty(tmp_path: Path) -> None:
    finish(tmp_path, CASES[0])
    tabled(tmp_path, CASES[:1])
    assert (tmp_path / "causal.csv").read_text().count("\n") == 1
    assert read_table(tmp_path, "causal.csv") == []


def test_a_decision_that_turns_without_the_region_makes_its_reference_a_used_one(tmp_path: Path) -> None:
    """Images a to d at logits 1, 1, 1, −1; a turns without the region, b does not, c was not changed."""
    for of, logit in zip(CASES, (1.0, 1.0, 1.0, -1.0), strict=True):
        chance = 1 / (1 + exp(-logit))
        finish(
            tmp_path,
            of,
            scores=hits(of, gradcam=float(of is CASES[0])),
            predictions=(Prediction(of.case_id, "nodule", logit, chance, 0.5),),
        )
        turned = -1.0 if of is CASES[0] else 1.0
        versions = ("", logit), ("inpaint/lesion", turned), ("inpaint/control", logit)
        write_probed(
            tmp_path,
            of.case_id,
            [
                ProbedOutput(of.case_id, "lesion" if name else "unchanged", name, "nodule", value)
                for name, value in versions[: 1 if of is CASES[2] else 3]
            ],
        )
    tabled(tmp_path)
    found = {one["references"]: one for one in read_table(tmp_path, "causal.csv")}
    assert {name: (one["n"], one["estimate"]) for name, one in found.items()} == {
        "all": ("4", "0.25"), "used": ("1", "1.0"), "not_used": ("1", "0.0"), "not_judged": ("2", "0.0"),
    }  # fmt: skip
    assert found["not_judged"]["reasons"] == "not_probed=1; predicted_negative=1"
    assert {one["no_interval"] for one in found.values()} == {"few_patients"}


def test_lesions_are_counted_by_size_with_the_run_s_own_rule(tmp_path: Path) -> None:
    for of, area, iou in zip(CASES, (1.0, 2.0, 3.0, 4.0), (0.2, 0.5, 0.5, 0.5), strict=True):
        lesion = replace(drawn(of, (iou,), lesions=1), shares=(area / 100,), areas_mm2=(area,))
        finish(tmp_path, of, candidates=(lesion,))
    tabled(tmp_path)
    found = read_table(tmp_path, "lesion_sizes.csv")
    shown = [
        tuple(one[key] for key in ("third", "unit", "smallest", "largest", "n", "too_few")) for one in found
    ]
    assert shown == [
        ("small", "mm2", "1.0", "2.0", "2", "1"),
        ("medium", "mm2", "3.0", "3.0", "1", "1"),
        ("large", "mm2", "4.0", "4.0", "1", "1"),
    ]
    assert {one["estimate"] for one in found} == {""}


def looking(run: Path, *pictures: int) -> None:
    """Hits of cases a, b, …, of a patient each; equal numbers look alike."""
    for of, number in zip(CASES, pictures, strict=False):
        pixels = np.random.default_rng(number).random((64, 64), np.float32)
        hit = float(of is not CASES[3])
        finish(run, of, scores=hits(of, gradcam=hit), look=look_of(pixels), curves=(), candidates=())


def test_patients_whose_images_look_alike_count_as_one(tmp_path: Path) -> None:
    looking(tmp_path, 1, 2, 1, 3)
    found = tabled(tmp_path)
    rows = read_table(tmp_path, "look_alikes.csv")
    assert [(one["group"], one["case_id"], one["patient_id"]) for one in rows] == [
        ("1", "case-a-0", "patient-a"),
        ("1", "case-c-0", "patient-c"),
    ]
    for method, metric in (("gradcam", "hit"), ("classifier", "brier")):
        summary = row(tmp_path, "summary.csv", finding="nodule", method=method, metric=metric)
        assert (summary["n"], summary["patients"]) == ("4", "3")
    (alike,) = (one for one in found.suspicions if one.rule == "look_alikes")
    assert (alike.suspect, alike.strength, alike.estimate, alike.n) == ("too_few", "weak", 0.5, 4)
    assert alike.sentence.startswith("2 of 4 images look like an image of another patient (1 groups).")


def test_look_alikes_of_one_patient_or_that_the_config_calls_harmless_are_none(tmp_path: Path) -> None:
    looking(tmp_path / "harmless", 1, 1, 1, 1)
    tabled(tmp_path / "harmless", look_alikes=False)
    assert read_table(tmp_path / "harmless", "look_alikes.csv") == []
    assert row(tmp_path / "harmless", "summary.csv", method="gradcam", finding="nodule")["patients"] == "4"
    for of in CASES[:2]:
        pixels = np.random.default_rng(1).random((64, 64), np.float32)
        finish(tmp_path / "one", of, patient_id="patient-x", look=look_of(pixels))
    found = tabled(tmp_path / "one", CASES[:2])
    assert "look_alikes" not in {one.rule for one in found.suspicions}


def test_a_lesion_that_was_missed_keeps_its_own_patient(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).random((64, 64), np.float32)
    for of in CASES[:2]:
        finish(tmp_path, of, look=look_of(pixels), candidates=(drawn(of, lesions=1),))
    tabled(tmp_path, CASES[:2])
    assert [one["patient_id"] for one in read_table(tmp_path, "unmatched.csv")] == ["patient-a", "patient-b"]
