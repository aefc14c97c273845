"""Verdict: one finding's rows of verdict.csv as plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.records.names import ALL_FINDINGS, CLASSIFIER, POINTING
from pipeline.reporting import words
from pipeline.reporting.chance import auroc_numbers
from pipeline.reporting.evidence import evidence_of
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
CONCLUSIONS: Mapping[str, str] = {
    "weights": "The weights may be broken, or not those of this network.",
    "card": "The model card may state the preprocessing wrongly.",
    "masks": "The annotations may not belong to these images, or lie elsewhere on them.",
    "labels": "The labels may be wrong, or the outputs in another order than the card says.",
    "not_used": "The network does not use the annotated lesions.",
    "shortcut": "The network needs something that is no lesion: its AUROC falls without it.",
    "shown": "The network uses the annotated lesions, and the map shows it.",
    "not_shown": "The network uses the annotated lesions, but the map does not show it: try another method, "
    "or an earlier layer.",
    "used": "The network uses the annotated lesions; whether the map shows it is not known.",
    "too_few": "The data do not show whether the network uses the annotated lesions.",
}
"""Conclusion → its sentence."""
OF_AUROC: Mapping[str, str] = {
    "auroc_low": "cannot be judged: the network hardly tells it",
    "auroc_turned": "cannot be judged: the output is turned",
    "auroc_uncertain": "cannot be judged: AUROC not shown above 0.5",
}
"""What keeps a finding from being judged by maps → title."""
SAME_PLACE = "cannot be judged (always at the same place)"
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
NOT_STORED = (
    "This run has no verdict.csv, because an older version of Heatproof made it. Rerun the audit to get a "
    "verdict."
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """The answer to one question of the verdict."""

    text: str
    standing: str
    question: str = "pointing"
    because: str = ""
    """Why the standing says less than the comparison with baselines; see `records.names.Limit`."""

    @property
    def short(self) -> str:
        """The standing in a word or two."""
        placed = self.because == "same_place" and self.standing == "no_better"
        return SAME_PLACE if placed else SHORT[self.standing]


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
    conclusion: str = ""
    """What is at fault, or whether the network needs the lesions, as a sentence; empty in older runs."""
    evidence: tuple[str, ...] = ()
    """What the conclusion rests on, as sentences."""
    against: tuple[str, ...] = ()
    """What was found that contradicts the conclusion, as sentences."""

    @property
    def title(self) -> str:
        """The standing as text for the badge; two standings if pointing and contours differ."""
        limits = [OF_AUROC.get(sentence.because, "") for sentence in self.sentences]
        if self.standing == "unknown" and any(limits):
            return next(filter(None, limits))
        told = {sentence.question: sentence.short for sentence in self.sentences}
        if len(set(told.values())) > 1 or SAME_PLACE in told.values():
            return ", ".join(f"{question} {short}" for question, short in told.items())
        return (
            f"{' and '.join(told)} {TITLES['worse']}" if self.standing == "worse" else TITLES[self.standing]
        )


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
        CONCLUSIONS.get(rows[0].get("conclusion", ""), ""),
        evidence_of(run, finding, rows[0].get("conclusion", "")),
        _against(run, finding, rows[0].get("against", "").split()),
    )


def _against(run: RunFolder, finding: str, rules: Sequence[str]) -> tuple[str, ...]:
    """The sentences of the rules that contradict the conclusion."""
    return tuple(
        row["sentence"]
        for row in run.table("suspects")
        if row["rule"] in rules and row["finding"] in {finding, ALL_FINDINGS}
    )


def _sentence(row: Row, run: RunFolder) -> Sentence:
    return Sentence(_text(row, run), row["standing"], row["question"], row.get("because", ""))


def _text(row: Row, run: RunFolder) -> str:
    if not row["metric"]:
        return NOTHING
    start = _result_sentence(row)
    if not row["baseline"]:
        return f"{start}. No baseline was scored, so there is nothing to compare it with."
    compared = f"{start}; {_baseline(row, run)}{_among_readers(row)}"
    return f"{compared}. {_conclusion(row, run)}"


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
    because = row.get("because", "")
    if because in WHY:
        return WHY[because].format(auroc=_auroc(row["finding"], run))
    if because == "same_place" and row["standing"] in PLACE:
        return PLACE[row["standing"]].format(difference=_paired_difference(row))
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


def _auroc(finding: str, run: RunFolder) -> str:
    """The AUROC of a finding with its interval and number of images; "unknown" without its row."""
    wanted = (finding, CLASSIFIER, "auroc")
    rows = (row for row in run.summaries if (row.finding, row.method, row.metric) == wanted)
    return next((auroc_numbers(row) for row in rows if row.estimate is not None), "unknown")


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
