"""Operating points: the thresholds in a weights file, taken over or compared with the model card's."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from pipeline.classifiers.card import ModelCard
from pipeline.errors import ConfigError
from pipeline.records import Notice

ROUNDING = 5e-3
"""Largest difference between two thresholds of which one was rounded to two decimals."""
DIGITS = 7
"""Significant digits of a number in single precision, as the file has them."""
MOST_NAMED = 5
"""Number of findings that a message names; the others are only counted."""


def with_thresholds(
    card: ModelCard, points: Sequence[float], weights: Path
) -> tuple[ModelCard, tuple[Notice, ...]]:
    """The card with `points` (torchxrayvision's op_threshs, one per output) if it leaves them to the file.

    Otherwise its own thresholds are compared with them. Raises ConfigError if a finding would have none.
    """
    if card.operating_thresholds:
        return card, threshold_notices(points, card)
    remedy = "state the thresholds in the model card, under operating_thresholds"
    if len(points) != len(card.outputs):
        raise ConfigError(
            f"{weights}: holds {len(points)} operating points (op_threshs), wanted one for each of the "
            f"{len(card.outputs)} findings, because the card says operating_thresholds: file; {remedy}"
        )
    thresholds = card.of_findings([float(f"{point:.{DIGITS}g}") for point in points])
    unknown = [finding for finding, point in thresholds.items() if not 0 <= point <= 1]
    if unknown:
        raise ConfigError(
            f"{weights}: holds no operating point (op_threshs) within 0 … 1 for {_listed(unknown)}, but the "
            f"card says operating_thresholds: file; {remedy}"
        )
    shown = _listed([f"{finding} {point:.4g}" for finding, point in thresholds.items()])
    message = f"The thresholds are the operating points (op_threshs) of the weights file: {shown}."
    notice = Notice("guess", "operating_thresholds", _without_names(message))
    return card.model_copy(update={"operating_thresholds": thresholds}), (notice,)


def threshold_notices(points: Sequence[float], card: ModelCard) -> tuple[Notice, ...]:
    """A warning if `points` (torchxrayvision's op_threshs, one per output) are not the card's thresholds.

    The card's are used. A point that is not finite is of an output that was not calibrated, and is ignored.
    """
    if len(points) not in {0, len(card.outputs)}:
        return (
            _warning(
                f"The weights file holds {len(points)} operating points (op_threshs), but the card lists "
                f"{len(card.outputs)} findings; the card's operating_thresholds are used"
            ),
        )
    differing = [
        f"{finding} {point:.4g} in the file, {card.operating_thresholds[finding]:.4g} on the card"
        for finding, point in (card.of_findings(points) if points else {}).items()
        if isfinite(point) and abs(point - card.operating_thresholds[finding]) > ROUNDING
    ]
    if not differing:
        return ()
    return (
        _warning(
            "The weights file holds other operating points (op_threshs) than the card, whose "
            f"operating_thresholds are used: {_listed(differing)}; state the file's on the card if they were "
            "meant"
        ),
    )


def _listed(parts: Sequence[str]) -> str:
    more = len(parts) - MOST_NAMED
    return "; ".join(parts[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _warning(message: str) -> Notice:
    return Notice("warning", "operating_thresholds", _without_names(message))


def _without_names(message: str) -> str:
    """The message of a notice in which braces stand for themselves."""
    return message.replace("{", "{{").replace("}", "}}")
