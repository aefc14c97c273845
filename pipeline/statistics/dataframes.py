"""Dataframes: read the tables of a finished run, from which all statistics over scores are made."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import is_float_dtype

from pipeline.guards.csv_injection import unescape_formulas
from pipeline.guards.reading import guarded, open_file
from pipeline.records.names import HEADLINES
from pipeline.run_files.columns import UNIQUE
from pipeline.run_files.damage import as_damage, damaged
from pipeline.run_files.parquet import NUMBERS, open_parquet_table, refuse_repeats, stored_table
from pipeline.run_files.tables import (
    LARGEST_BYTES,
    NOT_CSV,
    NOTHING_KNOWN,
    Known,
    check_cell,
    columns_of,
    header_of,
    read_rows,
)
from pipeline.statistics.look_alikes import merged

LOOK_ALIKES = "look_alikes.csv"
AGE_BANDS = {"under 20": (0, 20), "20 to 39": (20, 40), "40 to 59": (40, 60), "60 to 79": (60, 80),
             "80 and over": (80, 200)}  # fmt: skip
"""Name → first age in years, and the first age beyond the band."""


def read_cases(run: Path) -> pd.DataFrame:
    """cases.csv by case id, all as text, with `patient`: the patient's index in the study set.

    Patients are resampled in the order of this index, so intervals do not depend on the pseudonym key. Those
    with look-alike images count as one.
    """
    cases = _read(run / "cases.csv").set_index("case_id")
    indexes = pd.factorize(cases["patient_id"])[0]
    patients = pd.Series([f"{index:09}" for index in indexes], index=cases.index)
    return cases.assign(patient=_merged(run, patients))


def _merged(run: Path, units: pd.Series[str]) -> pd.Series[str]:
    """The units of cases, as one where look_alikes.csv joins them, which older versions did not write."""
    path = run / LOOK_ALIKES
    groups: dict[str, list[str]] = {}
    for row in read_rows(path) if path.exists() else ():
        groups.setdefault(row["group"], []).append(row["case_id"])
    return units.map(merged({str(case): unit for case, unit in units.items()}, groups.values()))


def read_scores(
    run: Path, *, units: Literal["patients", "images"] = "patients", known: Known = NOTHING_KNOWN
) -> pd.DataFrame:
    """scores.csv, one row per score, with `patient`: the index of the unit to resample, patient or image.

    `value` is NaN where a score is undefined, and `undefined_because` gives the reason. `lesion` is the
    lesion's number as text, empty for scores of the whole image. `known` are the names that columns may hold.
    """
    path, cases = run / "scores.csv", read_cases(run)
    scores = _read(path, known={**known, "case_id": cases.index})
    scores = scores.assign(value=_numbers(scores["value"]))
    defined = scores["value"].notna()
    if (odd := np.flatnonzero(defined == (scores["undefined_because"] != ""))).size:
        what = "wanted either a value or the reason why it is undefined"
        raise damaged(stored_table(path), f"row {odd[0] + 1}: value and undefined_because: {what}")
    return scores.assign(patient=scores["case_id"].map(_unit_of_case(run, cases, units)))


def _unit_of_case(run: Path, cases: pd.DataFrame, units: Literal["patients", "images"]) -> pd.Series[str]:
    """Case id → index of the patient, or of the image."""
    if units == "patients":
        return cases["patient"]
    images = pd.Series([f"{index:09}" for index in range(len(cases))], index=cases.index)
    return _merged(run, images)


def headline_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """The defined scores of the headline metrics, by which methods, groups and runs are compared."""
    headlines = scores[scores["metric"].isin(HEADLINES) & scores["value"].notna()]
    categories = headlines.select_dtypes("category").columns
    return headlines.astype(dict.fromkeys(categories, str))


def read_predictions(
    run: Path, *, units: Literal["patients", "images"] = "patients", known: Known = NOTHING_KNOWN
) -> pd.DataFrame:
    """predictions.csv with `patient`, the index of the unit to resample; `label` is NaN where unknown.

    `logit` is the probability in tables that lack logits, which ranks alike.
    """
    cases = read_cases(run)
    predictions = _read(run / "predictions.csv", known={**known, "case_id": cases.index})
    return predictions.assign(
        patient=predictions["case_id"].map(_unit_of_case(run, cases, units)),
        probability=_numbers(predictions["probability"]),
        logit=_numbers(predictions.get("logit", predictions["probability"])),
        label=_numbers(predictions["label"].astype(str)),
    )


def banded(cases: pd.DataFrame) -> pd.DataFrame:
    """Cases with `age` replaced by its band of 20 years; empty where the age is not a number."""
    years = pd.to_numeric(cases["age"].str.rstrip("+"), errors="coerce")
    bands = pd.Series("", index=cases.index)
    for name, (first, beyond) in AGE_BANDS.items():
        bands = bands.mask(years.between(first, beyond, inclusive="left"), name)
    return cases.assign(age=bands)


def _read(path: Path, *, known: Known = NOTHING_KNOWN) -> pd.DataFrame:
    """A table of a run as text, with escaped formulas restored.

    Cells hold what `run_files.columns` and `known` say; each different text of a column is checked once.
    Raises ConfigError for any other file.
    """
    if (stored := stored_table(path)) != path:
        return _read_parquet(stored, known)
    header = header_of(path)
    with as_damage(path), open_file(path, most_bytes=LARGEST_BYTES) as file, guarded("not_csv", NOT_CSV):
        warnings.simplefilter("error")  # pandas warns where it drops cells
        raw = pd.read_csv(
            file,
            dtype=str,
            keep_default_na=False,
            index_col=False,
            encoding="utf-8-sig",
            skip_blank_lines=False,
        )
    frame = pd.DataFrame({name: _checked(path, raw[name], known.get(name)) for name in header})
    repeated = frame.duplicated([*UNIQUE[path.name]])
    if repeated.any():
        row, names = int(np.argmax(repeated)) + 1, ", ".join(UNIQUE[path.name])
        raise damaged(path, f"row {row}: repeats the {names} of another row")
    return frame


def _read_parquet(path: Path, known: Known) -> pd.DataFrame:
    """A table of many rows: texts as categories, of which each is stored once, and numbers.

    One column is read at a time. Raises ConfigError for any other file, for texts that columns may not hold,
    and for rows that repeat others.
    """
    columns = columns_of(path.with_suffix(".csv"))
    frame: dict[str, pd.Series[Any]] = {}
    with open_parquet_table(path) as file:
        for name in file.schema_arrow.names:
            cells, is_number = file.read([name]).column(0), name in NUMBERS
            column = _number_column(cells) if is_number else _text_column(cells)
            for cell in _extremes(cells) if is_number else column.cat.categories:
                check_cell(path, "a row", name, cell, column=columns[name], names=known.get(name))
            frame[name] = column
        refuse_repeats(path, file)
    return pd.DataFrame(frame)


def _number_column(cells: pa.ChunkedArray) -> pd.Series[float]:
    numbers: pd.Series[float] = cells.to_pandas()
    return numbers


def _extremes(cells: pa.ChunkedArray) -> list[str]:
    """Some numbers as text, all right if every one is: the least, the greatest, and one that is neither."""
    found = [*pc.min_max(cells).as_py().values(), *([np.nan] if pc.any(pc.is_nan(cells)).as_py() else [])]
    return ["" if number is None else str(number) for number in found]


def _text_column(cells: pa.ChunkedArray) -> pd.Series[Any]:
    """Texts as categories, empty where there is none."""
    if not pa.types.is_dictionary(cells.type):
        cells = cells.cast(pa.string()).dictionary_encode()
    texts: pd.Series[Any] = cells.unify_dictionaries().to_pandas()
    if not cells.null_count:
        return texts
    wider = texts if "" in texts.cat.categories else texts.cat.add_categories("")
    return wider.fillna("")


def _numbers(cells: pd.Series[Any]) -> pd.Series[float]:
    """Cells as numbers, NaN where they are empty; read_csv of pandas 2 may miss the last bit of a number."""
    return cells if is_float_dtype(cells) else cells.replace("", "nan").astype(float)


def _checked(path: Path, cells: pd.Series[str], names: Collection[str] | None) -> pd.Series[str]:
    """A column as text. Raises ConfigError that names the first row with a wrong cell."""
    name = str(cells.name)
    if cells.isna().any():
        raise damaged(path, f"row {int(np.argmax(cells.isna())) + 1}: has too few cells")
    codes, texts = pd.factorize(cells)
    meant = [unescape_formulas(text) for text in texts]
    column = columns_of(path)[name]
    for code, cell in enumerate(meant):
        if not column.holds(cell) or (names is not None and cell not in names):
            where = f"row {int(np.argmax(codes == code)) + 1}"
            check_cell(path, where, name, cell, column=column, names=names)
    return pd.Series(np.array(meant, object)[codes], index=cells.index, dtype=str)
