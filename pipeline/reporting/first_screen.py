"""First screen: one row per finding: verdict in a sentence, a hit and a miss, intervals, three numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.records import Summary, main_reader
from pipeline.records.names import ALL_FINDINGS, CLASSIFIER, OVERLAPS, POINTING
from pipeline.reporting import headline_numbers, words
from pipeline.reporting.charts import IntervalChart, finding_chart
from pipeline.reporting.examples import Example
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Row
from pipeline.reporting.typical import Pair
from pipeline.reporting.verdict import SAME_PLACE, Sentence, Verdict, decisions_of, untested, verdicts
from pipeline.reporting.verdict_sentence import FAULTS, NOT_STORED, UNSCORED, verdict_sentence

AGAINST_NETWORK = ("not_used", "shortcut")
"""Conclusions that speak against the network, wherever its map points."""
SUSPECTS: Mapping[str, str] = {
    "network": "network",
    "map": "map",
    "masks": "annotations",
    "labels": "labels",
    "card": "model card",
    "weights": "weights",
    "too_few": "too little data",
}
"""Suspect → short name."""
TERMS: Mapping[str, str] = {
    **dict.fromkeys(POINTING, "hit-rate"),
    **dict.fromkeys(OVERLAPS, "iou"),
    "auroc": "auroc",
}
"""Metric → its term in the glossary."""
CAPTIONS: Mapping[str, str] = {
    "outlined": "Typical, outlined",
    "located": "Typical, located",
    "elsewhere": "Typical, drawn elsewhere",
    "not_drawn": "Typical, nothing drawn",
}
"""Outcome of a picture → its caption."""
SHORTER: Mapping[str, str] = {
    SAME_PLACE: "always at one place",
    "unknown": "cannot be judged",
}
"""Standing in words → fewer, beside a number."""


@dataclass(frozen=True, slots=True)
class Number:
    """One of the three numbers of a finding."""

    term: str
    """Slug in the glossary."""
    title: str
    text: str
    """The estimate, or "–"."""
    interval: str
    n: str
    standing: str = ""
    """Compared with baselines, as the name of a colour; empty if it is not compared."""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A typical hit or miss, or that there is none."""

    caption: str
    example: Example | None


@dataclass(frozen=True, slots=True)
class FindingRow:
    """All that the first screen says of a finding; the verdict's sentences are a click away."""

    verdict: Verdict
    sentence: str
    tone: str
    """"better", "no-better", "worse", "fault" or "unknown": colour and mark of the row."""
    pictures: tuple[Picture, ...]
    chart: IntervalChart | None
    numbers: tuple[Number, ...]
    suspected: str
    """Whom rules suspect, in a few words; empty if nobody."""
    skill: headline_numbers.Skill | None
    limits: tuple[headline_numbers.Limit, ...]
    policy: str
    """The least favourable outcome of `limits`; empty without any."""


def first_screen(
    run: RunFolder, pairs: Mapping[str, Pair], found: Mapping[Row, Example]
) -> tuple[FindingRow, ...]:
    """One row per finding, in the order of the findings, with the pictures of its hit and its miss."""
    return tuple(_row(run, verdict, pairs.get(verdict.finding), found) for verdict in verdicts(run))


def suspected(run: RunFolder, finding: str) -> str:
    """The suspects of a finding, the strong ones first: "card (strong), labels"; empty without any.

    Where nothing was scored, too little data is no suspicion: the first screen says so itself.
    """
    rows = [
        row
        for row in run.table("suspects")
        if row["finding"] == finding and (run.is_scored or row["suspect"] != "too_few")
    ]
    strength: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row["strength"] != "strong"):
        strength.setdefault(row["suspect"], row["strength"])
    return ", ".join(
        f"{SUSPECTS[suspect]}{' (strong)' if how == 'strong' else ''}" for suspect, how in strength.items()
    )


def suspected_of_all(run: RunFolder) -> str:
    """The suspects of all findings together."""
    return suspected(run, ALL_FINDINGS)


def _row(
    run: RunFolder,
    verdict: Verdict,
    pair: Pair | None,
    found: Mapping[Row, Example],
) -> FindingRow:
    limits = headline_numbers.limits_of(run, verdict.finding)
    return FindingRow(
        verdict=verdict,
        sentence=sentence_of(run, verdict),
        tone=tone(verdict),
        pictures=tuple(_pictures(pair, found)) if pair else (),
        chart=_chart(run, verdict.finding),
        numbers=tuple(_numbers(run, verdict)),
        suspected=suspected(run, verdict.finding),
        skill=headline_numbers.skill_of(run, verdict.finding),
        limits=limits,
        policy=headline_numbers.worst(limits),
    )


def sentence_of(run: RunFolder, verdict: Verdict) -> str:
    """The verdict in a sentence of ten to fifteen words, as report, terminal and comparison say it."""
    if not run.table("verdict"):
        return NOT_STORED
    if not run.is_scored and verdict.code not in FAULTS:
        return UNSCORED
    decided = decisions_of(run, verdict.finding, verdict.code)
    partly = decided is not None and decided.mostly_stay
    return verdict_sentence(verdict.code, verdict.sentences, untested=untested(run), partly=partly)


def summary_of(run: RunFolder) -> str:
    """The run in a line: how many findings are better than every baseline, and how many are worse than one.

    Empty where nothing is judged.
    """
    if not run.is_scored or not run.table("verdict"):
        return ""
    found = verdicts(run)
    better = sum(one.standing == "better" and tone(one) == "better" for one in found)
    worse = sum(one.standing == "worse" for one in found)
    return (
        f"{better:,} of {words.plural(len(found), 'finding')} better than every baseline, "
        f"{f'{worse:,}' if worse else 'none'} worse{' than one' if worse else ''}"
    )


def tone(verdict: Verdict) -> str:
    """Colour of a row: of the fault, if any, else of the first question that is judged."""
    if verdict.code in FAULTS:
        return "fault"
    if verdict.code in AGAINST_NETWORK:
        return "worse"
    return tone_of(verdict.sentences[0]) if verdict.sentences else "unknown"


def tone_of(answer: Sentence) -> str:
    """Colour of an answer; neutral where the question cannot be judged."""
    cannot_tell = answer.because == "same_place" and answer.standing == "no_better"
    return "unknown" if cannot_tell else answer.standing.replace("_", "-")


def _pictures(pair: Pair, found: Mapping[Row, Example]) -> Iterator[Picture]:
    for row, none in zip(pair, ("No hit", "No miss"), strict=True):
        yield Picture(CAPTIONS[row.outcome], found[row]) if row else Picture(none, None)


def _chart(run: RunFolder, finding: str) -> IntervalChart | None:
    """Pointing, or for maps without a peak the fit of contours, on one axis."""
    charts = (finding_chart(run, finding, metric) for metric in (*POINTING, *OVERLAPS))
    return next((chart for chart in charts if chart), None)


def _numbers(run: RunFolder, verdict: Verdict) -> Iterator[Number]:
    """Pointing, fit of contours and AUROC."""
    rows = [row for row in run.summaries if row.finding == verdict.finding]
    answers = {answer.question: answer for answer in verdict.sentences}
    for question, metrics in (("pointing", POINTING), ("contours", OVERLAPS)):
        found = (main_reader(rows, metric, run.network or "") for metric in metrics)
        row = next((row for row in found if row), None)
        if row is not None or run.is_scored:
            yield _number(row, metrics[0], answers.get(question))
    auroc = next((row for row in rows if (row.method, row.metric) == (CLASSIFIER, "auroc") and row.n), None)
    if auroc is not None or run.is_scored:
        yield _number(auroc, "auroc", None)


def _number(row: Summary | None, metric: str, answer: Sentence | None) -> Number:
    name = row.metric if row else metric
    title = words.metric_title(name, {})
    if row is None or row.estimate is None:
        return Number(TERMS[name], title, "–", "", "0")
    return Number(
        term=TERMS[name],
        title=title,
        text=words.number(row.estimate, name),
        interval=words.interval(row),
        n=f"{row.n:,}",
        standing=tone_of(answer) if answer else "",
        words=SHORTER.get(answer.short, answer.short) if answer else "",
    )
