"""Merging: the answers of all reviewers for each contour and missed lesion of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pipeline.errors import ConfigError
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.subjects import Missed, Subject, missed_lesions, subjects
from pipeline.review.decisions import Answer, Decision, Decisions

Standing: TypeAlias = Literal["open", "single", "agreed", "disputed"]

OF_LESIONS = ("lesion_iou", "box_iou")
"""Metrics with one score per lesion. Pages of older versions asked about lesions whose score is 0."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One contour or missed lesion with the decisions of its reviewers."""

    case_id: str
    patient_id: str
    subject: Subject
    by_reviewer: Mapping[str, Decision]
    remarks: Mapping[str, str] = field(default_factory=dict)
    """Reviewer → comment, of reviewers who commented but gave no answer."""

    @property
    def standing(self) -> Standing:
        """Of the first answers: `open` without one, `single`, `agreed` if all are equal, else `disputed`."""
        return _standing([decision.answer for decision in self.by_reviewer.values()])

    @property
    def standing_after(self) -> Standing:
        """The same with answers of a second look in place of the first ones."""
        return _standing([decision.last for decision in self.by_reviewer.values()])

    @property
    def has_second_look(self) -> bool:
        """Whether any reviewer answered a second time."""
        return any(decision.second for decision in self.by_reviewer.values())

    def has_majority(self, answer: Answer) -> bool:
        """Whether more than half of the reviewers gave this answer last."""
        given = Counter(decision.last for decision in self.by_reviewer.values())
        return 2 * given[answer] > len(self.by_reviewer)


def _standing(answers: Sequence[Answer]) -> Standing:
    if not answers:
        return "open"
    if len(answers) == 1:
        return "single"
    return "agreed" if len(set(answers)) == 1 else "disputed"


def merge_decisions(
    run: RunFolder, files: Sequence[Decisions], patients: Mapping[str, str]
) -> list[Reviewed]:
    """All contours and missed lesions in the order of the run, also those that nobody answered.

    `patients` is case_id → patient_id.
    """
    found: dict[str, dict[Subject, dict[str, Decision]]] = defaultdict(lambda: defaultdict(dict))
    remarks: dict[tuple[str, Subject], dict[str, str]] = defaultdict(dict)
    for decisions in files:
        for decision in decisions.decisions:
            found[decision.case_id][decision.subject][decisions.reviewer] = decision
        for entry in decisions.open:
            if entry.comment:
                remarks[entry.case_id, entry.subject][decisions.reviewer] = entry.comment
    missed = missed_lesions(run)
    known = {case_id: _subjects(run, case_id, missed, found.get(case_id, {})) for case_id in run.case_ids}
    _refuse_unknown(found, known)
    _refuse_unknown(_commented(remarks), known)
    return [
        Reviewed(
            case_id,
            patients[case_id],
            subject,
            found[case_id][subject] if subject in found.get(case_id, {}) else {},
            remarks.get((case_id, subject), {}),
        )
        for case_id, listed in known.items()
        for subject in listed
    ]


def disputed(reviewed: Sequence[Reviewed]) -> Iterator[Reviewed]:
    """The entries on which the reviewers' first answers differ."""
    return (entry for entry in reviewed if entry.standing == "disputed")


def _subjects(run: RunFolder, case_id: str, missed: Missed, answered: Iterable[Subject]) -> list[Subject]:
    """What the pages ask about, and the answered lesions that only pages of older versions asked about."""
    case = run.case(case_id)
    asked = subjects(case, run.findings, run.network, missed)
    lesions = {
        Subject("lesion", score["finding"], score["reader"], score.get("lesion"))
        for score in case["scores"]
        if score["metric"] in OF_LESIONS and score["method"] == run.network
    }
    return asked + sorted(lesions.intersection(answered) - set(asked))


def _commented(
    remarks: Mapping[tuple[str, Subject], Mapping[str, str]],
) -> dict[str, dict[Subject, Mapping[str, str]]]:
    """Case → contour or lesion → reviewer → comment without an answer."""
    by_case: dict[str, dict[Subject, Mapping[str, str]]] = defaultdict(dict)
    for (case_id, subject), comments in remarks.items():
        by_case[case_id][subject] = comments
    return by_case


def _refuse_unknown(
    found: Mapping[str, Mapping[Subject, Mapping[str, object]]], known: Mapping[str, Sequence[Subject]]
) -> None:
    """Refuse decisions on unknown subjects: the hash of the results matches, so the file was edited."""
    for case_id, by_subject in found.items():
        for subject in sorted(by_subject.keys() - known.get(case_id, ())):
            reviewers = ", ".join(by_subject[subject])
            raise ConfigError(
                f"decisions of {reviewers}: {case_id} has no {subject.kind} {subject.number} of "
                f"{subject.finding!r} by {subject.by!r} to be reviewed; export them again"
            )
