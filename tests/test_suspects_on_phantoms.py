"""Phantom audits: a clean run accuses nobody, and its twin with mirrored masks says what is wrong."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from math import exp
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.audit import Outcome, audit
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.phantoms.study_set import write_study_set
from pipeline.plan import make_plan
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.verdict import verdicts

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "pipeline" / "phantoms" / "reference_model" / "reference_model.yaml"


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_study_set(folder, seed=4, count=96, size=128)
    return folder


def audited(folder: Path, out: Path) -> Outcome:
    settings = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(MODEL),
        "out": str(out),
        "workers": 1,
        "burned_in_text.look": "none",
        "statistics.replicates": 200,
        "policy": {"min_auroc": 0.6},
    }
    return audit(make_plan(load_config(ROOT / "configs" / "phantom.yaml", settings)), executor=Here())


@pytest.fixture(scope="module")
def clean(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return audited(phantoms, tmp_path_factory.mktemp("out"))


def rows(outcome: Outcome, name: str) -> list[dict[str, str]]:
    with (outcome.index.parent / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_no_badge_of_a_clean_run_accuses_the_network(clean: Outcome) -> None:
    """The contours of an enlarged heart fit worse than its mean mask, which hits it always."""
    run = read_run(clean.index.parent)
    found = {verdict.finding: verdict for verdict in verdicts(run)}
    assert {verdict.standing for verdict in found.values()} <= {"better", "no_better"}
    assert found["consolidation"].title.startswith(("better", "pointing better"))
    assert found["cardiomegaly"].title.startswith("pointing cannot be judged (always at the same place)")
    assert not any(verdict.title.startswith("pointing worse") for verdict in found.values())


def test_the_only_suspicion_of_a_clean_run_is_what_it_cannot_judge(clean: Outcome) -> None:
    found = [(one.finding, one.rule, one.suspect, one.strength) for one in clean.results.suspicions]
    assert found == [("cardiomegaly", "same_place", "too_few", "weak")]


def test_a_perfect_auroc_passes_its_limit(clean: Outcome) -> None:
    perfect = [row for row in clean.results.policy if row["estimate"] == 1.0]
    assert perfect
    assert {row["outcome"] for row in clean.results.policy} == {"pass"}
    assert all(0.6 < row["low"] < 1 for row in perfect)


def test_every_output_of_a_clean_run_tells_its_own_label_best_and_its_map_hits_its_own_masks(
    clean: Outcome,
) -> None:
    best: dict[tuple[str, str], tuple[float, str]] = {}
    for row in rows(clean, "cross.csv"):
        key = (row["measure"], row["finding"])
        best[key] = max(best.get(key, (-1.0, "")), (float(row["estimate"]), row["output"]))
    assert len(best) == 8
    assert all(output == finding for (_, finding), (_, output) in best.items())


def test_lesions_that_a_decision_needs_are_those_whose_removal_alone_turns_it(clean: Outcome) -> None:
    """Counted anew from the stored outputs."""
    run = clean.index.parent
    decided = {(row["case_id"], row["finding"]): row for row in rows(clean, "predictions.csv")}
    answers = [row for row in rows(clean, "probes.csv") if row["probe"] == "lesion" and row["after"]]
    judging = [row for row in answers if row["answer"] != "cannot_tell" or abs(float(row["after"])) <= 0.25]
    fills = {row["finding"]: row["variant"] for row in reversed(judging)}
    counted: Counter[tuple[str, str]] = Counter()
    for path in (run / "probes").iterdir():
        case = json.loads(path.read_text())
        logits = {(one["finding"], one["variant"]): one["logit"] for one in case["outputs"]}
        for finding, fill in fills.items():
            row = decided[case["case_id"], finding]
            pair = [logits.get((finding, f"{fill}/{part}")) for part in ("lesion", "control")]
            if None in pair or row["predicted"] == "0":
                continue
            positive = [1 / (1 + exp(-x)) >= float(row["threshold"]) for x in pair if x is not None]
            if positive[1]:
                counted[finding, "not_used" if positive[0] else "used"] += 1
    table = [row for row in rows(clean, "causal.csv") if row["metric"] == "hit"]
    for finding in {row["finding"] for row in table}:
        n = {row["references"]: int(row["n"]) for row in table if row["finding"] == finding}
        assert n["all"] == n["used"] + n["not_used"] + n["not_judged"]
        assert [n["used"], n["not_used"]] == [counted[finding, use] for use in ("used", "not_used")]
    assert sum(int(row["n"]) for row in table if row["references"] == "used") > 20
    assert "The map on lesions that turn the decision" in clean.index.read_text(encoding="utf-8")


def test_mirrored_masks_are_named_with_their_mirror(phantoms: Path, tmp_path: Path) -> None:
    planted = tmp_path / "mirrored"
    for path in (phantoms / "masks").rglob("*.png"):
        copy = planted / path.relative_to(phantoms)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as mask:
            Image.fromarray(np.fliplr(np.asarray(mask)).copy()).save(copy)
    shutil.copy(phantoms / "labels.csv", planted / "labels.csv")
    (planted / "images").symlink_to(phantoms / "images")
    outcome = audited(planted, tmp_path / "out")
    strong = [one for one in outcome.results.suspicions if one.strength == "strong"]
    assert [(one.finding, one.rule, one.suspect) for one in strong] == [("(all)", "alignment", "masks")]
    assert "mirrored left to right" in strong[0].sentence
    best = max(
        (row for row in rows(outcome, "alignment.csv") if row["finding"] == "(all)"),
        key=lambda row: float(row["rank"]),
    )
    assert best["transform"] == "mirrored"
    assert "mirrored left to right" in outcome.index.read_text(encoding="utf-8")
