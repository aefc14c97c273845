"""Corrected: the scores of a run without annotations that are called wrong, beside the original ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.summaries import summarise
from pipeline.records import Score, Summary
from pipeline.reporting.run_folder import RunFolder, rows_of
from pipeline.review.merging import Reviewed


@dataclass(frozen=True, slots=True)
class Wrong:
    """The annotations that most of their reviewers call wrong."""

    lesions: frozenset[tuple[str, str, str, int]]
    """(case, finding, reader, number of the lesion)."""
    images: frozenset[tuple[str, str]]
    """(case, finding): where a contour shows that the finding was not annotated right."""

    drawings: frozenset[tuple[str, str, str]]
    """(case, finding, reader) of the lesions: what the reader drew is not right as a whole."""

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.lesions) + len(self.images)

    def covers(self, score: Score) -> bool:
        """Whether a score rests on one of them.

        A score of one lesion rests on that lesion, one of the whole image on all lesions of its reader.
        """
        if (score.case_id, score.finding) in self.images:
            return True
        if score.lesion is not None:
            return (score.case_id, score.finding, score.reader, score.lesion) in self.lesions
        return (score.case_id, score.finding, score.reader) in self.drawings


@dataclass(frozen=True, slots=True)
class Pair:
    """A summary without the scores that rest on wrong annotations, and the run's own."""

    corrected: Summary
    original: Summary

    @property
    def differs(self) -> bool:
        """Whether any score was left out."""
        return self.corrected.n != self.original.n


def wrong_annotations(reviewed: Iterable[Reviewed]) -> Wrong:
    """What more than half of those who decided on it call `annotation_wrong`."""
    wrong = [entry for entry in reviewed if entry.is_said_by_most("annotation_wrong")]
    lesions = frozenset(
        (entry.case_id, entry.subject.finding, entry.subject.by, entry.subject.number)
        for entry in wrong
        if entry.subject.kind == "lesion"
    )
    return Wrong(
        lesions=lesions,
        images=frozenset((e.case_id, e.subject.finding) for e in wrong if e.subject.kind == "contour"),
        drawings=frozenset(lesion[:3] for lesion in lesions),
    )


def corrected_summaries(
    run: RunFolder, wrong: Wrong, units: Mapping[str, str], resampling: Resampling
) -> list[Pair]:
    """Every summary of the maps, made again without the scores that rest on wrong annotations.

    `units` is case_id → what is drawn for intervals, in the order of the run.
    """
    kept = ((score, unit) for score, unit in _scores(run, units) if not wrong.covers(score))
    originals = {_key(row): row for row in run.summaries}
    again = summarise(kept, findings=run.findings, resampling=resampling)
    return [Pair(row, originals[_key(row)]) for row in again if _key(row) in originals]


def _scores(run: RunFolder, units: Mapping[str, str]) -> Iterator[tuple[Score, str]]:
    """All scores with their units, named as the audit named them for its intervals: by their place."""
    places = {unit: f"{place:09}" for place, unit in enumerate(dict.fromkeys(units.values()))}
    for row in rows_of(run.path / "scores.csv"):
        yield _score(row), places[units[row["case_id"]]]


def _score(row: Mapping[str, str]) -> Score:
    return Score(
        case_id=row["case_id"],
        finding=row["finding"],
        reader=row["reader"],
        method=row["method"],
        metric=row["metric"],
        value=float(row["value"]) if row["value"] else None,
        undefined_because=row["undefined_because"],
        lesion=int(row["lesion"]) if row["lesion"] else None,
    )


def _key(row: Summary) -> tuple[str, str, str, str]:
    return row.finding, row.reader, row.method, row.metric
