"""Data sheet: what the audited images are, attribute by attribute, with the number of missing values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from pipeline.reporting import words
from pipeline.run_files.columns import ATTRIBUTES

Case = Mapping[str, str]
"""A row of cases.csv."""
NUMBERS: Mapping[str, str] = {
    "age": "years", "rows": "pixels", "columns": "pixels", "spacing_row_mm": "mm", "spacing_column_mm": "mm",
}  # fmt: skip
"""Column that holds numbers → their unit."""
DATE = "shifted_study_date"
TITLES: Mapping[str, str] = {
    "age": "Age", "sex": "Sex", "view": "View", "manufacturer": "Maker of the scanner",
    "model": "Model of the scanner", DATE: "Study date, shifted", "spacing_row_mm": "Pixel spacing, rows",
    "spacing_column_mm": "Pixel spacing, columns", "rows": "Rows", "columns": "Columns",
}  # fmt: skip
EMPTY: Mapping[str, str] = {"file_format": "DICOM"}
"""Column → what an empty cell means, where it is no missing value."""
SHIFTED = "dates are 1 to 730 days before the true ones, by the same number for all studies of a patient"
MOST_VALUES = 8
"""Values of an attribute that a line names, the most frequent first."""
ORDER = ("sex", "age", "view", "laterality", "manufacturer", "model", "modality", DATE, "body_part")
"""Attributes that come first; the others follow in the order of cases.csv."""
LEAST_FOR_QUARTILES = 2
YEARS = re.compile(r"0*(\d+(?:\.\d+)?)(?:[Yy+])?")
"""An age in years, as in 54, 90+ or 054Y."""


@dataclass(frozen=True, slots=True)
class Line:
    """One attribute of the audited images."""

    column: str
    """Column of cases.csv."""
    title: str
    known: int
    missing: int
    text: str
    """Values with their counts, or median, quartiles and range; empty if no image has a value."""
    groups: int
    """Number of different values."""


def data_sheet(cases: Sequence[Case]) -> tuple[Line, ...]:
    """A line per attribute in cases.csv; attributes that no image has are lines with n missing."""
    present = {name for case in cases[:1] for name in case}
    columns = [name for name in (*ORDER, *ATTRIBUTES, *NUMBERS) if name in present]
    return tuple(
        _line(name, [case[name] or EMPTY.get(name, "") for case in cases]) for name in dict.fromkeys(columns)
    )


def by_patient(cases: Iterable[Case]) -> list[Case]:
    """The first image of each patient, in whose lines patients are counted."""
    first: dict[str, Case] = {}
    for case in cases:
        first.setdefault(case["patient_id"], case)
    return list(first.values())


def patients_line(cases: Iterable[Case]) -> str:
    """Number of patients, and of images per patient: "83 patients, 1 to 4 images each (median 2)"."""
    counts = sorted(Counter(case["patient_id"] for case in cases).values())
    if not counts:
        return ""
    patients = words.plural(len(counts), "patient")
    if counts[0] == counts[-1]:
        return f"{patients}, {words.plural(counts[0], 'image')} each"
    middle = counts[len(counts) // 2]
    return f"{patients}, {counts[0]:,} to {counts[-1]:,} images each (median {middle:,})"


def _line(column: str, cells: Sequence[str]) -> Line:
    values = [cell for cell in cells if cell]
    numbers = list(_numbers(values)) if column in NUMBERS else []
    if column == DATE:
        text = f"{min(values)} to {max(values)}; {SHIFTED}" if values else ""
    elif numbers and len(numbers) == len(values):
        text = _spread(numbers, NUMBERS[column])
    else:
        text = _counts(values)
    title = TITLES.get(column, words.spaced(column).capitalize())
    return Line(column, title, len(values), len(cells) - len(values), text, len(set(values)))


def _numbers(values: Iterable[str]) -> Iterator[float]:
    for value in values:
        if match := YEARS.fullmatch(value):
            yield float(match[1])


def _spread(numbers: Sequence[float], unit: str) -> str:
    if len(numbers) < LEAST_FOR_QUARTILES or min(numbers) == max(numbers):
        return f"{words.quantity(numbers[0])} {unit}"
    low, middle, high = quantiles(numbers, n=4, method="inclusive")
    return (
        f"median {words.quantity(middle)} {unit}, quartiles {words.quantity(low)} and "
        f"{words.quantity(high)}, "
        f"range {words.quantity(min(numbers))} to {words.quantity(max(numbers))}"
    )


def _counts(values: Sequence[str]) -> str:
    ordered = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    listed = [f"{value} {count:,}" for value, count in ordered[:MOST_VALUES]]
    if rest := ordered[MOST_VALUES:]:
        listed.append(f"{words.plural(len(rest), 'other value')} {sum(count for _, count in rest):,}")
    return ", ".join(listed)
