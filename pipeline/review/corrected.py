"""Corrected: scores of a run without the annotations that reviewers call wrong, and the original scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.records import Summary
from pipeline.reporting.run_folder import RunFolder
from pipeline.review.merging import Reviewed
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.dataframes import read_scores
from pipeline.statistics.summaries import columns_of, summarise


@dataclass(frozen=True, slots=True)
class WrongAnnotations:
    """The annotations that a majority of their reviewers calls wrong."""

    lesions: frozenset[tuple[str, str, str, int]]
    """(case, finding, reader, number of the lesion) of wrong lesions."""
    images: frozenset[tuple[str, str]]
    """(case, finding) where a contour shows that the annotation is wrong."""

    references: frozenset[tuple[str, str, str]]
    """(case, finding, reader) of references that contain a wrong lesion."""

    @property
    def count(self) -> int:
        """Number of wrong lesions and images."""
        return len(self.lesions) + len(self.images)

    def covers(self, score: Any) -> bool:
        """Whether a score (a row of `read_scores`) depends on a wrong annotation.

        A score of one lesion depends on that lesion, a score of the image on all lesions of its reader.
        """
        if (score.case_id, score.finding) in self.images:
            return True
        if score.lesion:
            return (score.case_id, score.finding, score.reader, int(score.lesion)) in self.lesions
        return (score.case_id, score.finding, score.reader) in self.references


@dataclass(frozen=True, slots=True)
class Pair:
    """A summary without the scores that depend on wrong annotations, and the run's own summary."""

    corrected: Summary
    original: Summary

    @property
    def differs(self) -> bool:
        """Whether any score was excluded."""
        return self.corrected.n != self.original.n


def wrong_annotations(reviewed: Iterable[Reviewed]) -> WrongAnnotations:
    """The subjects that more than half of their reviewers answered with `annotation_wrong`."""
    wrong = [entry for entry in reviewed if entry.has_majority("annotation_wrong")]
    lesions = frozenset(
        (entry.case_id, entry.subject.finding, entry.subject.by, entry.subject.number)
        for entry in wrong
        if entry.subject.kind == "lesion"
    )
    return WrongAnnotations(
        lesions=lesions,
        images=frozenset((e.case_id, e.subject.finding) for e in wrong if e.subject.kind == "contour"),
        references=frozenset(lesion[:3] for lesion in lesions),
    )


def corrected_summaries(
    run: RunFolder, wrong: WrongAnnotations, units: Literal["patients", "images"], resampling: Resampling
) -> list[Pair]:
    """Every summary, recomputed without the scores that depend on wrong annotations.

    `units` are the units that the run's bootstrap resampled.
    """
    scores = read_scores(run.path, units=units, known={"finding": run.findings})
    covered = [wrong.covers(row) for row in scores.itertuples(index=False)]
    originals = {_key(row): row for row in run.summaries}
    recomputed = summarise(
        columns_of(scores[~np.array(covered, bool)]), findings=run.findings, resampling=resampling
    )
    return [Pair(row, originals[_key(row)]) for row in recomputed if _key(row) in originals]


def _key(row: Summary) -> tuple[str, str, str, str]:
    return row.finding, row.reader, row.method, row.metric
