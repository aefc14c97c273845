"""Measures: title, direction and unit of numbers that describe a study set rather than a case."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Measure:
    """How tables label a measure."""

    title: str
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""
