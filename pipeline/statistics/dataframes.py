"""Dataframes: read the tables of a finished run, from which all statistics over scores are made."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline.guards.csv_injection import unescape_formulas
from pipeline.records.names import HEADLINES

TEXT = ("case_id", "patient_id", "finding", "reader", "method", "metric")
AGE_BANDS = {"under 20": (0, 20), "20 to 39": (20, 40), "40 to 59": (40, 60), "60 to 79": (60, 80),
             "80 and over": (80, 200)}  # fmt: skip
"""Name → first age in years, and the first age beyond the band."""


def read_cases(run: Path) -> pd.DataFrame:
    """cases.csv by case id, all as text, with `patient`: the patient's index in the study set.

    Patients are resampled in the order of this index, so intervals do not depend on the pseudonym key.
    """
    cases = _text(pd.read_csv(run / "cases.csv", dtype=str, keep_default_na=False)).set_index("case_id")
    indexes = pd.factorize(cases["patient_id"])[0]
    return cases.assign(patient=[f"{index:09}" for index in indexes])


def image_indexes(run: Path) -> pd.Series[str]:
    """Each case's index in the study set, which is resampled if intervals are over images."""
    cases = read_cases(run)
    return pd.Series([f"{index:09}" for index in range(len(cases))], index=cases.index)


def read_scores(run: Path, *, units: Literal["patients", "images"] = "patients") -> pd.DataFrame:
    """scores.csv, one row per score, with `patient`: the index of the unit to resample, patient or image.

    `value` is NaN where a score is undefined, and `undefined_because` gives the reason. `lesion` is the
    lesion's number as text, empty for scores of the whole image.
    """
    texts = (*TEXT, "undefined_because", "lesion")
    scores = _text(
        pd.read_csv(
            run / "scores.csv",
            usecols=[*texts, "value"],
            dtype=dict.fromkeys(texts, "category") | {"case_id": str, "value": str},
            keep_default_na=False,
        ).astype(dict.fromkeys(texts, str))
    )
    exact = scores["value"].replace("", "nan").astype(float)  # read_csv of pandas 2 may miss the last bit
    scores = scores.assign(value=exact)
    unit_of_case = read_cases(run)["patient"] if units == "patients" else image_indexes(run)
    return scores.assign(patient=scores["case_id"].map(unit_of_case))


def headline_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """The defined scores of the headline metrics, by which methods, groups and runs are compared."""
    return scores[scores["metric"].isin(HEADLINES) & scores["value"].notna()]


def read_predictions(run: Path) -> pd.DataFrame:
    """predictions.csv with `patient`, the patient's index; `label` is NaN where unknown."""
    names = ("case_id", "finding")
    predictions = pd.read_csv(
        run / "predictions.csv",
        usecols=[*names, "probability", "label"],
        dtype=dict.fromkeys(names, str),
        keep_default_na=False,
        na_values={"label": [""]},
    )
    return _text(predictions).assign(patient=predictions["case_id"].map(read_cases(run)["patient"]))


def banded(cases: pd.DataFrame) -> pd.DataFrame:
    """Cases with `age` replaced by its band of 20 years; empty where the age is not a number."""
    years = pd.to_numeric(cases["age"].str.rstrip("+"), errors="coerce")
    bands = pd.Series("", index=cases.index)
    for name, (first, beyond) in AGE_BANDS.items():
        bands = bands.mask(years.between(first, beyond, inclusive="left"), name)
    return cases.assign(age=bands)


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the formula escape removed from its text columns."""
    return frame.assign(
        **{name: frame[name].map(unescape_formulas) for name in frame.columns if name in TEXT}
    )
