"""Lesion sizes: the rows of lesion_sizes.csv as a table of the overview."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from pipeline.reporting.run_folder import RunFolder, number_of

TOO_FEW = "too few"
UNITS = {"mm2": "mm²", "image_share": "% of the image"}
PERCENT = 100

Row = Mapping[str, str]


class Third(NamedTuple):
    """A third of a finding's lesions."""

    areas: str
    """The smallest and the largest, with the unit; empty without lesions."""
    found: str
    """Share of lesions found, in percent; why not, if there is none."""
    interval: str
    n: str
    """Number of lesions."""


class Sizes(NamedTuple):
    """What one method finds of the small, medium and large lesions of a finding."""

    finding: str
    reader: str
    method: str
    against: str
    thirds: tuple[Third, ...]


def lesion_sizes(run: RunFolder) -> list[Sizes]:
    """Each of the network's methods, against each reader; none in runs of older versions."""
    shown = [row for row in run.table("lesion_sizes") if row["method"] not in run.baselines]
    return [_sizes(list(rows)) for _, rows in groupby(shown, key=_key)]


def _key(row: Row) -> tuple[str, ...]:
    return row["finding"], row["reader"], row["method"], row["kind"]


def _sizes(rows: Sequence[Row]) -> Sizes:
    finding, reader, method, kind = _key(rows[0])
    return Sizes(finding, reader, method, "boxes" if kind == "box" else "masks", tuple(_thirds(rows)))


def _thirds(rows: Sequence[Row]) -> Iterator[Third]:
    for row in rows:
        estimate, low, high = (_percent(row[key]) for key in ("estimate", "low", "high"))
        n = int(row["n"])
        yield Third(
            _areas(row),
            f"{estimate} %" if estimate else TOO_FEW if n else "–",
            f"[{low} to {high}]" if low and high else "",
            f"{n:,}",
        )


def _areas(row: Row) -> str:
    smallest, largest = number_of(row["smallest"]), number_of(row["largest"])
    if smallest is None or largest is None:
        return ""
    scale = PERCENT if row["unit"] == "image_share" else 1
    low, high = (f"{_rounded(value * scale)}" for value in (smallest, largest))
    return f"{low if low == high else f'{low}–{high}'} {UNITS[row['unit']]}"


def _rounded(area: float) -> str:
    """Two significant digits at least, without exponents."""
    if area >= 10:  # noqa: PLR2004  digits
        return f"{area:,.0f}"
    return np.format_float_positional(area, precision=2, fractional=False, trim="-")


def _percent(cell: str) -> str:
    value = number_of(cell)
    return "" if value is None else f"{PERCENT * value:.0f}"
