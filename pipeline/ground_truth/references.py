"""References: read the annotations and labels of one image as one reference per finding and reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.annotations import kind_of, read_annotation
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, Kind, Reference, Shape, Skipped, joined, scored_as

KINDS: tuple[Kind, ...] = ("mask", "box", "point")
"""Kinds that are scored. If a reader has several empty references of a finding, the first kind counts."""

CONTRADICTION = (
    "one reader annotates the finding, and says that none of the findings is there; correct one of the two"
)


class ReaderFinding(NamedTuple):
    """Key of a reference: finding, reader and kind of annotation."""

    finding: str
    """The network's name of the finding."""
    reader: str
    """Name of the reader."""
    kind: Kind
    """The kind as which the annotation is scored."""


@dataclass(frozen=True, slots=True)
class CaseReferences:
    """All references of one image."""

    references: tuple[Reference, ...]
    """The usable references."""
    unusable: tuple[ReaderFinding, ...]
    """References with an unreadable part. Against the rest, a correct contour would be scored as wrong."""
    skipped: tuple[Skipped, ...]
    """The unreadable parts, with the reason."""


def read_case_references(
    items: Sequence[AnnotationItem],
    labels: Mapping[str, int | None],
    *,
    case_id: str,
    shape: Shape,
    findings: Sequence[str],
    negative: tuple[str, Kind],
) -> CaseReferences:
    """The references of an image of `shape`.

    A finding without annotation that the label calls absent gives an empty reference with the reader and kind
    in `negative`.
    """
    found: dict[ReaderFinding, Reference] = {}
    unusable: dict[ReaderFinding, None] = {}
    skipped = []
    for item in items:
        key = ReaderFinding(item.finding or "", item.reader, scored_as(kind_of(item)))
        try:
            reference = read_annotation(item, case_id=case_id, finding=key.finding, shape=shape)
            _check_absence(item, reference)
        except CaseError as error:
            skipped.append(Skipped(case_id, "annotations", error.reason, error.message))
            unusable[key] = None
            continue
        found[key] = joined(found[key], reference) if key in found else reference
    for key in _contradicted(items, found):
        skipped.append(Skipped(case_id, "annotations", "contradicting_annotations", CONTRADICTION))
        unusable[key] = None
    annotated = {item.finding for item in items}
    reader, kind = negative
    for finding in findings:
        if labels.get(finding) == 0 and finding not in annotated:
            found[ReaderFinding(finding, reader, kind)] = Reference(case_id, finding, reader, kind)
    usable = (ref for key, ref in found.items() if key not in unusable and not _repeats_absence(key, found))
    return CaseReferences(tuple(usable), tuple(unusable), tuple(skipped))


def _contradicted(
    items: Sequence[AnnotationItem], found: Mapping[ReaderFinding, Reference]
) -> Iterator[ReaderFinding]:
    """Findings that a reader annotates on an image, and says to be absent from it."""
    denied = {(item.finding, item.reader) for item in items if item.denies}
    return (key for key, ref in found.items() if (key.finding, key.reader) in denied and ref.lesions)


def _check_absence(item: AnnotationItem, reference: Reference) -> None:
    if item.absent and reference.lesions:
        raise CaseError(
            "annotation_without_label",
            "the annotation shows a finding, but the image's labels, or the annotation's own word, say that "
            "there is none; correct one of the two",
        )


def _repeats_absence(key: ReaderFinding, found: Mapping[ReaderFinding, Reference]) -> bool:
    """Whether the reader has an empty reference of the finding in an earlier kind: absence counts once."""
    earlier = (found.get(key._replace(kind=kind)) for kind in KINDS[: KINDS.index(key.kind)])
    return not found[key].lesions and any(other is not None and not other.lesions for other in earlier)
