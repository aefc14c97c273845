"""Tables: the rows of review.csv and review-summary.csv."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.records import Summary
from pipeline.records.names import ALL_FINDINGS
from pipeline.review.agreement import Agreement
from pipeline.review.corrected import Pair
from pipeline.review.decisions import ANSWERS, Decision, Decisions, Given
from pipeline.review.merging import Reviewed, disputed
from pipeline.review.reading_scores import ByCase, ReadingScore
from pipeline.review.timing import Timing

READING = "reading"
"""Kind, in review.csv, of rows about what readers marked before they saw the network."""
NOTHING = "nothing"
OF_SUMMARY = ("finding", "reader", "method", "metric", "n", "patients", "estimate", "low", "high")
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one reviewer came."""

    answered: int
    asked: int
    second: int
    """Second looks among the `disputed` questions that this reviewer answered."""
    disputed: int
    readings: int


@dataclass(frozen=True, slots=True)
class Merged:
    """Everything that the tables list."""

    files: tuple[Decisions, ...]
    """One per reviewer."""
    reviewed: tuple[Reviewed, ...]
    """The contours and missed lesions that somebody answered."""
    open: tuple[Reviewed, ...]
    """Those that nobody answered."""
    readings: ByCase
    patients: Mapping[str, str]
    """Case id → patient."""
    agreements: tuple[Agreement, ...]
    timings: tuple[Timing, ...]
    reading_scores: tuple[ReadingScore, ...]
    pairs: tuple[Pair, ...]

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Names, sorted."""
        return tuple(decisions.reviewer for decisions in self.files)

    @property
    def asked(self) -> int:
        """Number of contours and missed lesions."""
        return len(self.reviewed) + len(self.open)

    def progress(self) -> dict[str, Progress]:
        """Reviewer → how far the reviewer came."""
        return {decisions.reviewer: self._progress_of(decisions) for decisions in self.files}

    def _progress_of(self, decisions: Decisions) -> Progress:
        name = decisions.reviewer
        mine = [entry.by_reviewer[name] for entry in self.reviewed if name in entry.by_reviewer]
        contested = [e.by_reviewer[name] for e in disputed(self.reviewed) if name in e.by_reviewer]
        looks = sum(decision.second is not None for decision in contested)
        return Progress(len(mine), self.asked, looks, len(contested), len(decisions.readings))

    def answers(self) -> Mapping[str, Counter[str]]:
        """Reviewer → first answer → number."""
        return {
            name: Counter(e.by_reviewer[name].answer for e in self.reviewed if name in e.by_reviewer)
            for name in self.reviewers
        }


def rows(merged: Merged) -> Iterator[Row]:
    """One row per contour or lesion and reviewer; one for each that nobody answered; then the readings."""
    for entry in (*merged.reviewed, *merged.open):
        about = {
            "case_id": entry.case_id,
            "patient_id": entry.patient_id,
            **entry.subject._asdict(),
            "standing": entry.standing,
            "standing_after": entry.standing_after,
        }
        for reviewer, decision in entry.by_reviewer.items():
            yield {**about, "reviewer": reviewer, "comment": decision.comment, **_given(decision)}
        for reviewer, comment in entry.remarks.items():
            yield {**about, "reviewer": reviewer, "comment": comment}
        if not (entry.by_reviewer or entry.remarks):
            yield about
    yield from _reading_rows(merged)


def _given(decision: Decision) -> Row:
    second = decision.second
    return {
        **_of_answer(decision),
        **({f"second_{k}": v for k, v in _of_answer(second).items()} if second else {}),
    }


def _of_answer(given: Given) -> Row:
    return {"answer": given.answer, "decided": given.decided, "seconds": given.seconds}


def _reading_rows(merged: Merged) -> Iterator[Row]:
    for case_id, readings in merged.readings.items():
        for reviewer, reading in readings:
            yield {
                "case_id": case_id,
                "patient_id": merged.patients[case_id],
                "kind": READING,
                "finding": reading.finding,
                "number": len(reading.marks),
                "reviewer": reviewer,
                "answer": reading.marks[0].kind if reading.marks else NOTHING,
                "decided": reading.decided,
                "seconds": reading.seconds,
            }


def summary_rows(merged: Merged) -> Iterator[Row]:
    """Rows for answers and progress, timing, agreement, blind readings, corrected and original scores."""
    for reviewer, counts in merged.answers().items():
        yield from _answer_rows(reviewer, counts, merged.asked)
    yield {"measure": "open_for_all", "finding": ALL_FINDINGS, "n": len(merged.open)}
    for timing in merged.timings:
        yield {
            "measure": "seconds",
            "finding": ALL_FINDINGS,
            "metric": timing.of,
            "reviewers": timing.reviewer,
            "n": timing.n,
            "patients": timing.patients,
            **timing.interval._asdict(),
        }
    for agreement in merged.agreements:
        yield {
            "measure": agreement.measure,
            "finding": agreement.finding,
            "reviewers": "; ".join(agreement.reviewers),
            "n": agreement.n,
            "patients": agreement.patients,
            **agreement.interval._asdict(),
        }
    for score in merged.reading_scores:
        yield {"measure": READING, "reviewers": score.reviewer, **_of_summary(score.summary)}
    for pair in merged.pairs:
        yield _score_row(pair)


def _answer_rows(reviewer: str, counts: Counter[str], asked: int) -> Iterator[Row]:
    total = counts.total()
    for answer in ANSWERS:
        yield {
            "measure": "answer",
            "finding": ALL_FINDINGS,
            "metric": answer,
            "reviewers": reviewer,
            "n": total,
            "estimate": counts[answer] / total if total else None,
        }
    yield {"measure": "open", "finding": ALL_FINDINGS, "reviewers": reviewer, "n": asked - total}


def _score_row(pair: Pair) -> Row:
    original = {f"original_{name}": getattr(pair.original, name) for name in ("n", "estimate", "low", "high")}
    return {"measure": "score", **_of_summary(pair.corrected), **original}


def _of_summary(summary: Summary) -> Row:
    return {name: getattr(summary, name) for name in OF_SUMMARY}
