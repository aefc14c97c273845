"""Verdict: whether the network beats every baseline on a finding, with the numbers behind the answer.

Two questions are judged: where the map points, and how well its contours fit. Each compares the network's
first method with the strongest baseline on the same images, for the reader who annotated the most images.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records import ENOUGH_PATIENTS, Summary, main_reader
from pipeline.records.names import (
    CLASSIFIER,
    LEVEL,
    OVERLAPS,
    POINTING,
    READER_START,
    Conclusion,
    Limit,
    Question,
    Standing,
)
from pipeline.statistics.judging import Judgement, auroc_of, limited, verdict_of

ORDER: tuple[Standing, ...] = ("worse", "no_better", "better", "unknown")
"""Least favourable first: see `judging.verdict_of`."""
JUDGED: Mapping[Question, Sequence[str]] = {"pointing": POINTING, "contours": OVERLAPS}
"""Question → its metrics; the first that a finding has is used."""
HEALTHY = "contour_on_healthy"


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A row of verdict.csv: one question on one finding, with the numbers behind its answer."""

    finding: str
    verdict: Standing
    """Verdict on the finding, the same in all its rows."""
    question: Question
    standing: Standing | None = None
    """Answer to the question; None if it is only reported."""
    reader: str = ""
    readers: int = 0
    """Number of readers with an estimate."""
    method: str = ""
    metric: str = ""
    n: int = 0
    patients: int = 0
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: str = ""
    """The strongest baseline; empty if none was scored."""
    baseline_n: int | None = None
    baseline_estimate: float | None = None
    baseline_low: float | None = None
    baseline_high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    corrected_p: float | None = None
    conclusion: Conclusion = "too_few"
    """What is at fault, the same in all rows of the finding; see `statistics.conclusion`."""
    against: str = ""
    """Rules whose strong suspicions contradict the conclusion, separated by blanks."""
    readers_estimate: float | None = None
    """Mean agreement of the other readers with this reader, weighted by their numbers of images."""
    because: Limit = ""
    """Why the standing says less than the comparison; empty if it does not."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The tables that the verdict is made from."""

    summaries: Sequence[Summary]
    comparisons: Sequence[Mapping[str, Any]]
    """Rows of comparisons.csv."""
    methods: Sequence[str]
    """The network's methods; the verdict is about the first."""
    baselines: Sequence[str]


def verdict_rows(evidence: Evidence, findings: Sequence[str]) -> list[VerdictRow]:
    """Rows of verdict.csv, in the order of findings; judged questions come first."""
    return [row for finding in findings for row in _finding_rows(finding, evidence)]


def verdicts(rows: Iterable[VerdictRow]) -> dict[str, Standing]:
    """Finding → its verdict."""
    return {row.finding: row.verdict for row in rows}


def standing_of(row: Mapping[str, Any] | None) -> Standing:
    """The first method's standing in a row of comparisons.csv: better or worse only if significant.

    Higher is better for all compared metrics. None means that there is no such comparison.
    """
    if row is None or row["corrected_p"] is None or row["patients"] < ENOUGH_PATIENTS:
        return "unknown"
    if row["corrected_p"] > LEVEL:
        return "no_better"
    return "better" if row["difference"] > 0 else "worse"


def differs(row: Mapping[str, Any]) -> int | None:
    """1 if the corrected p-value is significant, 0 if not, None without a p-value."""
    return None if row["corrected_p"] is None else int(row["corrected_p"] <= LEVEL)


def _finding_rows(finding: str, evidence: Evidence) -> Iterator[VerdictRow]:
    rows = [row for row in evidence.summaries if row.finding == finding and row.method != CLASSIFIER]
    answers = {
        question: answer
        for question, metrics in JUDGED.items()
        if (answer := _network_and_baseline(rows, metrics, evidence)) is not None
    }
    auroc = auroc_of(finding, evidence.summaries)
    told = {
        question: limited(_standing(*answer, evidence), question, answer[0], _same(rows, answer[0]), auroc)
        for question, answer in answers.items()
    }
    verdict = verdict_of([(question, found.standing) for question, found in told.items()], ORDER)
    for question, (network, strongest) in answers.items():
        yield _row(finding, verdict, question, told[question], rows, network, strongest, evidence)
    if not answers:
        yield VerdictRow(finding, verdict, "pointing", "unknown")
    yield from _reported_only(finding, verdict, rows, evidence)


def _network_and_baseline(
    rows: Sequence[Summary], metrics: Iterable[str], evidence: Evidence
) -> tuple[Summary, Summary | None] | None:
    """Summaries of the network and of the strongest baseline, in the first metric that the finding has."""
    for metric in metrics:
        network = main_reader(rows, metric, evidence.methods[0]) if evidence.methods else None
        if network is not None:
            same = _same(rows, network)
            scored = [row for row in same if row.method in evidence.baselines and row.estimate is not None]
            return network, max(scored, key=lambda row: row.estimate or 0, default=None)
    return None


def _same(rows: Iterable[Summary], network: Summary) -> list[Summary]:
    """The rows of the same metric and reader."""
    return [row for row in rows if (row.metric, row.reader) == (network.metric, network.reader)]


def _standing(network: Summary, strongest: Summary | None, evidence: Evidence) -> Standing:
    return "unknown" if strongest is None else standing_of(_paired(network, strongest, evidence))


def _paired(network: Summary, baseline: Summary, evidence: Evidence) -> Mapping[str, Any] | None:
    """The row that compares the two on the same images, or None."""
    wanted = (network.finding, network.reader, network.metric, network.method, baseline.method)
    keys = ("finding", "reader", "metric", "first", "second")
    return next((row for row in evidence.comparisons if tuple(row[key] for key in keys) == wanted), None)


def _row(
    finding: str,
    verdict: Standing,
    question: Question,
    told: Judgement,
    rows: Sequence[Summary],
    network: Summary,
    strongest: Summary | None,
    evidence: Evidence,
) -> VerdictRow:
    paired = (strongest and _paired(network, strongest, evidence)) or {}
    return VerdictRow(
        finding=finding,
        verdict=verdict,
        question=question,
        standing=told.standing,
        because=told.because,
        **_result_columns(network),
        readers=len({r.reader for r in rows if r.metric == network.metric and r.estimate is not None}),
        baseline=strongest.method if strongest else "",
        baseline_n=strongest.n if strongest else None,
        baseline_estimate=strongest.estimate if strongest else None,
        baseline_low=strongest.low if strongest else None,
        baseline_high=strongest.high if strongest else None,
        difference=paired.get("difference"),
        difference_low=paired.get("difference_low"),
        difference_high=paired.get("difference_high"),
        corrected_p=paired.get("corrected_p"),
        readers_estimate=_mean_reader_agreement(rows, network),
    )


def _reported_only(
    finding: str, verdict: Standing, rows: Sequence[Summary], evidence: Evidence
) -> Iterator[VerdictRow]:
    """Rows without a standing: pointing of the other maps, and contours on images without the finding."""
    first, *others = evidence.methods or ("",)
    pointing = next(filter(None, (main_reader(rows, metric, first) for metric in POINTING)), None)
    if pointing is not None:
        by_method = {row.method: row for row in _same(rows, pointing)}
        for name in (name for name in others if name in by_method):
            yield VerdictRow(finding, verdict, "other_map", **_result_columns(by_method[name]))
    absent = main_reader(rows, HEALTHY, first)
    if absent is not None:
        yield VerdictRow(finding, verdict, "absent", **_result_columns(absent))


def _result_columns(row: Summary) -> dict[str, Any]:
    names = ("reader", "method", "metric", "n", "patients", "estimate", "low", "high")
    return {name: getattr(row, name) for name in names}


def _mean_reader_agreement(rows: Iterable[Summary], network: Summary) -> float | None:
    """Mean agreement of other readers with the reader of `network`, weighted by their numbers of images."""
    found = [(r.estimate, r.n) for r in _same(rows, network) if r.method.startswith(READER_START)]
    known = [(estimate, n) for estimate, n in found if estimate is not None]
    if not known:
        return None
    return sum(estimate * n for estimate, n in known) / sum(n for _, n in known)
