"""A whole run with two readers, groups from a table and a policy: every statistic ends in a table."""

from __future__ import annotations

import csv
import json
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.audit import Outcome, audit
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.statistics.policy import LIMITS
from tests.study import GRID, square, uid, write_model, write_study

IMAGES = 8
"""Odd ones show a nodule, which anna and ben draw, ben five pixels to the right."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, count=IMAGES)
    write_model(folder / "model")
    for number in range(1, IMAGES + 1, 2):
        for reader, left in (("anna", 8), ("ben", 13)):
            place = folder / "readers" / reader / f"image{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            mask = square((GRID, GRID), 5 + 3 * number, left, 20)
            Image.fromarray(mask.astype(np.uint8) * 255).save(place)
    sites = "\n".join(f"{uid(n)},{'north' if n < 6 else 'south'}" for n in range(1, IMAGES + 1))
    (folder / "sites.csv").write_text(f"sop_instance_uid,site\n{sites}\n")
    settings: dict[str, Any] = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "annotations.sources": [
            {"format": "png", "pattern": "readers/{reader}/{image}.png", "finding": "nodule"}
        ],
        "annotations.labels": {"file": "labels.csv", "columns": {"nodule": "nodule", "effusion": "effusion"}},
        "model": str(folder / "model" / "tiny.yaml"),
        "out": str(folder / "out"),
        "workers": 1,
        "contours.gate": "all",
        "statistics.replicates": 100,
        "subgroups": {
            "attributes": ["sex"],
            "table": {"file": "sites.csv", "columns": ["site"]},
            "minimum_patients": 2,
        },
        "policy": {"min_hit_rate": 0.99, "max_on_healthy": 1.0, "min_skill": -10.0},
    }
    return audit(make_plan(load_config(None, settings)), executor=Here())


def table(outcome: Outcome, name: str) -> list[dict[str, str]]:
    with (outcome.index.parent / name).open(newline="") as file:
        return list(csv.DictReader(file))


def values(outcome: Outcome, metric: str, method: str, reader: str) -> list[float]:
    return [
        float(row["value"])
        for row in table(outcome, "scores.csv")
        if (row["metric"], row["method"], row["reader"]) == (metric, method, reader) and row["value"]
    ]


def test_readers_are_scored_against_each_other_and_against_their_consensus(finished: Outcome) -> None:
    assert values(finished, "iou", "reader ben", "anna") == pytest.approx([15 / 25] * 4)
    assert len(values(finished, "iou", "gradcam", "majority")) == IMAGES / 2


def test_skill_ends_at_what_the_readers_reach(finished: Outcome) -> None:
    rows = {
        (row["reader"], row["metric"], row["measure"]): row
        for row in table(finished, "skill.csv")
        if row["finding"] == "nodule"
    }
    skill = rows["anna", "iou", "skill"]
    assert (skill["ceiling"], skill["prior"], skill["n"]) == ("readers", "center_prior", "4")
    ours, prior = (fmean(values(finished, "iou", name, "anna")) for name in ("gradcam", "center_prior"))
    assert float(skill["estimate"]) == pytest.approx((ours - prior) / (15 / 25 - prior))
    share = rows["majority", "iou", "share_of_readers"]
    theirs = fmean(values(finished, "iou", "gradcam", "majority"))
    assert float(share["estimate"]) == pytest.approx(theirs / (15 / 25))


def test_the_paired_difference_is_that_of_the_means(finished: Outcome) -> None:
    (row,) = (
        row
        for row in table(finished, "comparisons.csv")
        if (row["finding"], row["reader"], row["metric"], row["second"]) == ("nodule", "ben", "iou", "random")
    )
    ours, theirs = (fmean(values(finished, "iou", name, "ben")) for name in ("gradcam", "random"))
    assert float(row["difference"]) == pytest.approx(ours - theirs)


def test_groups_come_from_the_header_and_from_a_table(finished: Outcome) -> None:
    rows = [
        row
        for row in table(finished, "subgroups.csv")
        if (row["finding"], row["reader"], row["metric"]) == ("nodule", "anna", "hit")
    ]
    assert [(row["attribute"], row["group"], row["n"], row["too_few"]) for row in rows] == [
        ("sex", "F", "4", "0"),
        ("site", "north", "3", "0"),
        ("site", "south", "1", "1"),
    ]


def test_lesions_without_a_contour_and_contours_without_a_lesion_are_listed(finished: Outcome) -> None:
    unmatched = table(finished, "unmatched.csv")
    assert {row["method"] for row in unmatched} == {"gradcam"}
    healthy = [row for row in unmatched if row["what"] == "contour_on_healthy" and row["finding"] == "nodule"]
    with (finished.index.parent / "regions.json").open() as file:
        drawn = [region["case_id"] for region in json.load(file) if region["finding"] == "nodule"]
    rows = table(finished, "predictions.csv")
    ill = {row["case_id"] for row in rows if (row["finding"], row["label"]) == ("nodule", "1")}
    assert len(healthy) == sum(case not in ill for case in drawn)


def test_the_curve_has_every_level_and_at_the_configs_threshold_it_is_the_mean_iou(finished: Outcome) -> None:
    curve = {
        row["level"]: float(row["estimate"])
        for row in table(finished, "thresholds.csv")
        if (row["finding"], row["reader"], row["method"]) == ("nodule", "anna", "gradcam")
    }
    assert len(curve) == 19
    assert curve["0.6"] == pytest.approx(fmean(values(finished, "iou", "gradcam", "anna")), abs=1e-6)


def test_the_policy_decides_how_the_run_ends(finished: Outcome) -> None:
    rows = {(row["finding"], row["rule"]): row["outcome"] for row in table(finished, "policy.csv")}
    assert rows["nodule", "max_on_healthy"] == "pass"
    assert rows["nodule", "min_skill"] != "fail"  # of 8 patients whose scores agree it is unknown
    assert rows["effusion", "min_hit_rate"] == "unknown"
    hits = fmean(values(finished, "hit", "gradcam", "anna"))
    assert hits < 0.99
    assert rows["nodule", "min_hit_rate"] == "fail"
    assert not finished.passed
    assert {rule for _, rule in rows} <= LIMITS.keys()


def test_the_report_tells_readers_skill_and_policy(finished: Outcome) -> None:
    page = finished.index.read_text()
    assert "the readers compared with each other reach 0.60" in page
    assert (
        "the readers compared with each other reach 100\u00a0%" in page
    )  # each points into the other's mask
    assert "1 is the readers compared with each other" in page
    assert "The policy is not met." in page


def test_the_groups_of_a_table_can_be_filtered_by(finished: Outcome) -> None:
    groups = json.loads((finished.index.parent / "groups.json").read_text(encoding="utf-8"))
    assert sorted(groups["site"].values()) == ["north"] * 5 + ["south"] * 3
    assert groups["site"].keys() == {row["case_id"] for row in table(finished, "cases.csv")}
