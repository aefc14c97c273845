"""Assigning: the findings of the network that an annotation is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.errors import CaseError
from pipeline.ground_truth.words import Meanings
from pipeline.records import AnnotationItem, Labels

IN_CROSSWALK = " (crosswalk.csv has the original word)"
UNKNOWN = (
    f"{{word}} is not a finding of the network{IN_CROSSWALK}{{nearest}}; "
    "map it to a finding in annotations.findings"
)
"""Contains a pseudonym, because an annotator may have typed anything, also a patient's name."""


class UnknownFindingError(CaseError):
    """An annotation shows a finding that the network does not predict."""


def by_network_finding(
    item: AnnotationItem, meanings: Meanings, findings: Sequence[str], labels: Labels
) -> list[AnnotationItem]:
    """The item once per finding of the network that it shows or denies; empty if the config leaves it out.

    Raises CaseError: "unknown_finding", "ambiguous_finding".
    """
    if item.finding is None:
        return _by_label(item, findings, labels)
    if not item.finding:
        raise CaseError("unknown_finding", "the row names no finding; fill in its cell, or remove the row")
    if item.denies or item.finding in meanings.denials:
        return [replace(item, finding=name, absent=True, denies=True) for name in findings]
    if item.finding not in meanings.findings:
        raise UnknownFindingError("unknown_finding", UNKNOWN)
    finding = meanings.findings[item.finding]
    return [] if finding is None else [replace(item, finding=finding)]


def _by_label(item: AnnotationItem, findings: Sequence[str], labels: Labels) -> list[AnnotationItem]:
    """The item for the only finding that is present, else for each absent finding, marked as absent."""
    present = [name for name in findings if labels.get(name) == 1]
    absent = [name for name in findings if labels.get(name) == 0]
    if len(present) > 1:
        raise CaseError(
            "ambiguous_finding",
            "the image's labels name several findings; "
            "state the annotation's finding with {finding} in the pattern or the source's key finding",
        )
    if not (present or absent):
        raise CaseError(
            "unknown_finding",
            "the annotation names no finding, and its image has no labels that give one; "
            "state it with {finding} in the pattern or the source's key finding",
        )
    return [replace(item, finding=name, absent=not present) for name in present or absent]
