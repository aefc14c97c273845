"""Results: what a review came to, as review.csv, review-summary.csv and review.html in the run's folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.metrics.bootstrap import Resampling
from pipeline.names import ALL_FINDINGS
from pipeline.reporting import words
from pipeline.reporting.pages import environment_of_run, page
from pipeline.reporting.report import write_report
from pipeline.reporting.run_folder import RunFolder, read_run, rows_of
from pipeline.reporting.subjects import results_sha256
from pipeline.review.agreement import Agreement, agreements
from pipeline.review.corrected import Pair, Wrong, corrected_summaries, wrong_annotations
from pipeline.review.decisions import ANSWERS, Run, read_decisions
from pipeline.review.merging import Reviewed, disputed, merged
from pipeline.store.atomic import write_bytes
from pipeline.store.tables import write_table

SHOWN = 300
"""Disputed contours and lesions written into the page; the table has all."""


@dataclass(frozen=True, slots=True)
class Review:
    """What came of a review."""

    page: Path
    reviewers: tuple[str, ...]
    reviewed: tuple[Reviewed, ...]
    agreements: tuple[Agreement, ...]
    wrong: Wrong
    pairs: tuple[Pair, ...]

    @property
    def disputed(self) -> list[Reviewed]:
        """Those on which reviewers differ."""
        return list(disputed(self.reviewed))


def review(path: Path, files: Sequence[Path]) -> Review:
    """The decisions in `files` on the run in a folder, merged, and written beside its report."""
    run = read_run(path)
    read = read_decisions(files, Run(run.manifest["run_id"], results_sha256(path)))
    patients = {row["case_id"]: row["patient_id"] for row in rows_of(path / "cases.csv")}
    units = patients if _draws_patients(run) else {case_id: case_id for case_id in patients}
    reviewed = merged(run, read, patients)
    reviewers = tuple(decisions.reviewer for decisions in read)
    resampling = _resampling(run)
    wrong = wrong_annotations(reviewed)
    result = Review(
        page=path / "review.html",
        reviewers=reviewers,
        reviewed=tuple(reviewed),
        agreements=tuple(agreements(reviewed, reviewers, units, resampling)),
        wrong=wrong,
        pairs=tuple(corrected_summaries(run, wrong, units, resampling)),
    )
    write_table(path, "review.csv", _rows(result))
    write_table(path, "review-summary.csv", _summary_rows(result))
    write_bytes(result.page, _html(run, result).encode("utf-8"))
    write_report(path, write=write_bytes)  # which now leads to the page
    return result


def _resampling(run: RunFolder) -> Resampling:
    """As the audit made its intervals."""
    statistics = run.manifest["statistics"]
    names = ("replicates", "confidence", "seed", "interval")
    return Resampling(**{name: statistics[name] for name in names if name in statistics})


def _draws_patients(run: RunFolder) -> bool:
    """Whether the audit drew patients for its intervals, and not images."""
    return bool(run.manifest["statistics"].get("units", "patients") == "patients")


def _rows(result: Review) -> Iterator[dict[str, object]]:
    """One a subject and reviewer."""
    for entry in result.reviewed:
        for reviewer, decision in entry.by_reviewer.items():
            yield {
                "case_id": entry.case_id,
                "patient_id": entry.patient_id,
                **entry.subject._asdict(),
                "standing": entry.standing,
                "reviewer": reviewer,
                "answer": decision.answer,
                "comment": decision.comment,
                "decided": decision.decided,
            }


def _summary_rows(result: Review) -> Iterator[dict[str, object]]:
    """Answers of each reviewer, agreement, and scores without wrong annotations beside the original ones."""
    for reviewer, counts in _answers(result).items():
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
    for entry in result.agreements:
        yield {
            "measure": entry.measure,
            "finding": entry.finding,
            "reviewers": "; ".join(entry.reviewers),
            "n": entry.n,
            "patients": entry.patients,
            **entry.interval._asdict(),
        }
    for pair in result.pairs:
        yield _score_row(pair)


def _score_row(pair: Pair) -> dict[str, object]:
    row, original = pair.corrected, pair.original
    return {
        "measure": "score",
        **{name: getattr(row, name) for name in ("finding", "reader", "method", "metric", "n", "patients")},
        **{name: getattr(row, name) for name in ("estimate", "low", "high")},
        **{f"original_{name}": getattr(original, name) for name in ("n", "estimate", "low", "high")},
    }


def _answers(result: Review) -> Mapping[str, Counter[str]]:
    return {
        reviewer: Counter(
            entry.by_reviewer[reviewer].answer for entry in result.reviewed if reviewer in entry.by_reviewer
        )
        for reviewer in result.reviewers
    }


def _html(run: RunFolder, result: Review) -> str:
    shown = [pair for pair in result.pairs if pair.differs]
    titles = {metric["name"]: metric["title"] for metric in run.manifest["metrics"]}
    environment = environment_of_run(run)
    environment.filters["method_title"] = words.method_title
    environment.filters["metric_title"] = lambda name: words.metric_title(name, titles)
    return page(
        environment,
        "review.html",
        root="",
        review=result,
        answers=ANSWERS,
        counts=_answers(result),
        disputed=result.disputed[:SHOWN],
        disputed_count=len(result.disputed),
        pairs=shown,
        all_findings=ALL_FINDINGS,
    )
