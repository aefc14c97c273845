"""Verdict: one finding's rows of verdict.csv as plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting import words
from pipeline.reporting.causal import Decisions, decisions
from pipeline.reporting.evidence import evidence_of
from pipeline.reporting.run_folder import RunFolder, number_of
from pipeline.reporting.verdict_text import Row, estimate, text_of

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
    "shortcut": "The network needs something other than lesions: its AUROC falls without it.",
    "shown": "The network uses the annotated lesions, and the map shows it.",
    "not_shown": "The network uses the annotated lesions, but the map does not show it: try another method, "
    "or an earlier layer.",
    "used": "The network uses the annotated lesions; whether the map shows it is not known.",
    "too_few": "The data do not show whether the network uses the annotated lesions.",
}
"""Conclusion → its sentence."""
USED = frozenset({"shown", "not_shown", "used"})
"""Conclusions that the output falls without the annotated lesions."""
NO_TEST: Mapping[str, str] = {
    "annotations": "Not scored: no annotations of lesions.",
    "probes": "Whether the network uses the annotated lesions was not tested (probes: off).",
    "maps": "Whether the network uses the annotated lesions cannot be tested with its maps alone.",
}
"""Why a conclusion of too little data says nothing of the data → its sentence."""
OF_AUROC: Mapping[str, str] = {
    "auroc_low": "cannot be judged: the network hardly tells it",
    "auroc_turned": "cannot be judged: the output is inverted",
    "auroc_uncertain": "cannot be judged: AUROC not shown above 0.5",
}
"""What keeps a finding from being judged by maps → title."""
UNCONFIRMED = (words.NOT_CONFIRMED.format("better"), words.NOT_CONFIRMED.format("worse"))
SAME_PLACE = "cannot be judged (always at the same place)"
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
    unconfirmed: str = ""
    """"better" or "worse" where the difference's interval excludes 0, but the corrected p does not."""
    lacks: str = ""
    """What the question lacks to be judged: "no_annotation" or "no_baseline"; empty if nothing."""

    @property
    def short(self) -> str:
        """The standing in a word or two."""
        if self.because == "same_place" and self.standing == "no_better":
            return SAME_PLACE
        return words.NOT_CONFIRMED.format(self.unconfirmed) if self.unconfirmed else SHORT[self.standing]


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
    code: str = ""
    """The conclusion as `records.names.Conclusion`; empty in older runs."""
    evidence: tuple[str, ...] = ()
    """What the conclusion rests on, as sentences."""
    against: tuple[str, ...] = ()
    """What was found that contradicts the conclusion, as sentences."""

    decided: str = ""
    """How often the decision stays without the lesions, as a sentence; empty if unknown."""

    @property
    def title(self) -> str:
        """The standing as text for the badge; two standings if pointing and contours differ."""
        limits = [OF_AUROC.get(sentence.because, "") for sentence in self.sentences]
        if self.standing == "unknown" and any(limits):
            return next(filter(None, limits))
        told = {sentence.question: sentence.short for sentence in self.sentences}
        if len(set(told.values())) > 1 or {SAME_PLACE, *UNCONFIRMED} & set(told.values()):
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
        _conclusion(run, rows[0].get("conclusion", "")),
        rows[0].get("conclusion", ""),
        evidence_of(run, finding, rows[0].get("conclusion", "")),
        _against(run, finding, rows[0].get("against", "").split()),
        decided.text if (decided := decisions_of(run, finding, rows[0].get("conclusion", ""))) else "",
    )


def untested(run: RunFolder) -> str:
    """Why the network was not asked about changed images, as a key of `NO_TEST`; empty if it was."""
    if not run.is_scored:
        return "annotations"
    if run.has_external_maps:
        return "maps"
    config = run.manifest.get("config")
    return "probes" if isinstance(config, Mapping) and config.get("probes") == "off" else ""


def decisions_of(run: RunFolder, finding: str, conclusion: str) -> Decisions | None:
    """How many decisions stay without the lesions, where the conclusion is that the output falls."""
    return decisions(run, finding) if conclusion in USED else None


def _conclusion(run: RunFolder, code: str) -> str:
    why = untested(run)
    return NO_TEST[why] if code == "too_few" and why else CONCLUSIONS.get(code, "")


def _against(run: RunFolder, finding: str, rules: Sequence[str]) -> tuple[str, ...]:
    """The sentences of the rules that contradict the conclusion."""
    return tuple(
        row["sentence"]
        for row in run.table("suspects")
        if row["rule"] in rules and row["finding"] in {finding, ALL_FINDINGS}
    )


def _sentence(row: Row, run: RunFolder) -> Sentence:
    is_open = row["standing"] == "no_better" and not row.get("because", "")
    bounds = number_of(row["difference_low"]), number_of(row["difference_high"])
    unconfirmed = words.side(*bounds) if is_open else ""
    return Sentence(
        text=text_of(row, run, unconfirmed),
        standing=row["standing"],
        question=row["question"],
        because=row.get("because", ""),
        unconfirmed=unconfirmed,
        lacks="no_annotation" if not row["metric"] else "" if row["baseline"] else "no_baseline",
    )


def _others(rows: Sequence[Row]) -> str:
    """A sentence about other maps of the network, because they may give the opposite result."""
    estimates = ", ".join(f"{row['method']} {estimate(row)}" for row in rows)
    return f"The network’s other maps point at the lesion in: {estimates}." if estimates else ""


def _absent(row: Row) -> str:
    count = words.plural(int(row["n"]), "image")
    return (
        f"On images without the finding it draws a contour, a false positive, in {estimate(row)} of {count}."
    )


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
