"""Columns: numbers of many records as arrays, and their texts as numbers of a list of texts."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

T = TypeVar("T", bound=Hashable)


class Codes(Generic[T]):
    """Numbers of different values, from 0, in the order in which they came."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}

    def __call__(self, value: T) -> int:
        """The number of a value, a new one if it is new."""
        return self._numbers.setdefault(value, len(self._numbers))

    def of_all(self, values: Sequence[Any], *, made: Callable[[Any], T]) -> list[int]:
        """The number of each value, where most are known; `made` makes equal ones to be kept of them."""
        try:
            return list(map(self._numbers.__getitem__, values))
        except KeyError:
            return [self(made(value)) for value in values]

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def in_order(self) -> list[T]:
        """The value of each number."""
        return list(self._numbers)

    def renumbered(self, other: Codes[T], numbers: array[int]) -> NDArray[np.int64]:
        """Numbers of another list as numbers of this one."""
        mine = np.array([self(value) for value in other.in_order], np.int64)
        found: NDArray[np.int64] = mine[numbers_of(numbers)]
        return found


class Cases:
    """The cases of a table, in their order, with what is resampled of each: patient or image."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.units: list[str] = []

    def position(self, case_id: str, unit: str) -> int:
        """The position of a case whose rows come one after the other."""
        if not self.ids or self.ids[-1] != case_id:
            self.ids.append(case_id)
            self.units.append(unit)
        return len(self.ids) - 1

    def extend(self, other: Cases, units: Mapping[str, str]) -> int:
        """Add other cases, with the unit of each case id; returns the position of the first."""
        first = len(self.ids)
        self.ids += other.ids
        self.units += [units[case_id] for case_id in other.ids]
        return first

    def merge(self, units: Mapping[str, str]) -> None:
        """Let units count as others: unit → the one that it counts as."""
        self.units = [units[unit] for unit in self.units]


def numbers_of(column: array[Any]) -> NDArray[Any]:
    """The numbers of a column, which must not grow while they are in use."""
    return np.frombuffer(column, column.typecode)


def extend(column: array[Any], numbers: ArrayLike) -> None:
    """Add numbers at the end of a column."""
    column.frombytes(np.asarray(numbers, column.typecode).tobytes())


def places(texts: ArrayLike) -> NDArray[np.int32]:
    """The place of each text among the sorted ones, which sorts as the text does, but faster."""
    return np.unique(np.asarray(texts, np.str_), return_inverse=True)[1].astype(np.int32)


def grouped(numbers: NDArray[Any], groups: int) -> list[NDArray[np.intp]]:
    """Positions of each number from 0 to below `groups`, ascending."""
    order = np.argsort(numbers, kind="stable")
    edges = np.searchsorted(numbers, np.arange(groups + 1), sorter=order)
    return [order[start:end] for start, end in pairwise(edges)]
