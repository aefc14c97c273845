"""Image level: what readers say of whole images, and what they leave unmarked on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pipeline.annotations import kind_of
from pipeline.ground_truth.words import Meanings
from pipeline.records import AnnotationItem, Kind, Labels

ByCase = Mapping[str, Sequence[AnnotationItem]]
"""Case id → annotations."""


def labels_said(said: ByCase) -> dict[str, Labels]:
    """Case id → the findings that annotations of the whole image call present, without denials."""
    labels = {
        case_id: {str(item.finding): 1 for item in of_case if not item.denies}
        for case_id, of_case in said.items()
    }
    return {case_id: known for case_id, known in labels.items() if known}


def with_absences(
    matched: ByCase, said: ByCase, labels: Mapping[str, Labels], meanings: Meanings
) -> tuple[dict[str, list[AnnotationItem]], dict[str, Labels]]:
    """The annotations and labels by case, with the findings that readers call absent.

    `matched` are annotations with shapes, `said` those of whole images. A finding is absent for a reader who
    denies it, or who marks it nowhere on an image whose source says `unmarked: absent`. An absence becomes an
    annotation without shapes; of a finding that tags state elsewhere, the label 0, unless a label is known.
    """
    found = {case_id: [*matched.get(case_id, ())] for case_id in {**matched, **said}}
    for case_id, of_case in said.items():
        found[case_id] += [item for item in of_case if item.denies]
    tagged = {item.finding for of_case in said.values() for item in of_case if not item.denies}
    kinds: dict[str | None, Kind] = {}
    for of_case in found.values():
        for item in of_case:
            if item.says == "shapes":
                kinds.setdefault(item.finding, kind_of(item))
    usual: Kind = next(iter(kinds.values()), "mask")
    known = dict(labels)
    for case_id, of_case in found.items():
        absent = [*_unmarked([*of_case, *said.get(case_id, ())], meanings)]
        named = {item.finding for item in absent} & tagged
        unknown = {str(name): 0 for name in named if known.get(case_id, {}).get(str(name)) is None}
        if unknown:
            known[case_id] = {**known.get(case_id, {}), **unknown}
        of_case[:] = [item for item in of_case if item.says != "nothing"] + [
            replace(item, kind=kinds.get(item.finding, usual))
            for item in absent
            if item.finding not in tagged
        ]
    return {case_id: of_case for case_id, of_case in found.items() if of_case}, known


def _unmarked(of_case: Sequence[AnnotationItem], meanings: Meanings) -> Iterator[AnnotationItem]:
    """The absences of one image: findings that a source may name and that its reader marks nowhere on it."""
    by_reader: dict[str, list[AnnotationItem]] = {}
    for item in of_case:
        by_reader.setdefault(item.reader, []).append(item)
    for several in by_reader.values():
        words = dict.fromkeys(word for item in several for word in item.unmarked)
        marked = {item.finding for item in several if item.says != "nothing"}
        absent = dict.fromkeys(meanings.findings.get(word) for word in words)
        for finding in absent:
            if finding is not None and finding not in marked:
                yield replace(
                    several[0], finding=finding, payload={}, says="nothing", absent=False, denies=False
                )
