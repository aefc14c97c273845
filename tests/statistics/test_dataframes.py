"""Dataframes: the tables of a run as statistics read them back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.records.names import HEADLINES
from pipeline.statistics.dataframes import (
    AGE_BANDS,
    banded,
    headline_scores,
    read_cases,
    read_predictions,
    read_scores,
)
from pipeline.store.tables import write_table
from tests.statistics.runs import write_run


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


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("0", "under 20"), ("19.9", "under 20"), ("20", "20 to 39"), ("39", "20 to 39"), ("40", "40 to 59"),
        ("59", "40 to 59"), ("60", "60 to 79"), ("79", "60 to 79"), ("80", "80 and over"),
        ("199", "80 and over"), ("200", ""), ("-1", ""), ("89+", "80 and over"),
    ],
)  # fmt: skip
def test_an_age_on_a_border_is_in_the_band_that_begins_there(tmp_path: Path, age: str, band: str) -> None:
    run = write_run(tmp_path / "run", [("c0", "gradcam", "hit", 1)], ages={"c0": age})
    assert banded(read_cases(run))["age"].tolist() == [band]


def test_bands_follow_each_other_without_a_gap() -> None:
    bands = list(AGE_BANDS.values())
    assert bands[0][0] == 0
    assert [first for first, _ in bands[1:]] == [beyond for _, beyond in bands[:-1]]


def test_other_columns_are_kept_beside_the_bands(tmp_path: Path) -> None:
    cases = read_cases(write_run(tmp_path / "run", [("c0", "gradcam", "hit", 1)], ages={"c0": "61"}))
    assert banded(cases).columns.tolist() == cases.columns.tolist()
    assert banded(cases)["patient_id"].tolist() == ["of c0"]


def of_one_patient(run: Path) -> Path:
    """Images c0 and c1 of one patient, c2 of another, whose pseudonym comes first by name."""
    write_run(run, [(f"c{n}", "gradcam", "hit", 1) for n in range(3)])
    cases = [("c0", "patient-z"), ("c1", "patient-z"), ("c2", "patient-a")]
    write_table(run, "cases.csv", [{"case_id": c, "patient_id": p} for c, p in cases])
    return run


def test_images_of_one_patient_share_its_place_in_the_order_of_the_study_set(tmp_path: Path) -> None:
    run = of_one_patient(tmp_path / "run")
    places = ["000000000", "000000000", "000000001"]
    assert read_cases(run)["patient"].tolist() == places
    assert read_scores(run)["patient"].tolist() == places
    assert read_scores(run, units="patients")["patient"].tolist() == places


def test_where_images_are_resampled_each_has_its_own_place(tmp_path: Path) -> None:
    run = of_one_patient(tmp_path / "run")
    places = ["000000000", "000000001", "000000002"]
    assert read_scores(run, units="images")["patient"].tolist() == places


def test_an_undefined_score_is_nan_with_its_reason(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("c0", "gradcam", "hit", None), ("c1", "gradcam", "hit", 0.0)])
    found = read_scores(run)
    assert np.isnan(found["value"][0])
    assert found["value"][1] == 0
    assert found["undefined_because"].tolist() == ["healthy", ""]
    assert found["lesion"].tolist() == ["", ""]


def test_a_score_is_read_to_its_last_bit(tmp_path: Path) -> None:
    values = [0.1 + 0.2, 1 / 3, 2**-40, 0.7071067811865476, 5e-324]
    rows = [(f"c{n}", "gradcam", "iou", value) for n, value in enumerate(values)]
    assert read_scores(write_run(tmp_path / "run", rows))["value"].tolist() == values


@pytest.mark.parametrize("word", ["NA", "nan", "None", "null", "007"])
def test_words_that_look_like_nothing_or_like_a_number_stay_words(tmp_path: Path, word: str) -> None:
    run = write_run(tmp_path / "run", [(word, "gradcam", "hit", 1)], probabilities={word: (0.5, 1)})
    assert read_cases(run).index.tolist() == [word]
    assert read_scores(run)["case_id"].tolist() == [word]
    assert read_scores(run)["patient"].tolist() == ["000000000"]
    assert read_predictions(run)["case_id"].tolist() == [word]


def test_headlines_are_the_defined_scores_of_pointing_and_contours(tmp_path: Path) -> None:
    rows = [("c0", "gradcam", metric, 0.5) for metric in (*HEADLINES, "dice", "near_hit")]
    found = headline_scores(read_scores(write_run(tmp_path / "run", [*rows, ("c1", "gradcam", "hit", None)])))
    assert found["metric"].tolist() == list(HEADLINES)
    assert found["value"].notna().all()


def test_predictions_have_their_patient_and_an_unknown_label_is_nan(tmp_path: Path) -> None:
    chances = {"c1": (0.25, 1), "c0": (0.75, None), "c2": (0.5, 0)}
    run = write_run(tmp_path / "run", [(c, "gradcam", "hit", 1) for c in chances], probabilities=chances)
    found = read_predictions(run).set_index("case_id")
    assert found["probability"].to_dict() == {"c1": 0.25, "c0": 0.75, "c2": 0.5}
    assert np.isnan(found["label"]["c0"])
    assert (found["label"]["c1"], found["label"]["c2"]) == (1, 0)
    assert found["patient"].to_dict() == {"c0": "000000000", "c1": "000000001", "c2": "000000002"}


def test_a_pseudonym_that_was_kept_from_spreadsheets_still_finds_its_prediction(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("=c0", "gradcam", "hit", 1)], probabilities={"=c0": (0.5, 1)})
    found = read_predictions(run)
    assert found["case_id"].tolist() == ["=c0"]
