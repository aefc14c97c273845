"""Run lengths: masks as COCO stores them, column by column, starting with background.

`counts` is a list of runs or COCO's compressed text. They are decoded here because pycocotools 2.0.11 fills a
mask that has too few runs with uninitialised memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.annotations.masks import check_size
from pipeline.errors import CaseError
from pipeline.records import Mask, Shape

TEXT_START = 48
"""The character that means 0 in COCO's text."""
VALUE_BITS, SIGN, CONTINUED = 5, 0x10, 0x20
LONGEST_SHIFT = 35
"""Bits; runs are 32-bit numbers."""
SECOND_BEFORE = 2
"""From the fourth run on, COCO's text stores the difference to the second run before."""

LONGEST_SIDE = 2**31
"""Pixels; a size beyond it is not one."""
RUN_TYPES = ("<u1", "<u2", "<u4")
"""NumPy types of runs, of which the smallest that holds them is taken."""

NOT_RUNS = 'The mask is not run-length encoded; write it as {"size": …, "counts": …}.'


class Runs(NamedTuple):
    """One mask as it is kept until it is read, which is about as long as in the file."""

    size: Shape
    counts: bytes | None
    """The runs; None if they are not run lengths."""
    coding: str
    """Their NumPy type, or "coco" for its compressed text."""


def compact_runs(entry: Any) -> Runs | None:
    """The mask of one {"size", "counts"}, not yet checked; None if it is not one at all."""
    try:
        rows, columns = (int(length) for length in entry["size"])
        counts = entry["counts"]
        size = rows, columns
        if not all(0 <= length < LONGEST_SIDE for length in size):
            return None
        if isinstance(counts, str):
            return Runs(size, counts.encode("ascii"), "coco")
        return Runs(size, *_packed(counts))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return None


def runs_of(mask: Mask) -> dict[str, list[int]]:
    """The mask as COCO has it: {"size": [rows, columns], "counts": [runs]}."""
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}


def _packed(counts: Sequence[Any]) -> tuple[bytes | None, str]:
    """Run lengths as bytes, and their NumPy type; None instead if one is negative or too large."""
    runs = np.fromiter((int(run) for run in counts), np.int64, len(counts))
    if runs.size and runs.min() < 0:
        return None, ""
    largest = int(runs.max(initial=0))
    fitting = (coding for coding in RUN_TYPES if largest <= np.iinfo(coding).max)
    coding = next(fitting, "")
    return (runs.astype(coding).tobytes() if coding else None), coding


def decode_runs(entry: Runs | None, shape: Shape) -> Mask:
    """The mask of one {"size", "counts"}."""
    if entry is None:
        raise CaseError("not_a_mask", NOT_RUNS)
    rows, columns = entry.size
    check_size((rows, columns), shape)
    if entry.counts is None:
        raise CaseError("not_a_mask", NOT_RUNS)
    try:
        runs = _runs(entry.counts) if entry.coding == "coco" else np.frombuffer(entry.counts, entry.coding)
    except (ValueError, OverflowError) as error:
        raise CaseError("not_a_mask", NOT_RUNS) from error
    pixels = rows * columns
    if runs.min(initial=0) < 0 or runs.max(initial=0) > pixels or runs.sum(dtype=np.int64) != pixels:
        raise CaseError(
            "not_a_mask",
            f'The mask\'s runs do not add up to its {rows} × {columns} pixels; correct "size" or "counts".',
        )
    inside = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, runs).reshape(columns, rows).T)


def _runs(text: bytes) -> NDArray[np.int64]:
    """Run lengths from COCO's text: 5 bits per character, lowest first, sign in the last one's top bit."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = character - TEXT_START
        value |= (bits & (CONTINUED - 1)) << shift
        shift += VALUE_BITS
        if bits & CONTINUED:
            if shift > LONGEST_SHIFT:
                raise ValueError("a run has too many digits")
            continue
        if bits & SIGN:
            value -= 1 << shift
        runs.append(value + (runs[-SECOND_BEFORE] if len(runs) > SECOND_BEFORE else 0))
        value = shift = 0
    if shift:
        raise ValueError("the text ends within a number")
    return np.array(runs, np.int64)
