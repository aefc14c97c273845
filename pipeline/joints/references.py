"""References: what each reader says of each finding of one image, read from its annotations and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from pipeline.annotations import read_annotation
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, Reference, Shape, Skipped

Kind = Literal["mask", "box"]


class Who(NamedTuple):
    """One reader's word on one finding; masks and boxes are two words."""

    finding: str
    reader: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that was said of one image."""

    references: tuple[Reference, ...]
    unusable: tuple[Who, ...]
    """Of which a part could not be read: scored against the rest, a right contour would count as wrong."""
    skipped: tuple[Skipped, ...]


def kind_of(item: AnnotationItem) -> Kind:
    """What an annotation will be when it is read."""
    return "box" if item.format == "boxes" else "mask"


def read_references(
    items: Sequence[AnnotationItem],
    labels: Mapping[str, int | None],
    *,
    case_id: str,
    shape: Shape,
    findings: Sequence[str],
    negative: tuple[str, Kind],
) -> Said:
    """The references of an image of `shape`.

    A finding that the label calls absent, and that nobody annotated, is a reference by the reader and of the
    kind in `negative` that says "not there".
    """
    found: dict[Who, Reference] = {}
    unusable: dict[Who, None] = {}
    skipped = []
    for item in items:
        who = Who(item.finding or "", item.reader, kind_of(item))
        try:
            reference = read_annotation(item, case_id=case_id, finding=who.finding, shape=shape)
            _check_absence(item, reference)
        except CaseError as error:
            skipped.append(Skipped(case_id, "annotations", error.reason, error.message))
            unusable[who] = None
            continue
        found[who] = _joined(found[who], reference) if who in found else reference
    annotated = {item.finding for item in items}
    reader, kind = negative
    for finding in findings:
        if labels.get(finding) == 0 and finding not in annotated:
            found[Who(finding, reader, kind)] = Reference(case_id, finding, reader, kind)
    kept = (ref for who, ref in found.items() if who not in unusable and not _said_twice(who, found))
    return Said(tuple(kept), tuple(unusable), tuple(skipped))


def _check_absence(item: AnnotationItem, reference: Reference) -> None:
    if item.absent and (reference.masks or reference.boxes):
        message = "an annotation shows a finding, but the image's labels say that there is none"
        raise CaseError("annotation_without_label", message)


def _joined(first: Reference, second: Reference) -> Reference:
    """Two annotations of the same finding and kind by the same reader as one."""
    return replace(first, masks=(*first.masks, *second.masks), boxes=(*first.boxes, *second.boxes))


def _said_twice(who: Who, found: Mapping[Who, Reference]) -> bool:
    """Whether an empty box says what an empty mask of the same reader says: "not there" counts once."""
    mask = found.get(who._replace(kind="mask"))
    return who.kind == "box" and mask is not None and not found[who].boxes and not mask.masks
