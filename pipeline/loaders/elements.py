"""Elements: values of a data set as plain numbers and as text that is safe to display."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TypeAlias

from pydicom.datadict import dictionary_description
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from pipeline.errors import CaseError
from pipeline.records import Caution

Warn: TypeAlias = Callable[[Caution], None]
"""Takes a caution about the image that is being read."""
LONGEST_TEXT = 64
"""Largest number of characters of a conformant LO element (DICOM PS3.5, 6.2)."""
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")
"""A code string (CS), PS3.5, 6.2. Anything else in such an element is free text and may name a person."""


def nobody(_caution: Caution) -> None:
    """Drop a caution, where nobody is to be warned."""


def unused(keyword: str, why: str) -> Caution:
    """The caution that an element was not used: its name and `why`, a clause such as "is not a number"."""
    return Caution("element_not_used", f"{name_of(keyword)} {why}, so it was not used")


def name_of(keyword: str) -> str:
    """The name of an element as in PS3.6: "Window Center"."""
    return dictionary_description(keyword)


def is_empty(dataset: Dataset, keyword: str) -> bool:
    """Whether the element is absent or has no value."""
    return all(part in (None, "") for part in _parts(dataset, keyword))


def text(dataset: Dataset, keyword: str) -> str:
    """The value on one line without control characters; empty if absent."""
    line = "\\".join("" if part is None else str(part) for part in _parts(dataset, keyword))
    return " ".join("".join(c if c.isprintable() else " " for c in line).split())[:LONGEST_TEXT]


def code(dataset: Dataset, keyword: str) -> str:
    """The first value of a code string; empty if absent or not a code."""
    first = text(dataset, keyword).split("\\")[0].strip().upper()
    return first if _CODE.fullmatch(first) else ""


def values(dataset: Dataset, keyword: str) -> tuple[float | None, ...]:
    """All values, None for each that is empty or not a finite number; empty if the element is absent."""
    return tuple(_finite(part) for part in _parts(dataset, keyword))


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All values; empty if absent or empty. Raises CaseError if one is not a finite number."""
    if is_empty(dataset, keyword):
        return ()
    found = tuple(value for value in values(dataset, keyword) if value is not None)
    if len(found) != len(_parts(dataset, keyword)):
        raise CaseError("decode_failed", f"{name_of(keyword)} is not a number; export the file again")
    return found


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value; None if absent. Raises as `numbers` does."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def integer(dataset: Dataset, keyword: str, *, default: int) -> int:
    """The first value, truncated to an integer; `default` if absent. Raises as `numbers` does."""
    found = number(dataset, keyword)
    return default if found is None else int(found)


def _parts(dataset: Dataset, keyword: str) -> list[object]:
    """The values as pydicom reads them; where it cannot convert them, as they are written."""
    try:
        value = dataset.get(keyword)
    except Exception:  # noqa: BLE001  whatever a converter raises
        raw = dataset.get_item(keyword)
        content = getattr(raw, "value", None)
        return list(content.decode("latin-1").split("\\")) if isinstance(content, bytes) else [""]
    if value is None:
        return []
    return list(value) if isinstance(value, MultiValue | list | tuple) else [value]


def _finite(part: object) -> float | None:
    try:
        found = float(part)  # type: ignore[arg-type]  # whatever it is
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
