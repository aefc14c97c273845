"""Groups: rows of subgroups.csv, and a maker whose films are inverted."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from pipeline.records import Score
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.dataframes import banded, read_cases, read_predictions, read_scores
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.groups import classifier_rows, subgroup_rows
from tests.statistics.frames import scores_frame
from tests.statistics.runs import write_run

ASKED = StatisticsOptions(
    ["nodule"], ["gradcam"], ["center_prior", "location_prior"], Resampling(replicates=200), 1
)
HITS = (1, 1, 0, 1)


def test_groups_are_of_the_first_method_and_few_have_no_number(tmp_path: Path) -> None:
    rows = [(f"c{n}", "gradcam", "hit", hit) for n, hit in enumerate(HITS)]
    ages = {"c0": "15", "c1": "64", "c2": "79", "c3": "60"}
    run = write_run(tmp_path / "run", rows, ages=ages)
    groups = banded(read_cases(run))[["age"]]
    old, young = subgroup_rows(read_scores(run), groups, ASKED, minimum=2)
    assert (young["group"], young["n"], young["too_few"], young["estimate"]) == ("under 20", 1, 1, None)
    assert (old["group"], old["n"], old["too_few"]) == ("60 to 79", 3, 0)
    assert old["estimate"] == pytest.approx(2 / 3)


def test_groups_are_of_the_first_method_alone_and_say_whether_they_differ(tmp_path: Path) -> None:
    """Ten hits of ten at one site, none of ten at the other."""
    rows = [
        *((f"c{n:02}", "gradcam", "hit", float(n < 10)) for n in range(20)),
        *((f"c{n:02}", "layercam", "hit", 1.0) for n in range(20)),
        ("c00", "layercam", "iou", 0.5),
    ]
    run = write_run(tmp_path / "run", rows)
    sites = pd.DataFrame({"site": ["north"] * 10 + ["south"] * 10}, index=[f"c{n:02}" for n in range(20)])
    asked = replace(ASKED, network=["gradcam", "layercam"])
    north, south = subgroup_rows(read_scores(run), sites, asked, minimum=10)
    assert (north["group"], north["method"], north["metric"]) == ("north", "gradcam", "hit")
    assert (north["n"], north["patients"], north["too_few"]) == (10, 10, 0)
    assert (north["estimate"], north["low"]) == (1, pytest.approx(0.025**0.1))  # a share: exact
    assert (north["difference"], south["difference"]) == (1, -1)
    assert (north["differs"], south["differs"]) == (1, 1)
    assert north["corrected_p"] == north["p"] == pytest.approx(2 / comb(20, 10))  # two groups: one test


def test_one_makers_inverted_films_differ_beyond_doubt(tmp_path: Path) -> None:
    """2 hits of 19 against 29 of 29: fewer than 1 in 10 billion, where 2,000 replicates say 1 in 1,000."""
    hits = [float(n < 2 or n >= 19) for n in range(48)]
    run = write_run(tmp_path / "run", [(f"c{n:02}", "gradcam", "hit", hit) for n, hit in enumerate(hits)])
    names = [f"c{n:02}" for n in range(48)]
    others = {f"attribute {n}": [f"{k % 4}" for k in range(48)] for n in range(10)}
    makers = pd.DataFrame({"manufacturer": ["Acme"] * 19 + ["Zeta"] * 29, **others}, index=names)
    acme, zeta, *rest = subgroup_rows(read_scores(run), makers, ASKED, minimum=10)
    by_hand = sum(comb(31, k) * comb(17, 19 - k) for k in range(2, 3)) / comb(48, 19)
    assert acme["corrected_p"] == acme["p"] == pytest.approx(by_hand)
    assert 3.9e-11 < acme["p"] < 4.1e-11
    assert (acme["differs"], zeta["differs"]) == (1, 1)
    assert len(rest) == 40
    assert not any(row["differs"] for row in rest)


def read_by(*readers: tuple[str, range]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and sites of 24 images, of which each reader read a part; hits at site a alone."""
    scores = scores_frame(
        (Score(f"c{n:02}", "nodule", reader, "gradcam", "hit", float(n % 24 < 12), ""), f"{n:03}")
        for reader, images in readers
        for n in images
    )
    names = [f"c{n:02}" for n in range(24)]
    return scores, pd.DataFrame({"site": ["a"] * 12 + ["b"] * 12}, index=names)


def test_readers_of_the_same_images_are_one_test() -> None:
    """A single reader's p is that of three; of these, who read the most images is tested."""
    scores, sites = read_by(("cleo", range(23)), ("anna", range(24)), ("ben", range(20)))
    rows = list(subgroup_rows(scores, sites, ASKED, minimum=5))
    assert [row["reader"] for row in rows] == ["anna", "anna", "ben", "ben", "cleo", "cleo"]
    assert [row["estimate"] for row in rows] == [1, 0] * 3
    (alone, _) = subgroup_rows(scores[scores["reader"] == "anna"], sites, ASKED, minimum=5)
    assert rows[0] == alone
    assert alone["corrected_p"] == pytest.approx(2 / comb(24, 12))
    for row in rows[2:]:
        assert (row["p"], row["corrected_p"], row["differs"]) == (None, None, None)
        assert row["difference"] in {1, -1}


def test_readers_who_divided_the_images_are_one_test_of_all_images() -> None:
    """Each read one site, so neither alone can compare the two."""
    scores, sites = read_by(("anna", range(11)), ("ben", range(10, 24)))
    rows = list(subgroup_rows(scores, sites, ASKED, minimum=5))
    assert [(row["reader"], row["group"], row["n"], row["differs"]) for row in rows] == [
        ("anna", "a", 11, None), ("ben", "a", 2, None), ("ben", "b", 12, None),
        ("one per image", "a", 12, 1), ("one per image", "b", 12, 1),
    ]  # fmt: skip
    assert rows[3]["p"] == pytest.approx(2 / comb(24, 12))
    assert {row["difference"] for row in rows[:3]} == {None}


def test_of_two_readers_of_an_image_the_one_with_more_images_counts_unless_there_is_a_consensus() -> None:
    """Ben sees a miss in every image; he read 14, anna 11, and a majority holds for 3."""
    scores, sites = read_by(("anna", range(11)), ("ben", range(10, 24)), ("majority", range(9, 12)))
    scores.loc[scores["reader"] == "ben", "value"] = 0.0
    site_a = next(row for row in subgroup_rows(scores, sites, ASKED, minimum=5) if row["p"] is not None)
    assert (site_a["reader"], site_a["n"], site_a["estimate"]) == ("one per image", 12, 1.0)
    without = scores[scores["reader"] != "majority"]
    site_a = next(row for row in subgroup_rows(without, sites, ASKED, minimum=5) if row["p"] is not None)
    assert site_a["estimate"] == 10 / 12


def test_the_first_image_of_a_patient_is_the_first_of_the_study_set_whoever_read_it() -> None:
    """Each patient has two images, one of each reader."""
    scores, sites = read_by(("anna", range(0, 24, 2)), ("ben", range(1, 24, 2)))
    scores = scores.assign(
        patient=[f"{int(case[1:]) // 2:02}" for case in scores["case_id"]],
        value=[float(int(case[1:]) % 2 == 0 and int(case[1:]) < 12) for case in scores["case_id"]],
    )
    ben_first = pd.concat([scores[scores["reader"] == "ben"], scores[scores["reader"] == "anna"]])
    for given in (scores, ben_first):
        row = next(row for row in subgroup_rows(given, sites, ASKED, minimum=5) if row["p"] is not None)
        assert row["p"] == pytest.approx(2 / comb(12, 6))  # 6 of 6 against 0 of 6


@pytest.fixture
def predicted(tmp_path: Path) -> pd.DataFrame:
    """Forty images of two sites; at the second, the probabilities are turned."""
    random = np.random.default_rng(3)
    label = [int(n % 2) for n in range(40)]
    chance = [float(np.clip(0.3 + 0.4 * y + random.normal(0, 0.15), 0, 1)) for y in label]
    chance = [p if n < 20 else 1 - p for n, p in enumerate(chance)]
    known = {f"c{n:02}": (chance[n], label[n]) for n in range(40)}
    known["c40"] = (0.5, None)
    rows = [(case, "gradcam", "hit", 1.0) for case in known]
    return read_predictions(write_run(tmp_path / "run", rows, probabilities=known))


def test_the_auroc_of_each_group_is_compared_with_that_of_the_others(predicted: pd.DataFrame) -> None:
    sites = pd.DataFrame({"site": ["a"] * 20 + ["b"] * 21}, index=[f"c{n:02}" for n in range(41)])
    rows = list(classifier_rows(predicted, sites, ASKED, minimum=10))
    assert [(row["metric"], row["group"], row["n"]) for row in rows] == [
        (metric, site, 20) for metric in ("auroc", "brier", "calibration_in_the_large") for site in "ab"
    ]
    assert {(row["reader"], row["method"]) for row in rows} == {("labels", "classifier")}
    known = predicted[predicted["label"].notna()]
    for row in rows[:2]:
        part = known[:20] if row["group"] == "a" else known[20:]
        assert row["estimate"] == pytest.approx(roc_auc_score(part["label"], part["probability"]))
    assert rows[0]["difference"] == pytest.approx(rows[0]["estimate"] - rows[1]["estimate"])
    assert rows[0]["p"] < 1e-6
    assert (rows[0]["differs"], rows[2]["differs"]) == (1, 1)
    assert rows[2]["estimate"] == pytest.approx(
        brier_score_loss(known["label"][:20], known["probability"][:20])
    )
    assert rows[4]["estimate"] == pytest.approx(known["probability"][:20].mean() - 0.5)


def test_a_group_of_one_class_has_no_auroc_but_a_calibration(predicted: pd.DataFrame) -> None:
    parts = pd.DataFrame({"part": [f"{n % 2}" for n in range(41)]}, index=[f"c{n:02}" for n in range(41)])
    rows = list(classifier_rows(predicted, parts, ASKED, minimum=10))
    assert [row["estimate"] is None for row in rows] == [True, True, False, False, False, False]
    assert [row["corrected_p"] is None for row in rows] == [True, True, False, False, False, False]


def test_without_labels_there_are_no_rows_of_a_classifier(predicted: pd.DataFrame) -> None:
    parts = pd.DataFrame({"part": ["x"] * 41}, index=[f"c{n:02}" for n in range(41)])
    assert list(classifier_rows(predicted[40:], parts, ASKED, minimum=10)) == []
