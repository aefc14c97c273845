"""Results: write review.csv, review-summary.csv and review.html to the run's folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import ConfigError
from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting import glossary, words
from pipeline.reporting.outcomes import OUTCOMES, Outcome, outcome_of
from pipeline.reporting.pages import UNDECODABLE, environment_of_run, page
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.subjects import results_sha256
from pipeline.review.agreement import agreements
from pipeline.review.corrected import WrongAnnotations, corrected_summaries, wrong_annotations
from pipeline.review.decisions import ANSWERS, Run, read_decisions
from pipeline.review.merging import Reviewed, disputed, merge_decisions
from pipeline.review.reading_scores import readings_by_case, score_readings
from pipeline.review.tables import Merged, rows, summary_rows
from pipeline.review.timing import timings
from pipeline.run.output_hashes import note_later
from pipeline.run.report import redraw
from pipeline.run_files.damage import damaged
from pipeline.run_files.tables import read_rows
from pipeline.statistics.bootstrap import Resampling
from pipeline.store.atomic import write_bytes
from pipeline.store.tables import read_table, write_table

FILES = ("review.csv", "review-summary.csv", "review.html")
"""Files that a review writes."""
SHOWN = 300
"""Maximum of disputed, and of open, contours and lesions on the page; review.csv has all."""


@dataclass(frozen=True, slots=True)
class Review(Merged):
    """Result of a review."""

    page: Path
    wrong: WrongAnnotations

    @property
    def disputed(self) -> list[Reviewed]:
        """The contours and lesions on which the reviewers' first answers differ."""
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
    readings = readings_by_case(run, read)
    reviewed = [entry for entry in merged if entry.by_reviewer]
    reviewers = [decisions.reviewer for decisions in read]
    resampling = _resampling(run)
    wrong = wrong_annotations(reviewed)
    result = Review(
        files=tuple(read),
        reviewed=tuple(reviewed),
        open=tuple(entry for entry in merged if not entry.by_reviewer),
        readings=readings,
        patients=patients,
        agreements=tuple(agreements(reviewed, reviewers, unit_of_case, resampling)),
        timings=tuple(timings(read, unit_of_case, resampling)),
        reading_scores=tuple(score_readings(run, readings, unit_of_case, resampling)),
        pairs=tuple(corrected_summaries(run, wrong, units, resampling)),
        page=path / "review.html",
        wrong=wrong,
    )
    write_table(path, "review.csv", rows(result))
    write_table(path, "review-summary.csv", summary_rows(result))
    write_bytes(result.page, _html(run, result).encode("utf-8", UNDECODABLE))
    redraw(path)  # with a link to review.html, and with what is disputed
    note_later(path, FILES, by="review")
    return result


def reviewers_before(run: Path) -> list[str]:
    """Names of the reviewers in the review that the run's folder holds; none without a sound table."""
    if not (run / "review.csv").is_file():
        return []
    try:
        rows = read_table(run, "review.csv")
    except ConfigError:
        return []
    return sorted({row["reviewer"] for row in rows if row.get("reviewer")})


def _resampling(run: RunFolder) -> Resampling:
    """The bootstrap settings of the audit."""
    statistics = run.manifest["statistics"]
    names = ("replicates", "confidence", "seed", "interval")
    return Resampling(**{name: statistics[name] for name in names if name in statistics})


def _units(run: RunFolder) -> Literal["patients", "images"]:
    """The units that the audit resampled."""
    return "images" if run.manifest["statistics"].get("units") == "images" else "patients"


def _html(run: RunFolder, result: Review) -> str:
    shown = [pair for pair in result.pairs if pair.differs]
    titles = {metric["name"]: metric["title"] for metric in run.manifest["metrics"]}
    contested, unanswered = result.disputed[:SHOWN], result.open[:SHOWN]
    environment = environment_of_run(run)
    environment.globals["bounds"] = words.bounds
    environment.filters["method_title"] = run.title_of
    environment.filters["metric_title"] = lambda name: words.metric_title(name, titles)
    drawn = page(
        environment,
        "review.html",
        root="",
        review=result,
        answers=ANSWERS,
        counts=result.answers(),
        progress=result.progress(),
        disputed=contested,
        disputed_count=len(result.disputed),
        unanswered=unanswered,
        outcomes=_outcomes(run, [*contested, *unanswered]) if run.is_scored else {},
        asked=result.asked,
        pairs=shown,
        all_findings=ALL_FINDINGS,
        overview=(overview := "overview.html" if run.is_blind else "index.html"),
        home=overview,
        second_looks=sum(d.second is not None for e in result.reviewed for d in e.by_reviewer.values()),
        still_disputed=sum(entry.standing_after == "disputed" for entry in result.reviewed),
    )
    return glossary.with_links(drawn, "")


def _outcomes(run: RunFolder, entries: Iterable[Reviewed]) -> dict[tuple[str, str], tuple[str, Outcome]]:
    """Case id and finding → code and words of what became of it, as the worklist says it."""
    findings: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        findings[entry.case_id].add(entry.subject.finding)
    codes = {
        (case_id, finding): outcome_of(case, finding, run.network)
        for case_id, of_case in findings.items()
        for case in [run.case(case_id)]
        for finding in of_case
    }
    return {key: (code, OUTCOMES[code]) for key, code in codes.items()}
