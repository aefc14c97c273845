"""Outcomes: what became of one finding on one image, in the words of every page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType
from typing import Any

from pipeline.records.names import POINTING
from pipeline.reporting.run_folder import Case

OUTLINED = 0.5
"""Least IoU of contours that outline the lesion; detection benchmarks count from there on."""
OVERLAPPING = 0.1
"""Least IoU of contours that locate the lesion although the map's peak is outside: the lowest threshold in
use for ChestX-ray14 (Wang et al. 2017)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome of a finding on an image."""

    text: str
    """Shown beside its mark."""
    meaning: str
    """Shown in the legend: one sentence."""
    is_scored: bool = False
    """Whether a lesion is annotated, so that the map can be right or wrong about its place."""
    is_quiet: bool = False
    """Whether nothing is right or wrong, so that lists may put several findings in one line."""


OUTCOMES: Mapping[str, Outcome] = MappingProxyType(
    {
        "elsewhere": Outcome(
            "drawn elsewhere",
            f"The finding is present and a contour is drawn, but not on the lesion: IoU below {OVERLAPPING}, "
            "and the map’s peak is outside for every reader.",
            is_scored=True,
        ),
        "not_drawn": Outcome(
            "nothing drawn",
            "The finding is present, but no contour is drawn: the network’s probability is too low, or the "
            "map has nothing to outline.",
            is_scored=True,
        ),
        "false_contour": Outcome("false contour", "The finding is absent, but a contour is drawn."),
        "located": Outcome(
            "located",
            "The finding is present and the contour finds the lesion but does not outline it: IoU below "
            f"{OUTLINED}, but at least {OVERLAPPING}, or the map’s peak is in the lesion for at least one "
            "reader.",
            is_scored=True,
        ),
        "outlined": Outcome(
            "outlined",
            f"The finding is present and the contour outlines the lesion: IoU at least {OUTLINED}.",
            is_scored=True,
        ),
        "clear": Outcome(
            "absent, none drawn", "The finding is absent and no contour is drawn.", is_quiet=True
        ),
        "unjudged": Outcome(
            "not judged",
            "Nobody annotated the finding here and no label says that it is absent, or what was annotated "
            "could not be scored.",
            is_quiet=True,
        ),
    }
)
"""Code → outcome, worst first: the order of legend, filter and worklist. IoU is the mean over readers as the
page shows it: of masks, else of boxes. Points have no IoU; maps that are contours alone have no peak."""
BY_KEY = "scores by key"
"""Key of a case under which `values` keeps its scores, of which it is asked a hundred times."""
RANK: Mapping[str, int] = MappingProxyType({code: rank for rank, code in enumerate(OUTCOMES)})
"""Code → place in `OUTCOMES`."""


def outcome_of(case: Case, finding: str, method: str | None) -> str:
    """A key of `OUTCOMES`: readers' annotations decide whether the finding is present, else the label."""
    has_contour = any((r["finding"], r["method"]) == (finding, method) for r in case["regions"])
    references = [r for r in case["references"] if r["finding"] == finding]
    if any(r["outlines"] or r["boxes"] or r.get("points") for r in references):
        return _of_lesion(case, finding, method) if has_contour else "not_drawn"
    if references or case["labels"].get(finding) == 0:
        return "false_contour" if has_contour else "clear"
    return "unjudged"


def _of_lesion(case: Case, finding: str, method: str | None) -> str:
    """The outcome where both a contour and a lesion are."""
    pointed, overlap = hits(case, finding, method), overlap_of(case, finding, method)
    if not pointed and overlap is None:
        return "unjudged"
    shown = round(overlap or 0.0, 2)  # as pages show it, so that no 0.50 is called less than 0.5
    if shown >= OUTLINED:
        return "outlined"
    return "located" if shown >= OVERLAPPING or any(pointed) else "elsewhere"


def readers_differ(case: Case, finding: str) -> bool:
    """Whether one reader sees the finding and another does not, or their masks overlap by less than half."""
    references = [r for r in case["references"] if r["finding"] == finding]
    seen = {bool(r["outlines"] or r["boxes"] or r.get("points")) for r in references}
    between = (values(case, finding, reader, "iou") for reader in {r["reader"] for r in references})
    return len(seen) > 1 or any(value < OUTLINED for overlaps in between for value in overlaps)


def overlap_of(case: Case, finding: str, method: str | None) -> float | None:
    """IoU with masks, else with boxes, mean over readers; None without either."""
    of_masks, of_boxes = (mean(values(case, finding, method, metric)) for metric in ("iou", "box_iou"))
    return of_boxes if of_masks is None else of_masks


def hits(case: Case, finding: str, method: str | None) -> list[float]:
    """1 (hit) or 0 per reader and kind of annotation, masks before boxes."""
    return [value for metric in POINTING for value in values(case, finding, method, metric)]


def values(case: Case, finding: str, method: str | None, metric: str) -> list[float]:
    """The defined scores of one metric: one per reader, or one per reader and lesion."""
    if BY_KEY not in case:
        case[BY_KEY] = _by_key(case["scores"])
    found: Mapping[tuple[str, str | None, str], list[float]] = case[BY_KEY]
    return found.get((finding, method, metric), [])


def _by_key(scores: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str | None, str], list[float]]:
    """(finding, method, metric) → the defined scores."""
    found: dict[tuple[str, str | None, str], list[float]] = {}
    for score in scores:
        if score["value"] is not None:
            found.setdefault((score["finding"], score["method"], score["metric"]), []).append(score["value"])
    return found


def mean(numbers: list[float]) -> float | None:
    """The mean; None of nothing."""
    return fmean(numbers) if numbers else None
