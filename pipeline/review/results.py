"""Results: write review.csv, review-summary.csv and review.html to the run's folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting import words
from pipeline.reporting.pages import UNDECODABLE, environment_of_run, page
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.subjects import results_sha256
from pipeline.review.agreement import Agreement, agreements
from pipeline.review.corrected import Pair, WrongAnnotations, corrected_summaries, wrong_annotations
from pipeline.review.decisions import ANSWERS, Run, read_decisions
from pipeline.review.merging import Reviewed, disputed, merge_decisions
from pipeline.run.output_hashes import note_later
from pipeline.run.report import redraw
from pipeline.run_files.damage import damaged
from pipeline.run_files.tables import read_rows
from pipeline.statistics.bootstrap import Resampling
from pipeline.store.atomic import write_bytes
from pipeline.store.tables import write_table

FILES = ("review.csv", "review-summary.csv", "review.html")
"""Files that a review writes."""
SHOWN = 300
"""Maximum of disputed, and of open, contours and lesions on the page; review.csv has all."""


@dataclass(frozen=True, slots=True)
class Review:
    """Result of a review."""

    page: Path
    reviewers: tuple[str, ...]
    reviewed: tuple[Reviewed, ...]
    """The contours and missed lesions that somebody answered."""
    open: tuple[Reviewed, ...]
    """Those that nobody answered."""
    agreements: tuple[Agreement, ...]
    wrong: WrongAnnotations
    pairs: tuple[Pair, ...]

    @property
    def disputed(self) -> list[Reviewed]:
        """The contours and lesions on which reviewers differ."""
        return list(disputed(self.reviewed))


def review(path: Path, files: Sequence[Path]) -> Review:
    """Merge the decisions in `files` on the run at `path`, and write the results to its folder."""
    run = read_run(path)
    if "statistics" not in run.manifest:
        raise damaged(path / "manifest.json", "statistics: is missing")
    read = read_decisions(files, Run(run.manifest["run_id"], results_sha256(path)))
    patients = {row["case_id"]: row["patient_id"] for row in read_rows(path / "cases.csv")}
    units = _units(run)
    unit_of_case = patients if units == "patients" else {case_id: case_id for case_id in patients}
    merged = merge_decisions(run, read, patients)
    reviewed = [entry for entry in merged if entry.by_reviewer]
    reviewers = tuple(decisions.reviewer for decisions in read)
    resampling = _resampling(run)
    wrong = wrong_annotations(reviewed)
    result = Review(
        page=path / "review.html",
        reviewers=reviewers,
        reviewed=tuple(reviewed),
        open=tuple(entry for entry in merged if not entry.by_reviewer),
        agreements=tuple(agreements(reviewed, reviewers, unit_of_case, resampling)),
        wrong=wrong,
        pairs=tuple(corrected_summaries(run, wrong, units, resampling)),
    )
    write_table(path, "review.csv", _rows(result))
    write_table(path, "review-summary.csv", _summary_rows(result))
    write_bytes(result.page, _html(run, result).encode("utf-8", UNDECODABLE))
    redraw(path)  # with a link to review.html
    note_later(path, FILES, by="review")
    return result


def _resampling(run: RunFolder) -> Resampling:
    """The bootstrap settings of the audit."""
    statistics = run.manifest["statistics"]
    names = ("replicates", "confidence", "seed", "interval")
    return Resampling(**{name: statistics[name] for name in names if name in statistics})


def _units(run: RunFolder) -> Literal["patients", "images"]:
    """The units that the audit resampled."""
    return "images" if run.manifest["statistics"].get("units") == "images" else "patients"


def _rows(result: Review) -> Iterator[dict[str, object]]:
    """One row per contour or lesion and reviewer; then one for each that nobody answered."""
    for entry in (*result.reviewed, *result.open):
        about = {
            "case_id": entry.case_id,
            "patient_id": entry.patient_id,
            **entry.subject._asdict(),
            "standing": entry.standing,
        }
        for reviewer, decision in entry.by_reviewer.items():
            yield {
                **about,
                "reviewer": reviewer,
                "answer": decision.answer,
                "comment": decision.comment,
                "decided": decision.decided,
            }
        for reviewer, comment in entry.remarks.items():
            yield {**about, "reviewer": reviewer, "comment": comment}
        if not (entry.by_reviewer or entry.remarks):
            yield about


def _summary_rows(result: Review) -> Iterator[dict[str, object]]:
    """Rows for the answers of each reviewer, the agreement, and the corrected and original scores."""
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
        yield {
            "measure": "open",
            "finding": ALL_FINDINGS,
            "reviewers": reviewer,
            "n": len(result.reviewed) + len(result.open) - total,
        }
    yield {"measure": "open_for_all", "finding": ALL_FINDINGS, "n": len(result.open)}
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
    environment.filters["method_title"] = run.title_of
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
        unanswered=result.open[:SHOWN],
        asked=len(result.reviewed) + len(result.open),
        pairs=shown,
        all_findings=ALL_FINDINGS,
    )
