"""Elements: values of a data set as plain numbers and as text that is safe to show."""

from __future__ import annotations

import math
import re

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

LONGEST_TEXT = 64
"""Characters of an LO element (DICOM PS3.5, 6.2); what is longer was never conformant."""
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")
"""A code string (CS), PS3.5, 6.2. Anything else in such an element is free text and may name somebody."""


def text(dataset: Dataset, keyword: str) -> str:
    """The value on one line without control characters; empty where absent."""
    value = dataset.get(keyword)
    if value is None:
        return ""
    parts = value if isinstance(value, MultiValue) else [value]
    line = "\\".join(str(part) for part in parts)
    return " ".join("".join(c if c.isprintable() else " " for c in line).split())[:LONGEST_TEXT]


def code(dataset: Dataset, keyword: str) -> str:
    """The first value of a code string; empty where absent or not a code."""
    first = text(dataset, keyword).split("\\")[0].strip().upper()
    return first if _CODE.fullmatch(first) else ""


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All values; empty where absent. Raises ValueError or TypeError where one is no number or not finite."""
    value = dataset.get(keyword)
    if value is None or value == "":
        return ()
    parts = value if isinstance(value, (MultiValue, list, tuple)) else [value]
    found = tuple(float(part) for part in parts)
    if not all(math.isfinite(number) for number in found):
        raise ValueError(f"{keyword} is not finite")
    return found


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value; None where absent. Raises as `numbers` does."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def integer(dataset: Dataset, keyword: str, *, default: int) -> int:
    """The first value; `default` where absent. Raises as `numbers` does."""
    found = number(dataset, keyword)
    return default if found is None else int(found)
