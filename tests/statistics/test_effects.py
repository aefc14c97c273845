"""Headlines: skill, comparisons and groups from the tables of a run, by hand-worked numbers."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import AuditConfig
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.comparison import difference_of_means
from pipeline.statistics.dataframes import read_scores
from pipeline.statistics.effects import (
    Row,
    StatisticsOptions,
    blocks,
    comparison_rows,
    corrected,
    difference_row,
    paired,
    skill_rows,
)
from pipeline.store.tables import write_table
from tests.statistics.runs import write_run

ASKED = StatisticsOptions(
    ["nodule"], ["gradcam"], ["center_prior", "location_prior"], Resampling(replicates=200), 1
)
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
    asked = StatisticsOptions(["nodule"], ["gradcam"], ["center_prior"], ASKED.resampling)
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


def test_the_first_method_is_compared_with_every_other(tmp_path: Path) -> None:
    found = list(comparison_rows(scores(tmp_path / "run", **HITS), ASKED))
    assert [(row["first"], row["second"], row["difference"]) for row in found] == [
        ("gradcam", "center_prior", 3 / 4),
        ("gradcam", "location_prior", 1 / 2),
    ]
    assert [row["corrected_p"] for row in found] == [row["p"] for row in found]  # one finding each


def test_scores_of_single_lesions_are_paired_lesion_by_lesion(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("c0", "gradcam", "hit", 1)])
    rows = [
        {"case_id": "c0", "patient_id": "of c0", "finding": "nodule", "reader": "anna", "method": method,
         "metric": "box_iou", "value": value, "lesion": lesion}
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


def test_a_finding_without_a_location_prior_is_compared_with_the_centre(tmp_path: Path) -> None:
    rows = [("c0", "gradcam", "hit", 1.0), ("c0", "center_prior", "hit", 0.0)]
    row = only(list(skill_rows(read_scores(write_run(tmp_path / "run", rows)), ASKED)))
    assert (row["prior"], row["estimate"]) == ("center_prior", 1)


def test_shares_are_tested_by_sign_and_means_by_the_bootstrap(tmp_path: Path) -> None:
    hits = [(f"c{n}", method, "hit", float(method == "gradcam" and n < 4)) for n in range(20)
            for method in ("gradcam", "location_prior")]  # fmt: skip
    row = only(list(comparison_rows(read_scores(write_run(tmp_path / "run", hits)), ASKED)))
    assert row["p"] == pytest.approx(2 * 0.5**4)  # four of four patients differ one way


def test_a_single_score_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    scores = read_scores(write_run(tmp_path / "run", [("c0", "gradcam", "hit", 1.0)]))
    assert list(skill_rows(scores, ASKED)) == []
    assert list(comparison_rows(scores, ASKED)) == []


def test_agreement_of_readers_is_that_of_the_same_finding_metric_and_reader(tmp_path: Path) -> None:
    rows = [
        *(("c0", method, metric, 0.5) for method in ("gradcam", "reader ben") for metric in ("iou", "hit")),
        ("c0", "gradcam", "box_iou", 0.5),
    ]
    run = write_run(tmp_path / "run", rows)
    scores = read_scores(run)
    other = scores[scores["method"] == "reader ben"].assign(value=1.0)
    both = pd.concat([scores, other.assign(reader="eva"), other.assign(finding="mass")])
    found = {(row["metric"], row["reader"]): row["estimate"] for row in skill_rows(both, ASKED)}
    assert found == {("iou", "anna"): 1, ("hit", "anna"): 1}  # 0.5 of 0.5, and none of boxes


def test_a_block_keeps_cases_in_the_order_of_the_run_with_their_patients(tmp_path: Path) -> None:
    rows = [(case, method, "iou", 0.5) for case in ("c1", "c0") for method in ("gradcam", "center_prior")]
    run = write_run(tmp_path / "run", [*rows, ("c1", "reader ben", "iou", 0.75)])
    (block,) = blocks(read_scores(run), ["nodule"])
    assert (block.finding, block.reader, block.metric) == ("nodule", "anna", "iou")
    assert block.by_method.index.get_level_values("case_id").tolist() == ["c1", "c0"]
    assert set(block.by_method.columns) == {"center_prior", "gradcam"}
    assert block.patients.tolist() == [1, 0]
    assert block.ceiling is not None  # of one patient
    assert (list(block.ceiling[0]), list(block.ceiling[1])) == ([0.75], [1])
    (alone,) = blocks(read_scores(run), ["nodule"], minimum=2)
    assert alone.ceiling is None


def test_blocks_come_by_finding_as_given_then_by_reader_and_metric(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("c0", "gradcam", metric, 0.5) for metric in ("iou", "hit")])
    scores = read_scores(run)
    every = pd.concat(
        [scores.assign(finding=f, reader=r) for f in ("aorta", "mass", "nodule") for r in ("eva", "ben")]
    )
    found = [(b.finding, b.reader, b.metric) for b in blocks(every, ["nodule", "mass"])]
    assert found == [
        (finding, reader, metric)
        for finding in ("nodule", "mass", "aorta")
        for reader in ("ben", "eva")
        for metric in ("hit", "iou")
    ]


def test_a_prior_that_the_config_does_not_ask_for_is_not_where_skill_starts(tmp_path: Path) -> None:
    asked = replace(ASKED, baselines=["center_prior"])
    assert only(list(skill_rows(scores(tmp_path / "run", **HITS), asked)))["prior"] == "center_prior"
    assert list(skill_rows(scores(tmp_path / "other", **HITS), replace(ASKED, baselines=["random"]))) == []


def test_a_consensus_is_compared_with_the_agreement_of_all_its_readers(tmp_path: Path) -> None:
    """The ceiling of the majority is the mean of anna against ben and ben against anna."""
    rows = [("c0", "gradcam", "iou", 0.3), ("c0", "reader ben", "iou", 0.5)]
    found = read_scores(write_run(tmp_path / "run", rows))
    of_network, of_ben = found.iloc[:1], found.iloc[1:]
    back = of_ben.assign(method="reader anna", reader="ben", value=0.7)
    both = pd.concat([of_network, of_network.assign(reader="majority"), of_ben, back])
    shares = {row["reader"]: row["estimate"] for row in skill_rows(both, ASKED)}
    assert shares == {"anna": pytest.approx(0.3 / 0.5), "majority": pytest.approx(0.3 / 0.6)}


def test_a_difference_has_its_counts_its_means_and_the_p_value_of_its_kind() -> None:
    both = pd.DataFrame({"first": [1.0, 1, 1, 1, 0], "second": [0.0] * 5, "patient": list("abcde")})
    of_means, of_shares = (difference_row(both, ASKED.resampling, **kind) for kind in ({}, {"binary": True}))
    assert (of_means["n"], of_means["patients"]) == (5, 5)
    assert (of_means["first_estimate"], of_means["second_estimate"]) == (0.8, 0)
    bootstrapped = difference_of_means(both["first"], both["second"], list("abcde"), ASKED.resampling)
    assert (of_means["difference"], of_means["p"]) == (0.8, bootstrapped.p)
    assert of_shares["p"] == pytest.approx(2 * 0.5**4)  # four of four patients differ one way
    assert of_means["p"] != of_shares["p"]
    assert {**of_means, "p": 0} == {**of_shares, "p": 0}


def test_images_of_one_patient_are_counted_as_one_patient_and_nothing_is_tested() -> None:
    both = pd.DataFrame({"first": [1.0, 1], "second": [0.0, 0], "patient": ["a", "a"]})
    found = difference_row(both, ASKED.resampling, binary=True)
    assert (found["n"], found["patients"], found["difference"], found["p"]) == (2, 1, 1, None)


def test_of_no_common_case_there_is_no_difference() -> None:
    nothing = pd.DataFrame({"first": [], "second": [], "patient": []}, dtype=float)
    found = difference_row(nothing, ASKED.resampling, binary=True)
    assert (found["n"], found["first_estimate"], found["difference"], found["p"]) == (0, None, None, None)


def test_only_cases_with_both_scores_are_paired() -> None:
    first, second = pd.Series({"a": 1.0, "b": 0.5}), pd.Series({"b": 0.25, "c": 1.0})
    found = paired(first, second, pd.Series({"a": "p", "b": "q", "c": "r"}))
    assert found.to_dict("index") == {"b": {"first": 0.5, "second": 0.25, "patient": "q"}}


def test_p_values_are_corrected_among_rows_that_are_alike() -> None:
    rows = [{"of": of, "p": p} for of, p in (("a", 0.01), ("b", 0.04), ("a", 0.02), ("a", None), ("b", 0.5))]
    found = [row["corrected_p"] for row in corrected(rows, by=["of"])]
    assert found == [0.02, 0.08, 0.02, None, 0.5]
    assert [row["corrected_p"] for row in corrected(rows, by=[])] == [0.04, 0.08, 0.06, None, 0.5]


def test_readers_of_fewer_than_ten_patients_are_no_ceiling_unless_the_config_says_so() -> None:
    options = StatisticsOptions(["nodule"], ["gradcam"], [], Resampling())
    assert options.minimum_patients == AuditConfig().subgroups.minimum_patients == 10
