"""Judged case: the content of case.json of one finding, as far as its outcome needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MASK = {
    "finding": "nodule",
    "reader": "A",
    "kind": "mask",
    "outlines": [[[0, 0], [1, 0], [1, 1]]],
    "boxes": [],
}
BOX = {**MASK, "kind": "box", "outlines": [], "boxes": [[0, 0, 1, 1]]}
POINT = {**MASK, "kind": "point", "outlines": [], "points": [[0, 0]]}
NOTHING = {**MASK, "outlines": []}
REGION = {"finding": "nodule", "method": "cam"}


def judged(
    *,
    references: Sequence[dict[str, Any]] = (),
    drawn: bool = False,
    hits: Sequence[float] = (),
    iou: float | None = None,
    label: int | None = None,
    scores: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """A case with a nodule; `hits` are those of one reader each, `iou` is that of one reader."""
    hit_scores = [score("hit", value, reader=str(number)) for number, value in enumerate(hits)]
    overlap = [] if iou is None else [score("iou", iou)]
    return {
        "case_id": "c",
        "labels": {"nodule": label},
        "predictions": [{"finding": "nodule", "probability": 0.5, "threshold": 0.5}],
        "references": list(references),
        "regions": [REGION] if drawn else [],
        "scores": [*hit_scores, *overlap, *scores],
    }


def score(metric: str, value: float | None, *, reader: str = "A") -> dict[str, Any]:
    """A score of the nodule."""
    return {"finding": "nodule", "method": "cam", "reader": reader, "metric": metric, "value": value}
