"""Score columns: the scores of all cases as numbers; of undefined ones, how many for which reason."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.statistics.columns import Cases, Codes, extend, grouped, numbers_of
from pipeline.statistics.summaries import Column, Key

WHOLE_IMAGE = 0
"""Stands for a score of the whole image; lesions are numbered from 1."""


@dataclass(slots=True)
class ScoreColumns:
    """The scores of cases, in their order: some 20 bytes for each that is defined."""

    cases: Cases = field(default_factory=Cases)
    keys: Codes[Key] = field(default_factory=Codes)
    undefined: Counter[tuple[Key, str]] = field(default_factory=Counter)
    """(key, reason) → number of scores."""
    _case: array[int] = field(default_factory=lambda: array("I"))
    _key: array[int] = field(default_factory=lambda: array("I"))
    _value: array[float] = field(default_factory=lambda: array("d"))
    _lesion: array[int] = field(default_factory=lambda: array("I"))

    def add(self, case_id: str, scores: Iterable[Mapping[str, Any]], unit: str) -> None:
        """Add the scores in a case's JSON."""
        case = self.cases.position(case_id, unit)
        for score in scores:
            key = Key(score["finding"], score["reader"], score["method"], score["metric"])
            number = self.keys(key)
            if score["value"] is None:
                self.undefined[key, score["undefined_because"]] += 1
                continue
            self._case.append(case)
            self._key.append(number)
            self._value.append(score["value"])
            self._lesion.append(score["lesion"] or WHOLE_IMAGE)

    def extend(self, other: ScoreColumns, units: Mapping[str, str]) -> None:
        """Add the scores of other cases, with the unit of each case id."""
        first = self.cases.extend(other.cases, units)
        extend(self._case, numbers_of(other._case).astype(np.int64) + first)
        extend(self._key, self.keys.renumbered(other.keys, other._key))
        self._value.extend(other._value)
        self._lesion.extend(other._lesion)
        self.undefined.update(other.undefined)

    def columns(self) -> dict[Key, Column]:
        """Key → its scores."""
        undefined: dict[Key, dict[str, int]] = {}
        for (key, reason), count in sorted(self.undefined.items()):
            undefined.setdefault(key, {})[reason] = count
        units = np.unique(np.array(self.cases.units, np.str_), return_inverse=True)[1].astype(np.int32)
        case, value = numbers_of(self._case), numbers_of(self._value)
        rows = grouped(numbers_of(self._key), len(self.keys))
        return {
            key: Column(value[chosen], units[case[chosen]], undefined.get(key, {}))
            for key, chosen in zip(self.keys.in_order, rows, strict=True)
        }

    def frame(self, metrics: Collection[str]) -> pd.DataFrame:
        """The defined scores of these metrics, in their order, as `dataframes.read_scores` gives them."""
        keys = self.keys.in_order
        is_wanted = np.array([key.metric in metrics for key in keys], bool)
        rows = np.flatnonzero(is_wanted[numbers_of(self._key)])
        of_row = [keys[number] for number in numbers_of(self._key)[rows]]
        cases = numbers_of(self._case)[rows]
        texts = {
            "case_id": [self.cases.ids[case] for case in cases],
            **{name: [getattr(key, name) for key in of_row] for name in Key._fields},
            "lesion": [
                "" if lesion == WHOLE_IMAGE else str(lesion) for lesion in numbers_of(self._lesion)[rows]
            ],
            "patient": [self.cases.units[case] for case in cases],
        }
        frame = pd.DataFrame({name: pd.Series(column, dtype=str) for name, column in texts.items()})
        return frame.assign(value=numbers_of(self._value)[rows])
