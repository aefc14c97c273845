"""Operating points: the thresholds in a weights file, compared with those of the model card."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from pipeline.classifiers.card import ModelCard
from pipeline.records import Notice

ROUNDING = 5e-3
"""Largest difference between two thresholds of which one was rounded to two decimals."""
MOST_NAMED = 5
"""Number of findings that a message names; the others are only counted."""


def threshold_notices(points: Sequence[float], card: ModelCard) -> tuple[Notice, ...]:
    """A warning if `points` (torchxrayvision's op_threshs, one per output) are not the card's thresholds.

    The card's are used. A point that is not finite is of an output that was not calibrated, and is ignored.
    """
    findings = card.findings
    if len(points) not in {0, len(findings)}:
        return (
            _warning(
                f"The weights file holds {len(points)} operating points (op_threshs), but the card lists "
                f"{len(findings)} findings; the card's operating_thresholds are used"
            ),
        )
    differing = [
        f"{finding} {point:.4g} in the file, {card.operating_thresholds[finding]:.4g} on the card"
        for finding, point in zip(findings, points, strict=False)
        if isfinite(point) and abs(point - card.operating_thresholds[finding]) > ROUNDING
    ]
    if not differing:
        return ()
    more = len(differing) - MOST_NAMED
    named = "; ".join(differing[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return (
        _warning(
            "The weights file holds other operating points (op_threshs) than the card, whose "
            f"operating_thresholds are used: {named}; state the file's on the card if they were meant"
        ),
    )


def _warning(message: str) -> Notice:
    return Notice("warning", "operating_thresholds", message.replace("{", "{{").replace("}", "}}"))
