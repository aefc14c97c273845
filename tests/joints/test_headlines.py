"""Headlines: skill, comparisons and groups from the tables of a run, by hand-worked numbers."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.joints.frames import banded, read_cases, read_scores
from pipeline.joints.headlines import Asked, Row, comparison_rows, skill_rows, subgroup_rows
from pipeline.metrics.bootstrap import Resampling
from pipeline.store.tables import write_table
from tests.joints.runs import write_run

ASKED = Asked(["nodule"], ["gradcam"], ["center_prior", "location_prior"], Resampling(replicates=200), 1)
HITS = {"gradcam": (1, 1, 0, 1), "location_prior": (1, 0, 0, 0), "center_prior": (0, 0, 0, 0)}


def scores(run: Path, **hits: tuple[float | None, ...]) -> pd.DataFrame:
    rows = [(f"c{n}", method, "hit", hit) for method, of in hits.items() for n, hit in enumerate(of)]
    return read_scores(write_run(run, rows))


def only(rows: list[Row]) -> Row:
    (row,) = rows
    return row


def test_skill_is_the_way_from_the_location_prior_to_perfect(tmp_path: Path) -> None:
    row = only(list(skill_rows(scores(tmp_path / "run", **HITS), ASKED)))
    assert (row["measure"], row["prior"], row["ceiling"]) == ("skill", "location_prior", "perfect")
    assert row["estimate"] == pytest.approx((3 / 4 - 1 / 4) / (1 - 1 / 4))
    assert (row["n"], row["patients"]) == (4, 4)


def test_without_a_location_prior_skill_starts_at_the_centre_and_says_so(tmp_path: Path) -> None:
    hits = {method: HITS[method] for method in ("gradcam", "center_prior")}
    asked = Asked(["nodule"], ["gradcam"], ["center_prior"], ASKED.resampling)
    row = only(list(skill_rows(scores(tmp_path / "run", **hits), asked)))
    assert (row["prior"], row["estimate"]) == ("center_prior", 3 / 4)


def test_skill_is_of_the_images_that_both_are_scored_on(tmp_path: Path) -> None:
    hits = HITS | {"gradcam": (1, 1, None, 0), "location_prior": (1, 0, 1, None)}
    row = only(list(skill_rows(scores(tmp_path / "run", **hits), ASKED)))
    assert (row["n"], row["estimate"]) == (2, (1 - 1 / 2) / (1 - 1 / 2))


def test_where_readers_disagree_they_are_the_ceiling(tmp_path: Path) -> None:
    rows = [
        *((f"c{n}", "gradcam", "iou", value) for n, value in enumerate((0.5, 0.3))),
        *((f"c{n}", "location_prior", "iou", value) for n, value in enumerate((0.1, 0.1))),
        *((f"c{n}", "reader ben", "iou", value) for n, value in enumerate((0.8, 0.6))),
    ]
    found = {row["measure"]: row for row in skill_rows(read_scores(write_run(tmp_path / "run", rows)), ASKED)}
    assert found["skill"]["ceiling"] == "readers"
    assert found["skill"]["estimate"] == pytest.approx((0.4 - 0.1) / (0.7 - 0.1))
    assert found["share_of_readers"]["estimate"] == pytest.approx(0.4 / 0.7)


def test_the_share_of_readers_is_of_the_images_that_several_judged(tmp_path: Path) -> None:
    rows = [
        *((f"c{n}", "gradcam", "iou", value) for n, value in enumerate((0.4, 1.0))),
        ("c0", "reader ben", "iou", 0.8),
    ]
    row = only(list(skill_rows(read_scores(write_run(tmp_path / "run", rows)), ASKED)))
    assert (row["measure"], row["n"], row["estimate"]) == ("share_of_readers", 1, 0.5)


def test_the_first_method_is_held_against_every_other(tmp_path: Path) -> None:
    found = list(comparison_rows(scores(tmp_path / "run", **HITS), ASKED))
    assert [(row["first"], row["second"], row["difference"]) for row in found] == [
        ("gradcam", "center_prior", 3 / 4),
        ("gradcam", "location_prior", 1 / 2),
    ]
    assert [row["corrected_p"] for row in found] == [row["p"] for row in found]  # one finding each


def test_groups_are_of_the_first_method_and_few_have_no_number(tmp_path: Path) -> None:
    rows = [(f"c{n}", "gradcam", "hit", hit) for n, hit in enumerate(HITS["gradcam"])]
    ages = {"c0": "15", "c1": "64", "c2": "79", "c3": "60"}
    run = write_run(tmp_path / "run", rows, ages=ages)
    groups = banded(read_cases(run))[["age"]]
    old, young = subgroup_rows(read_scores(run), groups, ASKED, minimum=2)
    assert (young["group"], young["n"], young["too_few"], young["estimate"]) == ("under 20", 1, 1, None)
    assert (old["group"], old["n"], old["too_few"]) == ("60 to 79", 3, 0)
    assert old["estimate"] == pytest.approx(2 / 3)


def test_ages_are_put_in_bands_of_twenty_years(tmp_path: Path) -> None:
    ages = {"c0": "19", "c1": "20", "c2": "90+", "c3": "", "c4": "unknown"}
    run = write_run(tmp_path / "run", [(case, "gradcam", "hit", 1) for case in ages], ages=ages)
    assert banded(read_cases(run))["age"].tolist() == ["under 20", "20 to 39", "80 and over", "", ""]


def test_patients_are_known_by_their_place_not_their_pseudonym(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("c1", "gradcam", "hit", 1), ("c0", "gradcam", "hit", 0)])
    assert read_scores(run).set_index("case_id")["patient"].to_dict() == {
        "c0": "000000000", "c1": "000000001",
    }  # fmt: skip


def test_text_that_was_kept_from_spreadsheets_is_read_as_it_was_meant(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("=c0", "gradcam", "hit", 1)])
    assert read_scores(run)["case_id"].tolist() == ["=c0"]
    assert read_scores(run)["patient"].tolist() == ["000000000"]


def test_scores_of_single_lesions_are_paired_lesion_by_lesion(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("c0", "gradcam", "hit", 1)])
    rows = [
        {"case_id": "c0", "finding": "nodule", "reader": "anna", "method": method, "metric": "box_iou",
         "value": value, "lesion": lesion}
        for method, values in (("gradcam", (0.5, 0.1)), ("location_prior", (0.2, 0.2)))
        for lesion, value in enumerate(values, start=1)
    ]  # fmt: skip
    write_table(run, "scores.csv", rows)
    row = only(list(comparison_rows(read_scores(run), ASKED)))
    assert (row["metric"], row["n"], row["patients"]) == ("box_iou", 2, 1)
    assert row["difference"] == pytest.approx((0.3 - 0.1) / 2)


READ_TWICE = [
    *((f"c{n}", "gradcam", "iou", 0.5) for n in range(3)),
    *((f"c{n}", "location_prior", "iou", 0.1) for n in range(3)),
    ("c0", "reader ben", "iou", 0.9),
    ("c9", "reader ben", "iou", 0.0),
]


def test_readers_of_too_few_patients_are_no_ceiling(tmp_path: Path) -> None:
    scores = read_scores(write_run(tmp_path / "run", READ_TWICE))
    row = only(list(skill_rows(scores, replace(ASKED, minimum_patients=2))))
    assert (row["measure"], row["ceiling"]) == ("skill", "perfect")


def test_readers_agree_on_the_images_that_the_network_is_scored_on(tmp_path: Path) -> None:
    scores = read_scores(write_run(tmp_path / "run", READ_TWICE))
    skill, share = skill_rows(scores, ASKED)
    assert skill["estimate"] == pytest.approx((0.5 - 0.1) / (0.9 - 0.1))  # c9 has no score of the network
    assert share["estimate"] == pytest.approx(0.5 / 0.9)


def test_a_finding_without_a_location_prior_is_held_against_the_centre(tmp_path: Path) -> None:
    rows = [("c0", "gradcam", "hit", 1.0), ("c0", "center_prior", "hit", 0.0)]
    row = only(list(skill_rows(read_scores(write_run(tmp_path / "run", rows)), ASKED)))
    assert (row["prior"], row["estimate"]) == ("center_prior", 1)


def test_shares_are_tested_by_sign_and_means_by_the_bootstrap(tmp_path: Path) -> None:
    hits = [(f"c{n}", method, "hit", float(method == "gradcam" and n < 4)) for n in range(20)
            for method in ("gradcam", "location_prior")]  # fmt: skip
    row = only(list(comparison_rows(read_scores(write_run(tmp_path / "run", hits)), ASKED)))
    assert row["p"] == pytest.approx(2 * 0.5**4)  # four of four patients differ one way
