"""Frames: the tables of a finished run as pandas frames, for statistics across methods, groups and runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.cells import as_meant
from pipeline.names import HEADLINES

TEXT = ("case_id", "patient_id", "finding", "reader", "method", "metric")
ROWS = 500_000
"""Of scores.csv that are read at a time: what is not asked for never piles up."""
AGE_BANDS = {"under 20": (0, 20), "20 to 39": (20, 40), "40 to 59": (40, 60), "60 to 79": (60, 80),
             "80 and over": (80, 200)}  # fmt: skip
"""What each is called, its first year of age, and the first that is no longer in it."""


def read_cases(run: Path) -> pd.DataFrame:
    """cases.csv by case id, all text; `patient` is the patient's place in the study set.

    Patients are drawn by their place: under another key, pseudonyms are others and intervals the same.
    """
    cases = _text(pd.read_csv(run / "cases.csv", dtype=str, keep_default_na=False)).set_index("case_id")
    places = pd.factorize(cases["patient_id"])[0]
    return cases.assign(patient=[f"{place:09}" for place in places])


def places_of_images(run: Path) -> pd.Series[str]:
    """Each case's place in the study set: what is drawn where intervals are over images."""
    cases = read_cases(run)
    return pd.Series([f"{place:09}" for place in range(len(cases))], index=cases.index)


def read_scores(run: Path) -> pd.DataFrame:
    """Defined scores in the metrics that head tables, with each one's `patient`.

    `lesion` is the number of the lesion as text; empty where the score is of the whole image.
    """
    parts = pd.read_csv(
        run / "scores.csv",
        usecols=[*TEXT, "value", "lesion"],
        dtype=dict.fromkeys((*TEXT, "lesion"), str),
        keep_default_na=False,
        na_values={"value": [""]},
        chunksize=ROWS,
    )
    kept = [part[part["metric"].isin(HEADLINES) & part["value"].notna()] for part in parts]
    scores = _text(pd.concat(kept, ignore_index=True))
    return scores.assign(patient=scores["case_id"].map(read_cases(run)["patient"]))


def read_predictions(run: Path) -> pd.DataFrame:
    """predictions.csv with each one's `patient`; `label` is NaN where unknown."""
    names = ("case_id", "finding")
    found = pd.read_csv(
        run / "predictions.csv",
        usecols=[*names, "probability", "label"],
        dtype=dict.fromkeys(names, str),
        keep_default_na=False,
        na_values={"label": [""]},
    )
    return _text(found).assign(patient=found["case_id"].map(read_cases(run)["patient"]))


def banded(cases: pd.DataFrame) -> pd.DataFrame:
    """Cases with `age` in bands of 20 years; ages that are no number stay empty."""
    years = pd.to_numeric(cases["age"].str.rstrip("+"), errors="coerce")
    bands = pd.Series("", index=cases.index)
    for name, (first, beyond) in AGE_BANDS.items():
        bands = bands.mask(years.between(first, beyond, inclusive="left"), name)
    return cases.assign(age=bands)


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    """Text cells without the quote that keeps spreadsheets from taking them for a formula."""
    return frame.assign(**{name: frame[name].map(as_meant) for name in frame.columns if name in TEXT})
