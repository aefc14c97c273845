"""Merging: what each reviewer answered on each contour and missed lesion of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import ConfigError
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.subjects import Subject, subjects
from pipeline.review.decisions import Answer, Decision, Decisions


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One contour or missed lesion with the answers of those who decided on it."""

    case_id: str
    patient_id: str
    subject: Subject
    by_reviewer: Mapping[str, Decision]

    @property
    def standing(self) -> str:
        """`single` with one answer, `agreed` with equal ones, else `disputed`."""
        if len(self.by_reviewer) == 1:
            return "single"
        return "agreed" if len(self._answers()) == 1 else "disputed"

    def is_said_by_most(self, answer: Answer) -> bool:
        """Whether more than half of those who decided gave this answer."""
        return 2 * self._answers()[answer] > len(self.by_reviewer)

    def _answers(self) -> Counter[Answer]:
        return Counter(decision.answer for decision in self.by_reviewer.values())


def merged(run: RunFolder, files: Sequence[Decisions], patients: Mapping[str, str]) -> list[Reviewed]:
    """All that was decided on, in the order of the run; `patients` is case_id → patient_id."""
    found: dict[str, dict[Subject, dict[str, Decision]]] = defaultdict(lambda: defaultdict(dict))
    for decisions in files:
        for decision in decisions.decisions:
            found[decision.case_id][decision.subject][decisions.reviewer] = decision
    asked = {case_id: _asked(run, case_id) for case_id in run.case_ids if case_id in found}
    _refuse_unknown(found, asked)
    return [
        Reviewed(case_id, patients[case_id], subject, found[case_id][subject])
        for case_id, listed in asked.items()
        for subject in listed
        if subject in found[case_id]
    ]


def disputed(reviewed: Sequence[Reviewed]) -> Iterator[Reviewed]:
    """Those on which reviewers differ."""
    return (entry for entry in reviewed if entry.standing == "disputed")


def _asked(run: RunFolder, case_id: str) -> list[Subject]:
    return subjects(run.case(case_id), run.findings, run.network)


def _refuse_unknown(
    found: Mapping[str, Mapping[Subject, Mapping[str, Decision]]], asked: Mapping[str, Sequence[Subject]]
) -> None:
    """The hash of results was right, so a file that names what is not there was changed by hand."""
    for case_id, by_subject in found.items():
        for subject in sorted(by_subject.keys() - asked.get(case_id, ())):
            reviewers = ", ".join(by_subject[subject])
            raise ConfigError(
                f"decisions of {reviewers}: {case_id} has no {subject.kind} {subject.number} of "
                f"{subject.finding!r} by {subject.by!r} to be reviewed; export them again"
            )
