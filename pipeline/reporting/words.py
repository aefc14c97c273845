"""Words: numbers, codes and names as a reader of the report sees them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts import IMAGE_DIAGONAL
from pipeline.records import Summary

LEAST_P = 0.001
"""Smaller ones are not told apart."""
RATES = frozenset(
    {"hit", "near_hit", "box_hit", "contour_on_healthy", "sensitivity", "specificity", "ppv", "npv"}
)
"""Metrics that count images or lesions and are shown in percent; others are shown as they are."""

THOUSAND = 1000
"""From here the format g turns to exponents."""
METRICS = {
    "hit": "Hit rate",
    "iou": "IoU",
    "dice": "Dice",
    "precision": "Precision",
    "recall": "Recall",
    "near_hit": "Near-hit rate",
    "energy_inside": "Energy inside",
    "boundary_iou": "Boundary IoU",
    "iobb": "IoBB",
    "lesion_iou": "Lesion IoU",
    "lesion_dice": "Lesion Dice",
    "box_iou": "Box IoU",
    "box_hit": "Box hit rate",
    "contour_on_healthy": "Contours without the finding",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "ppv": "PPV",
    "npv": "NPV",
    "brier": "Brier score",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
}
SINGLE = {"hit": "Hit", "near_hit": "Near hit", "box_hit": "Box hit"}
"""Titles of metrics that are a rate of many images, but yes or no of one."""
METHODS = {
    "location_prior": "location prior",
    "center_prior": "centre prior",
    "random": "uniform random",
    "local_contrast": "local contrast",
}
BASELINES = {
    "location_prior": "one fixed average mask, the same for every image,",
    "center_prior": "one fixed spot in the middle of every image",
    "random": "a map of random numbers",
    "local_contrast": "the contrast of the image itself, without any network,",
}
"""As the subject of a sentence."""
SEEING = frozenset({"local_contrast"})
"""The baselines that look at the image, though not at the network."""
REASONS = {
    "healthy": "the finding is absent",
    "finding_present": "the finding is present",
    "counted_as_contour_on_healthy": "the finding is absent (see contours without the finding)",
    "not_annotated": "no reader annotated it",
    "no_heatmap": "there is no map of it",
    "annotation_unusable": "the annotation could not be used",
    "ambiguous_image": "several files have the name of the image",
    "ambiguous_finding": "the labels of the image name several findings",
    "not_labelled": "no label",
    "single_class": "all images have the same label",
    "no_map": "there is no map to score",
    "spacing_unknown": "the pixel spacing is unknown",
    "mask_fills_image": "the mask fills the image",
    "predicted_negative": "predicted negative",
    "predicted_positive": "predicted positive",
}
MINUS = "\N{MINUS SIGN}"


def metric_title(name: str, titles: Mapping[str, str]) -> str:
    """A metric's short name; what is not known here keeps the title it declares."""
    return METRICS.get(name) or titles.get(name) or spaced(name)


def method_title(name: str) -> str:
    """A method's name as tables show it."""
    return METHODS.get(name, name)


def unseen(baseline: str) -> str:
    """What a baseline never saw."""
    return "the network" if baseline in SEEING else "the image"


def spaced(code: str) -> str:
    """A code in snake_case as words."""
    return code.replace("_", " ")


def reason(code: str) -> str:
    """Why something is undefined or was skipped, in words."""
    return REASONS.get(code, spaced(code))


def number(value: float, metric: str) -> str:
    """A value in its metric's form: "24 %" for rates, else "0.24"."""
    return f"{_rounded(value, metric)} %" if metric in RATES else _rounded(value, metric)


def interval(summary: Summary) -> str:
    """The interval in its metric's form, without the percent sign: "[12–38]"; empty where there is none."""
    if summary.low is None or summary.high is None:
        return ""
    return f"[{_rounded(summary.low, summary.metric)}–{_rounded(summary.high, summary.metric)}]"


def estimate(summary: Summary) -> str:
    """Estimate and interval: "24 % [12–38]"."""
    if summary.estimate is None:
        return "undefined"
    return f"{number(summary.estimate, summary.metric)} {interval(summary)}".strip()


def quantity(value: float) -> str:
    """A number without a metric, to three significant digits."""
    text = f"{value:.3g}" if abs(value) < THOUSAND else f"{value:,.0f}"
    return text.replace("-", MINUS)


def emptiness(value: float | str) -> str:
    """What a metric is worth where something is empty, in words."""
    if value == IMAGE_DIAGONAL:
        return "counts as the image’s diagonal"
    return f"left out: {reason(value)}" if isinstance(value, str) else f"counts as {value:g}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 image", "2 images"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def p_value(p: float | None) -> str:
    """With its sign: "= 0.063", "< 0.001"; empty where there is none."""
    return "" if p is None else "< 0.001" if p < LEAST_P else f"= {p:.3f}"


def difference(value: float, metric: str) -> str:
    """How far apart two values are, with its sign: "−43" percentage points for rates, else "+0.14"."""
    text = _rounded(abs(value), metric)
    return text if not float(text) else f"{'+' if value > 0 else MINUS}{text}"


def _rounded(value: float, metric: str) -> str:
    return f"{100 * value:.0f}" if metric in RATES else f"{value:.2f}".replace("-", MINUS)
