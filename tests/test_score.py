"""Scoring of brought maps: a network's own, brought as files, get the scores that the audit gave them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.joints.plan import make_plan
from pipeline.joints.score_plan import make_score_plan
from pipeline.joints.steps import Outcome
from pipeline.score import score_in
from tests.study import FINDINGS, write_model, write_study

ROOT = Path(__file__).parents[1]


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "out": str(folder / "out"),
        "workers": 1,
        "statistics.replicates": 100,
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def scored(folder: Path, **more: Any) -> Outcome:
    values = settings(folder, heatmaps__path=str(folder / "maps"), **more)
    return score_in(Here(), make_score_plan(load_config(None, values)))


def rows(outcome: Outcome, name: str) -> list[dict[str, str]]:
    with (outcome.index.parent / name).open(newline="") as file:
        return list(csv.DictReader(file))


def write_table(folder: Path, lines: list[Mapping[str, object]]) -> None:
    with (folder / "heatmaps.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def bring(audited: Outcome, folder: Path, *, probabilities: bool) -> None:
    """The raw maps of an audit as .npy files with a table."""
    folder.mkdir()
    uids = {row["pseudonym"]: row["sop_instance_uid"] for row in rows(audited, "crosswalk.csv")}
    chances = {(r["case_id"], r["finding"]): r["probability"] for r in rows(audited, "predictions.csv")}
    lines: list[Mapping[str, object]] = []
    for case_id in (row["case_id"] for row in rows(audited, "cases.csv")):
        with np.load(audited.index.parent / "cases" / case_id / "heatmaps.npz") as maps:
            for name in maps.files:
                method, finding = name.split("/")
                file = f"{len(lines)}.npy"
                np.save(folder / file, maps[name])
                line: dict[str, object] = {
                    "file": file, "sop_instance_uid": uids[case_id], "finding": finding, "method": method,
                }  # fmt: skip
                if probabilities:
                    line["probability"] = chances[case_id, finding]
                lines.append(line)
    write_table(folder, lines)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def audited(study: Path) -> Outcome:
    model = write_model(study / "model")
    values = settings(study, model=str(model), methods=["gradcam", "layercam"], contours__gate="annotated")
    return audit(make_plan(load_config(None, values)))


@pytest.fixture(scope="module")
def brought(study: Path, audited: Outcome) -> Outcome:
    bring(audited, study / "maps", probabilities=True)
    return scored(study, contours__gate="annotated", heatmaps__findings=FINDINGS)


def test_the_networks_own_maps_get_the_scores_of_the_audit(audited: Outcome, brought: Outcome) -> None:
    for name in ("scores.csv", "cases.csv", "thresholds.csv", "skill.csv", "comparisons.csv"):
        assert rows(brought, name) == rows(audited, name), name
    assert brought.passed


def test_brought_probabilities_are_classified_as_the_networks_own(audited: Outcome, brought: Outcome) -> None:
    ours, wanted = (
        [row for row in rows(run, "summary.csv") if row["method"] == "classifier"]
        for run in (brought, audited)
    )
    assert ours == wanted
    assert len(ours) == 7 * len(FINDINGS)
