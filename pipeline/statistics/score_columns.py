"""Score columns: the scores of all cases as numbers; of undefined ones, how many for which reason."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from pipeline.statistics.columns import Cases, Codes, extend, grouped, numbers_of
from pipeline.statistics.summaries import Column, Key

KEY_OF = itemgetter(*Key._fields)
"""The key of a score in a case's JSON, as a plain tuple: of hundreds in a case, few are new."""
WHOLE_IMAGE = 0
"""Stands for a score of the whole image; lesions are numbered from 1."""
Row: TypeAlias = tuple[str, Key, float | None, str, int | None]
"""(case id, key, value, reason why it is undefined, lesion)."""


@dataclass(slots=True)
class ScoreRows:
    """All scores of some cases, in their order: some 20 bytes each."""

    case_ids: Codes[str] = field(default_factory=Codes)
    keys: Codes[Key] = field(default_factory=Codes)
    reasons: Codes[str] = field(default_factory=Codes)
    """Why scores are undefined; "" for those that are defined."""
    case: array[int] = field(default_factory=lambda: array("I"))
    key: array[int] = field(default_factory=lambda: array("I"))
    reason: array[int] = field(default_factory=lambda: array("H"))
    value: array[float] = field(default_factory=lambda: array("d"))
    """NaN where undefined."""
    lesion: array[int] = field(default_factory=lambda: array("I"))

    def __len__(self) -> int:
        return len(self.value)

    def add(self, case_id: str, scores: Sequence[Mapping[str, Any]]) -> None:
        """Add the scores in a case's JSON."""
        keys = list(map(KEY_OF, scores))
        reasons = [one.get("undefined_because", "") for one in scores]
        self.case.extend([self.case_ids(case_id)] * len(keys))
        self.key.extend(self.keys.of_all(keys, made=Key._make))
        self.reason.extend(self.reasons.of_all(reasons, made=str))
        self.value.extend([np.nan if one["value"] is None else one["value"] for one in scores])
        self.lesion.extend([one.get("lesion") or WHOLE_IMAGE for one in scores])

    def __iter__(self) -> Iterator[Row]:
        ids, keys, reasons = self.case_ids.in_order, self.keys.in_order, self.reasons.in_order
        rows = zip(self.case, self.key, self.value, self.reason, self.lesion, strict=True)
        for case, key, value, reason, lesion in rows:
            yield ids[case], keys[key], None if isnan(value) else value, reasons[reason], lesion or None


@dataclass(slots=True)
class ScoreColumns:
    """The defined scores of cases, in their order: some 20 bytes each."""

    cases: Cases = field(default_factory=Cases)
    keys: Codes[Key] = field(default_factory=Codes)
    undefined: Counter[tuple[Key, str]] = field(default_factory=Counter)
    """(key, reason) → number of scores."""
    _case: array[int] = field(default_factory=lambda: array("I"))
    _key: array[int] = field(default_factory=lambda: array("I"))
    _value: array[float] = field(default_factory=lambda: array("d"))
    _lesion: array[int] = field(default_factory=lambda: array("I"))

    def extend(self, rows: ScoreRows, units: Mapping[str, str]) -> None:
        """Add the scores of other cases, with the unit of each case id."""
        first = len(self.cases.ids)
        for case_id in rows.case_ids.in_order:
            self.cases.position(case_id, units[case_id])
        value = numbers_of(rows.value)
        defined = ~np.isnan(value)
        key = self.keys.renumbered(rows.keys, rows.key)
        extend(self._case, numbers_of(rows.case)[defined].astype(np.int64) + first)
        extend(self._key, key[defined])
        extend(self._value, value[defined])
        extend(self._lesion, numbers_of(rows.lesion)[defined])
        keys, reasons = rows.keys.in_order, rows.reasons.in_order
        pairs = numbers_of(rows.key).astype(np.int64) * len(reasons) + numbers_of(rows.reason)
        for pair, count in zip(*np.unique(pairs[~defined], return_counts=True), strict=True):
            number, reason = divmod(int(pair), len(reasons))
            self.undefined[keys[number], reasons[reason]] += int(count)

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
