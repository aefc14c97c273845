"""Measures: what tables say of numbers that are of a study set and not of a case."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Measure:
    """How a table shows a measure."""

    title: str
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""
