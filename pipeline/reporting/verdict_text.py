"""Verdict text: what one row of verdict.csv says, as sentences."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.records.names import CLASSIFIER, LEVEL, POINTING
from pipeline.reporting import words
from pipeline.reporting.chance import auroc_numbers
from pipeline.reporting.run_folder import RunFolder, number_of

Row = Mapping[str, str]
"""A row of verdict.csv."""

WHY: Mapping[str, str] = {
    "auroc_low": "The network hardly tells images with the finding from images without it: its AUROC is "
    "{auroc}, and 0.5 is chance. Maps of such an output cannot be judged.",
    "auroc_turned": "The network takes images without the finding for images with it: its AUROC is {auroc}. "
    "Its maps show what speaks against the finding and cannot be judged.",
    "auroc_uncertain": "Its AUROC is {auroc}, which is not shown to be above 0.5, chance, so that nothing "
    "good can be said of its maps.",
}
"""What keeps a finding from being judged by maps → conclusion."""
PLACE: Mapping[str, str] = {
    "no_better": "The finding is always at the same place, so that pointing cannot show whether the network "
    "looks at the image: {difference}.",
    "worse": "The finding is always at the same place, and the network points elsewhere: {difference}.",
}
"""Standing in pointing, where a fixed map hits nearly always → conclusion."""
NOTHING = (
    "No image with this finding was annotated and scored, so it is unknown whether the network looks in the "
    "right place."
)
PERCENT = 100
OPEN_CORRECTION = (
    "The interval is that of this finding alone and excludes 0; p, corrected for all findings tested (Holm), "
    "is above 0.05."
)
OPEN_TEST = (
    "The interval excludes 0, but the images differ in too few patients for the exact sign test behind p."
)
OPEN_LEVEL = "The interval, of {confidence:g} % confidence, excludes 0, but p is above 0.05."


def text_of(row: Row, run: RunFolder, unconfirmed: str) -> str:
    """What a row of verdict.csv says; `unconfirmed` as in `Sentence`."""
    if not row["metric"]:
        return NOTHING
    start = _result_sentence(row)
    if not row["baseline"]:
        return f"{start}. No baseline was scored, so there is nothing to compare it with."
    compared = f"{start}; {_baseline(row, run)}{_among_readers(row)}"
    return f"{compared}. {_conclusion(row, run, unconfirmed)}"


def _result_sentence(row: Row) -> str:
    metric, reader = row["metric"], f" ({row['reader']})" if int(row["readers"]) > 1 else ""
    n = int(row["n"])
    if metric in POINTING:
        targets = {"hit": "at the lesion", "box_hit": "into the radiologist’s boxes"}
        target = targets.get(metric, "near the radiologist’s points")
        return f"The network points {target} in {estimate(row)} of {words.plural(n, 'image')}{reader}"
    annotations = "the radiologist’s boxes" if metric == "box_iou" else "the radiologist’s masks"
    count = words.plural(n, "lesion" if metric == "box_iou" else "image")
    return f"Its contours overlap {annotations} with a mean IoU of {estimate(row)} over {count}{reader}"


def _baseline(row: Row, run: RunFolder) -> str:
    count = "" if row["baseline_n"] == row["n"] else f" of {int(row['baseline_n']):,}"
    verb = "does so in" if row["metric"] in POINTING else "reaches"
    return f"{run.baseline(row['baseline']).subject} {verb} {estimate(row, 'baseline_')}{count}"


def _among_readers(row: Row) -> str:
    """Agreement of the other readers with this one; empty if there are none."""
    if not row["readers_estimate"]:
        return ""
    estimate = words.number(float(row["readers_estimate"]), row["metric"])
    return f"; the readers compared with each other reach {estimate}"


def _conclusion(row: Row, run: RunFolder, unconfirmed: str) -> str:
    because = row.get("because", "")
    if because in WHY:
        return WHY[because].format(auroc=_auroc(row["finding"], run))
    if because == "same_place" and row["standing"] in PLACE:
        return PLACE[row["standing"]].format(difference=_paired_difference(row, run))
    baseline = f"a map that never saw {run.baseline(row['baseline']).unseen}"
    if row["standing"] == "unknown":
        patients = words.plural(int(row["patients"]), "patient")
        return f"The data are too few to tell the two apart ({patients})."
    return _compared(row, run, unconfirmed, baseline)


def _compared(row: Row, run: RunFolder, unconfirmed: str, baseline: str) -> str:
    difference = _paired_difference(row, run)
    if unconfirmed:
        why = _why_open(row, run)
        return f"It looks {unconfirmed} than {baseline}, which is not confirmed: {difference}. {why}"
    if row["standing"] == "no_better":
        return f"This is not shown to be better than {baseline}: {difference}."
    if row["metric"] in POINTING:
        often = "more" if row["standing"] == "better" else "less"
        return f"The network looks in the right place {often} often than {baseline}: {difference}."
    return f"Its contours fit {row['standing']} than those of {baseline}: {difference}."


def _auroc(finding: str, run: RunFolder) -> str:
    """The AUROC of a finding with its interval and number of images; "unknown" without its row."""
    wanted = (finding, CLASSIFIER, "auroc")
    rows = (row for row in run.summaries if (row.finding, row.method, row.metric) == wanted)
    return next((auroc_numbers(row) for row in rows if row.estimate is not None), "unknown")


def _own_p(row: Row, run: RunFolder) -> float | None:
    """The p-value of the comparison before correction over findings; None if it is not stored."""
    wanted = (row["finding"], row["reader"], row["metric"], row["method"], row["baseline"])
    keys = ("finding", "reader", "metric", "first", "second")
    found = (one for one in run.table("comparisons") if tuple(one[key] for key in keys) == wanted)
    return next((number_of(one["p"]) for one in found), None)


def _why_open(row: Row, run: RunFolder) -> str:
    """Why a difference whose interval excludes 0 is not confirmed."""
    own = _own_p(row, run)
    if own is None or own <= LEVEL:
        return OPEN_CORRECTION
    is_same_level = round(100 * LEVEL + run.confidence, 9) == PERCENT
    return OPEN_TEST if is_same_level else OPEN_LEVEL.format(confidence=run.confidence)


def _paired_difference(row: Row, run: RunFolder) -> str:
    """The paired difference, "difference on the same images −43 points [−62 to −20], corrected p < 0.001"."""
    metric = row["metric"]
    numbers = [number_of(row[f"difference{end}"]) for end in ("", "_low", "_high")]
    difference, low, high = (words.difference(value or 0.0, metric) for value in numbers)
    unit = " points" if metric in words.RATES else ""
    between = "" if numbers[1] is None else f" [{low} to {high}]"
    p = words.p_value(number_of(row["corrected_p"]))
    own = words.p_value(_own_p(row, run))
    alone = f"p {own}, " if own else ""
    return f"difference on the same images {difference}{unit}{between}, {alone}corrected p {p}"


def estimate(row: Row, start: str = "") -> str:
    """An estimate with its interval; `start` is that of its columns."""
    value, low, high = (number_of(row[f"{start}{name}"]) for name in ("estimate", "low", "high"))
    return words.with_interval(value, low, high, row["metric"])
