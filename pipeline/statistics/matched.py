"""Matched: which contours find which lesions, by each rule of the statistics, as columns of numbers.

A row is a case judged by one reader, with the contours of one method: about 30 bytes, and as many for each
contour and lesion, where a record with its affinities takes kilobytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.lesions import Rule, matches
from pipeline.metrics.matching import Matches
from pipeline.records import Candidates, Kind, Values
from pipeline.statistics.columns import Cases, Codes, extend, grouped, numbers_of

RECALL_AT = (0.1, 0.3, 0.5)
PRECISION_AT = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""IoU thresholds at which a contour counts as finding a lesion."""
IOUS = tuple(sorted({*RECALL_AT, *PRECISION_AT}))
FIRST_IOU = 1
"""Number of the rule at the first of `IOUS`; the run's own is number 0."""

Key: TypeAlias = tuple[str, str, str, Kind]
"""(finding, reader, method, kind)."""
Rows: TypeAlias = NDArray[np.intp]
"""Positions of rows of the table."""
Bits = NDArray[np.uint16]
"""Bit n: by the rule number n of `Matched.rules`."""


class Contours(NamedTuple):
    """Contours of the chosen rows."""

    row: Rows
    """Position of the contour's row among the chosen ones."""
    number: NDArray[np.int64]
    """Within the row, from 1."""
    score: Values
    found: Bits
    """The contour is the highest-scored that matches a lesion."""
    ignored: Bits
    """The contour matches a lesion that a higher-scored one has found: no false positive."""


class Lesions(NamedTuple):
    """Lesions of the chosen rows."""

    row: Rows
    """Position of the lesion's row among the chosen ones."""
    number: NDArray[np.int64]
    """Within the row, from 1."""
    found: Bits
    """A contour matches the lesion."""
    share: Values
    """Area as a share of the image; NaN for points."""
    area_mm2: Values
    """Area; NaN for points, or if the pixel spacing is unknown."""


class Unmatched(NamedTuple):
    """Lesions and contours of the chosen rows that match nothing."""

    row: Rows
    """Position among the chosen rows."""
    is_contour: NDArray[np.bool_]
    number: NDArray[np.int64]
    """Of the lesion or contour within the row, from 1."""


@dataclass(slots=True)
class Matched:
    """Outcomes of matching, row by row in the order in which they were added."""

    rules: tuple[Rule, ...]
    """The run's own rule, then that at each of `IOUS`."""
    keys: Codes[Key] = field(default_factory=Codes)
    cases: Cases = field(default_factory=Cases)
    _case: array[int] = field(default_factory=lambda: array("I"))
    _key: array[int] = field(default_factory=lambda: array("I"))
    _contours: array[int] = field(default_factory=lambda: array("I"))
    _lesions: array[int] = field(default_factory=lambda: array("I"))
    _score: array[float] = field(default_factory=lambda: array("d"))
    _found: array[int] = field(default_factory=lambda: array("H"))
    _ignored: array[int] = field(default_factory=lambda: array("H"))
    _lesion_found: array[int] = field(default_factory=lambda: array("H"))
    _share: array[float] = field(default_factory=lambda: array("d"))
    _area_mm2: array[float] = field(default_factory=lambda: array("d"))

    @classmethod
    def by(cls, rule: Rule) -> Matched:
        """An empty table for a run's rule."""
        return cls((rule, *(Rule("iou", iou, rule.assignment) for iou in IOUS)))

    def add(self, case: Candidates, unit: str) -> None:
        """Match the contours and lesions of a case, and add the outcome."""
        self._case.append(self.cases.position(case.case_id, unit))
        self._key.append(self.keys((case.finding, case.reader, case.method, case.kind)))
        self._contours.append(len(case.scores))
        self._lesions.append(case.lesions)
        self._score.extend(case.scores)
        found, ignored, lesion_found = self._bits(case)
        self._found.extend(found)
        self._ignored.extend(ignored)
        self._lesion_found.extend(lesion_found)
        unknown = (np.nan,) * case.lesions
        self._share.extend(case.shares or unknown)
        self._area_mm2.extend(case.areas_mm2 or unknown)

    def _bits(self, case: Candidates) -> tuple[list[int], list[int], list[int]]:
        """Of each contour: found, ignored; of each lesion: found; each as bits of the rules."""
        found, ignored, lesions = [0] * len(case.scores), [0] * len(case.scores), [0] * case.lesions
        if not case.scores or not case.lesions:
            return found, ignored, lesions
        if len(case.scores) == case.lesions == 1:  # whatever the assignment, as mostly
            fits = (case.affinity[rule.criterion][0][0] >= rule.least for rule in self.rules)
            bits = sum(1 << number for number, is_match in enumerate(fits) if is_match)
            return [bits], ignored, [bits]
        by_score = sorted(range(len(case.scores)), key=lambda contour: -case.scores[contour])
        for number, rule in enumerate(self.rules):
            of_contour: Matches = matches(case, rule)
            bit = 1 << number
            for contour in by_score:
                if (lesion := of_contour[contour]) is not None:
                    (ignored if lesions[lesion - 1] & bit else found)[contour] |= bit
                    lesions[lesion - 1] |= bit
        return found, ignored, lesions

    def extend(self, other: Matched, units: Mapping[str, str]) -> None:
        """Add other cases, matched by the same rules, with the unit of each case id."""
        first = self.cases.extend(other.cases, units)
        extend(self._case, numbers_of(other._case).astype(np.int64) + first)
        extend(self._key, self.keys.renumbered(other.keys, other._key))
        for name in (
            "_contours",
            "_lesions",
            "_score",
            "_found",
            "_ignored",
            "_lesion_found",
            "_share",
            "_area_mm2",
        ):
            getattr(self, name).extend(getattr(other, name))

    def by_key(self) -> Iterator[tuple[Key, Rows]]:
        """The rows of each key, in their order."""
        yield from zip(self.keys.in_order, grouped(numbers_of(self._key), len(self.keys)), strict=True)

    def rows_of(self, methods: Collection[str]) -> Rows:
        """All rows of these methods, in their order."""
        chosen = np.array([method in methods for _, _, method, _ in self.keys.in_order], np.bool_)
        return np.flatnonzero(chosen[numbers_of(self._key)])

    def keys_of(self, rows: Rows) -> list[Key]:
        """The key of each row."""
        keys = self.keys.in_order
        return [keys[number] for number in numbers_of(self._key)[rows]]

    def ids_of(self, rows: Rows) -> list[str]:
        """The case id of each row."""
        return [self.cases.ids[case] for case in numbers_of(self._case)[rows]]

    def units_of(self, rows: Rows) -> list[str]:
        """What is resampled, of each row."""
        return [self.cases.units[case] for case in numbers_of(self._case)[rows]]

    def lesion_counts(self, rows: Rows) -> NDArray[np.int64]:
        """Number of lesions of each row."""
        return numbers_of(self._lesions)[rows].astype(np.int64)

    def contours(self, rows: Rows) -> Contours:
        """The contours of these rows, in their order."""
        row, number, position = _within(numbers_of(self._contours), rows)
        score, found, ignored = (
            numbers_of(column)[position] for column in (self._score, self._found, self._ignored)
        )
        return Contours(row, number, score, found, ignored)

    def lesions(self, rows: Rows) -> Lesions:
        """The lesions of these rows, in their order."""
        row, number, position = _within(numbers_of(self._lesions), rows)
        found, share, area_mm2 = (
            numbers_of(column)[position] for column in (self._lesion_found, self._share, self._area_mm2)
        )
        return Lesions(row, number, found, share, area_mm2)

    def unmatched(self, rows: Rows) -> Unmatched:
        """What the run's rule leaves over of these rows.

        Row by row: lesions that no contour matches, then contours that match no lesion.
        """
        contours, lesions = self.contours(rows), self.lesions(rows)
        false = ((contours.found | contours.ignored) & 1) == 0
        missed = (lesions.found & 1) == 0
        row = np.concatenate([lesions.row[missed], contours.row[false]])
        is_contour = np.repeat([False, True], [missed.sum(), false.sum()])
        number = np.concatenate([lesions.number[missed], contours.number[false]])
        order = np.lexsort((number, is_contour, row))
        return Unmatched(row[order], is_contour[order], number[order])


def _within(counts: NDArray[np.uint32], rows: Rows) -> tuple[Rows, NDArray[np.int64], Rows]:
    """Of what these rows hold: position of its row in `rows`, number in it from 1, position among all."""
    ends = np.cumsum(counts, dtype=np.int64)
    size = counts[rows].astype(np.int64)
    row = np.repeat(np.arange(len(rows)), size)
    number = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    return row, number + 1, np.repeat(ends[rows] - size, size) + number
