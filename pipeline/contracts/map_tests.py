"""Contract of map tests, which judge an attribution method by its maps of a few images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.records import MapTestValue

if TYPE_CHECKING:
    from pipeline.probes.map_tests.judged import Cost, JudgedBatch

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a map test measures."""

    title: str
    """For tables: "rank correlation"."""
    better: Better
    is_share: bool = False
    """Whether each value is 0 or 1, or a share of such values, so that its mean has the bounds of a share."""


@dataclass(frozen=True, slots=True)
class MapTest:
    """A test of attribution methods: numbers for the maps of a batch of images."""

    measure: Callable[[JudgedBatch], Iterable[MapTestValue]]
    """The numbers of every image, method and finding that is judged. The same in every run."""
    cost: Callable[[Cost], int]
    """Most forward passes for a batch."""
    title: str
    """What is tested, for tables: "weights replaced by random ones"."""
    measures: Mapping[str, Measure]
    """Name in `MapTestValue.measure` → what it is."""
