"""Assigning: the image that an annotation is of, and the findings of the network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from pipeline.annotations.spelling import nearest
from pipeline.cohort.index import Pseudonym
from pipeline.cohort.lookup import ImageLookup
from pipeline.errors import CaseError
from pipeline.ground_truth.joining import refuse_unknown_frame
from pipeline.ground_truth.words import Meanings
from pipeline.records import AnnotationItem, Labels, Skipped

IN_CROSSWALK = " (crosswalk.csv has the original word)"
UNKNOWN = (
    f"{{word}} is not a finding of the network{IN_CROSSWALK}{{nearest}}; "
    "map it to a finding in annotations.findings"
)
"""Contains a pseudonym, because an annotator may have typed anything, also a patient's name."""


class UnknownFindingError(CaseError):
    """An annotation shows a finding that the network does not predict."""


def assigned(
    items: Iterable[AnnotationItem],
    labels: Mapping[str, Labels],
    *,
    images: ImageLookup,
    meanings: Meanings,
    findings: Sequence[str],
    pseudonym: Pseudonym,
) -> tuple[dict[str, list[AnnotationItem]], list[tuple[AnnotationItem, AnnotationItem, Skipped]]]:
    """Case id → annotations, and those without image or finding, also with pseudonyms for unknown words.

    Annotations that say nothing keep their finding, and are left out where their image is not there.
    """
    items = list(items)
    matched: dict[str, list[AnnotationItem]] = defaultdict(list)
    unjoined: list[tuple[AnnotationItem, AnnotationItem, Skipped]] = []
    numbered = {item.image for item in items if item.frame}
    for item in items:
        subject = pseudonym("annotation", item.image, item.frame or 0)
        word, reported = item.finding, item
        if word and not (item.denies or meanings.knows(word)):
            reported = replace(item, finding=pseudonym("finding", word))
        try:
            case = images.owner(item, what="annotation")
            subject = case.case_id
            refuse_unknown_frame(item, case, numbered)
            placed = replace(item, plane=case.source.plane)
            matched[subject] += by_network_finding(placed, meanings, findings, labels.get(subject, {}))
        except CaseError as error:
            if item.says == "nothing":
                continue
            near = nearest(word or "", findings)
            text = error.message
            if isinstance(error, UnknownFindingError):
                text = UNKNOWN.format(
                    word=reported.finding, nearest=f"; the nearest is '{near}'" if near else ""
                )
            unjoined.append((item, reported, Skipped(subject, "annotations", error.reason, text)))
    return matched, unjoined


def by_network_finding(
    item: AnnotationItem, meanings: Meanings, findings: Sequence[str], labels: Labels
) -> list[AnnotationItem]:
    """The item once per finding of the network that it shows or denies; empty if the config leaves it out.

    Raises CaseError: "unknown_finding", "ambiguous_finding", or the problem of what is of the whole image.
    """
    if item.says == "nothing":
        return [item]
    if item.says == "present" and (problem := item.payload.get("problem")):
        raise CaseError(*cast("tuple[str, str]", problem))
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
