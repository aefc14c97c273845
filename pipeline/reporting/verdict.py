"""Verdict: one finding's rows of verdict.csv as plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.records.names import POINTING
from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, number_of

Row = Mapping[str, str]
"""A row of verdict.csv."""

TITLES: Mapping[str, str] = {
    "better": "better than every baseline",
    "no_better": "not shown to be better than a baseline",
    "worse": "worse than a baseline",
    "unknown": "cannot be judged",
}
SHORT: Mapping[str, str] = {
    "better": "better", "no_better": "not shown better", "worse": "worse", "unknown": "unknown",
}  # fmt: skip
NOTHING = (
    "No image with this finding was annotated and scored, so it is unknown whether the network looks in the "
    "right place."
)
NOT_STORED = (
    "This run has no verdict.csv, because an older version of Heatproof made it. Rerun the audit to get a "
    "verdict."
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """The answer to one question of the verdict."""

    text: str
    standing: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of the audit on one finding."""

    finding: str
    standing: str
    """"better", "no_better", "worse" or "unknown"."""
    sentences: tuple[Sentence, ...]
    remark: str
    """Sentence about images without the finding; empty if there are none."""
    others: str = ""
    """Sentence about the network's other maps; empty if there is only one map."""

    @property
    def title(self) -> str:
        """The standing as text for the badge; two standings if pointing and contours differ."""
        standings = [SHORT[sentence.standing] for sentence in self.sentences]
        if len(set(standings)) > 1:
            pointing, contours = standings
            return f"pointing {pointing}, contours {contours}"
        return TITLES[self.standing]


def verdicts(run: RunFolder) -> tuple[Verdict, ...]:
    """One verdict per finding, in the order of the findings."""
    return tuple(verdict(run, finding) for finding in run.findings)


def verdict(run: RunFolder, finding: str) -> Verdict:
    """The stored verdict on the network's first method, as sentences."""
    rows = [row for row in run.table("verdict") if row["finding"] == finding]
    if not rows:
        return Verdict(finding, "unknown", (Sentence(NOT_STORED, "unknown"),), "")
    return Verdict(
        finding,
        rows[0]["verdict"],
        tuple(_sentence(row, run) for row in rows if row["standing"]),
        "".join(_absent(row) for row in rows if row["question"] == "absent"),
        _others([row for row in rows if row["question"] == "other_map"]),
    )


def _sentence(row: Row, run: RunFolder) -> Sentence:
    if not row["metric"]:
        return Sentence(NOTHING, row["standing"])
    start = _result_sentence(row)
    if not row["baseline"]:
        no_baseline = "No baseline was scored, so there is nothing to compare it with."
        return Sentence(f"{start}. {no_baseline}", row["standing"])
    compared = f"{start}; {_baseline(row, run)}{_among_readers(row)}"
    return Sentence(f"{compared}. {_conclusion(row, run)}", row["standing"])


def _result_sentence(row: Row) -> str:
    metric, reader = row["metric"], f" ({row['reader']})" if int(row["readers"]) > 1 else ""
    n = int(row["n"])
    if metric in POINTING:
        targets = {"hit": "at the lesion", "box_hit": "into the radiologist’s boxes"}
        target = targets.get(metric, "near the radiologist’s points")
        return f"The network points {target} in {_estimate(row)} of {words.plural(n, 'image')}{reader}"
    annotations = "the radiologist’s boxes" if metric == "box_iou" else "the radiologist’s masks"
    count = words.plural(n, "lesion" if metric == "box_iou" else "image")
    return f"Its contours overlap {annotations} with a mean IoU of {_estimate(row)} over {count}{reader}"


def _baseline(row: Row, run: RunFolder) -> str:
    count = "" if row["baseline_n"] == row["n"] else f" of {int(row['baseline_n']):,}"
    verb = "does so in" if row["metric"] in POINTING else "reaches"
    return f"{run.baseline(row['baseline']).subject} {verb} {_estimate(row, 'baseline_')}{count}"


def _among_readers(row: Row) -> str:
    """Agreement of the other readers with this one; empty if there are none."""
    if not row["readers_estimate"]:
        return ""
    estimate = words.number(float(row["readers_estimate"]), row["metric"])
    return f"; the readers compared with each other reach {estimate}"


def _conclusion(row: Row, run: RunFolder) -> str:
    baseline = f"a map that never saw {run.baseline(row['baseline']).unseen}"
    if row["standing"] == "unknown":
        patients = words.plural(int(row["patients"]), "patient")
        return f"The data are too few to tell the two apart ({patients})."
    difference = _paired_difference(row)
    if row["standing"] == "no_better":
        return f"This is not shown to be better than {baseline}: {difference}."
    if row["metric"] in POINTING:
        often = "more" if row["standing"] == "better" else "less"
        return f"The network looks in the right place {often} often than {baseline}: {difference}."
    return f"Its contours fit {row['standing']} than those of {baseline}: {difference}."


def _paired_difference(row: Row) -> str:
    """The paired difference: "difference on the same images −43 points [−62 to −20], corrected p < 0.001"."""
    metric = row["metric"]
    numbers = [number_of(row[f"difference{end}"]) for end in ("", "_low", "_high")]
    difference, low, high = (words.difference(value or 0.0, metric) for value in numbers)
    unit = " points" if metric in words.RATES else ""
    between = "" if numbers[1] is None else f" [{low} to {high}]"
    p = words.p_value(number_of(row["corrected_p"]))
    return f"difference on the same images {difference}{unit}{between}, corrected p {p}"


def _others(rows: Sequence[Row]) -> str:
    """A sentence about other maps of the network, because they may give the opposite result."""
    estimates = ", ".join(f"{row['method']} {_estimate(row)}" for row in rows)
    return f"The network’s other maps point at the lesion in: {estimates}." if estimates else ""


def _absent(row: Row) -> str:
    count = words.plural(int(row["n"]), "image")
    return f"On images without the finding it draws a contour in {_estimate(row)} of {count}."


def _estimate(row: Row, start: str = "") -> str:
    estimate, low, high = (number_of(row[f"{start}{name}"]) for name in ("estimate", "low", "high"))
    return words.with_interval(estimate, low, high, row["metric"])


def gate_note(run: RunFolder) -> str:
    """A sentence about the gate that baselines share; empty if contours do not depend on the prediction."""
    rules = run.rules
    closed = [finding for finding in run.findings if rules.get(finding, {}).get("gate") == "predicted"]
    if not closed:
        return ""
    findings = "a finding" if len(closed) == len(run.findings) else " or ".join(closed)
    return (
        f"Where the network does not predict {findings}, no contours are drawn and no hit is counted, not "
        "even for the baselines; contours.gate: all draws and scores every map."
    )
