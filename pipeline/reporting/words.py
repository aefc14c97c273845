"""Words: numbers, codes and names as text for the report."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.contracts import IMAGE_DIAGONAL
from pipeline.records import Summary

LEAST_P = 0.001
"""Smaller p-values are shown as "< 0.001"."""
RATES = frozenset(
    {
        "hit",
        "near_hit",
        "box_hit",
        "point_hit",
        "contour_on_healthy",
        "sensitivity",
        "specificity",
        "ppv",
        "npv",
    }
)
"""Metrics that are shares of images or lesions and are shown in percent."""

STANDINGS = {
    "better": "better",
    "worse": "worse",
    "no_better": "not shown to differ",
    "unknown": "too few to tell",
    "identical": "identical",
    "": "not stored",
}
"""Standing of the first method or run compared with the second → text; older versions stored none."""
NOT_CONFIRMED = "{}, not confirmed"
"""A difference whose interval excludes 0 although its corrected p-value is not significant."""
THOUSAND = 1000
"""From here on, the format `.3g` would use exponents."""
METRICS = {
    "hit": "Hit rate",
    "iou": "IoU",
    "dice": "Dice",
    "precision": "Precision",
    "recall": "Recall",
    "near_hit": "Near-hit rate",
    "energy_inside": "Energy inside",
    "rank_accuracy": "Rank accuracy",
    "box_rank_accuracy": "Box rank accuracy",
    "boundary_iou": "Boundary IoU",
    "iobb": "IoBB",
    "lesion_iou": "Lesion IoU",
    "lesion_dice": "Lesion Dice",
    "box_iou": "Box IoU",
    "box_hit": "Box hit rate",
    "point_hit": "Point hit rate",
    "contour_on_healthy": "False positives",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "ppv": "PPV",
    "npv": "NPV",
    "brier": "Brier score",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
}
SINGLE = {"hit": "Hit", "near_hit": "Near hit", "box_hit": "Box hit", "point_hit": "Point hit"}
"""Titles, for a single image, of metrics that are rates over images."""
REASONS = {
    "healthy": "the finding is absent",
    "finding_present": "the finding is present",
    "counted_as_contour_on_healthy": "the finding is absent (see false positives)",
    "not_annotated": "no reader annotated it",
    "no_heatmap": "there is no map of the finding",
    "annotation_unusable": "the annotation could not be used",
    "ambiguous_image": "several files have the name of the image",
    "ambiguous_finding": "the labels of the image name several findings",
    "not_labelled": "no label",
    "single_class": "all images have the same label",
    "no_map": "there is no map to score",
    "spacing_unknown": "the pixel spacing is unknown",
    "mask_fills_image": "the mask fills the image",
    "boxes_without_pixels": "the boxes hold the centre of no pixel",
    "predicted_negative": "predicted negative",
    "predicted_positive": "predicted positive",
}
SKIPPED_KINDS = {
    "index": "file", "annotations": "annotation", "heatmaps": "heatmap", "unread": "unread file",
}  # fmt: skip
"""Stage → kind of input that it skips; all other stages skip images."""
MINUS = "\N{MINUS SIGN}"
P_VALUE = re.compile("p ([=<]) ")


def metric_title(name: str, titles: Mapping[str, str]) -> str:
    """A metric's short name; unknown metrics keep the title that they declare."""
    return METRICS.get(name) or titles.get(name) or spaced(name)


def spaced(code: str) -> str:
    """A snake_case code with spaces."""
    return code.replace("_", " ")


def skipped_kind(stage: str) -> str:
    """The kind of input that a stage skips: "image", "file", "annotation" and so on."""
    return SKIPPED_KINDS.get(stage, "image")


def reason(code: str) -> str:
    """The reason why something is undefined or was skipped, as text."""
    return REASONS.get(code, spaced(code))


def number(value: float, metric: str) -> str:
    """A value in the format of its metric: "24 %" for rates, else "0.24"."""
    return f"{_rounded(value, metric)} %" if metric in RATES else _rounded(value, metric)


def interval(summary: Summary) -> str:
    """The interval in the format of its metric, without percent sign: "[12 to 38]"; empty without one."""
    return bounds(summary.low, summary.high, summary.metric)


def estimate(summary: Summary) -> str:
    """Estimate with interval: "24 % [12 to 38]"."""
    return with_interval(summary.estimate, summary.low, summary.high, summary.metric)


def with_interval(value: float | None, low: float | None, high: float | None, metric: str) -> str:
    """A value with its interval, in the format of its metric: "24 % [12 to 38]"; "undefined" for None."""
    if value is None:
        return "undefined"
    return f"{number(value, metric)} {bounds(low, high, metric)}".strip()


def bounds(low: float | None, high: float | None, metric: str) -> str:
    """An interval in the format of its metric: "[12 to 38]"; empty if there is none."""
    if low is None or high is None:
        return ""
    return f"[{_rounded(low, metric)} to {_rounded(high, metric)}]"


def quantity(value: float) -> str:
    """A number without a metric, to three significant digits."""
    text = f"{value:.3g}" if abs(value) < THOUSAND else f"{value:,.0f}"
    return text.replace("-", MINUS)


def emptiness(value: float | str) -> str:
    """The score of a metric if lesion or contour is empty, as text."""
    if value == IMAGE_DIAGONAL:
        return "counts as the image’s diagonal"
    return f"left out: {reason(value)}" if isinstance(value, str) else f"counts as {value:g}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 image", "2 images"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def unbroken(text: str) -> str:
    """The text with no-break spaces before percent signs and around the sign of a p-value."""
    text = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return P_VALUE.sub("p\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", text)


def p_value(p: float | None) -> str:
    """A p-value with its sign: "= 0.063", "< 0.001"; empty for None."""
    return "" if p is None else "< 0.001" if p < LEAST_P else f"= {p:.3f}"


def p_cell(text: str) -> str:
    """A p-value of a table, without its equals sign: "0.063", "< 0.001"; empty for an empty cell."""
    return p_value(float(text) if text else None).removeprefix("= ")


def side(low: float | None, high: float | None) -> str:
    """On which side of 0 an interval of a difference lies: "better", "worse", or "" if it holds 0."""
    if low is None or high is None or low <= 0 <= high:
        return ""
    return "better" if low > 0 else "worse"


def standing(code: str, low: float | None, high: float | None) -> str:
    """A standing of `STANDINGS` as text, in step with the interval of the difference beside it."""
    found = side(low, high) if code == "no_better" else ""
    return NOT_CONFIRMED.format(found) if found else STANDINGS.get(code, STANDINGS[""])


def difference(value: float, metric: str) -> str:
    """A signed difference of two values: "−43" (percentage points) for rates, else "+0.14"."""
    text = _rounded(abs(value), metric)
    return text if not float(text) else f"{'+' if value > 0 else MINUS}{text}"


def _rounded(value: float, metric: str) -> str:
    return f"{100 * value:.0f}" if metric in RATES else f"{value:.2f}".replace("-", MINUS)
