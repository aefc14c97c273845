"""Truth: which annotations and labels belong to which image, in the network's words."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import guess_labels, guess_sources
from pipeline.annotations.labels import read_labels
from pipeline.annotations.tables import read_table
from pipeline.contents import contents
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.joints.intake import Case, Pseudonym
from pipeline.joints.naming import AMBIGUOUS_IMAGE, Names
from pipeline.metrics.consensus import RULES
from pipeline.records import AnnotationItem, Skipped

LABELS_READER = "labels"
"""Who says that a finding is absent, where several readers annotated and only the label says so."""
UNKNOWN = (
    "{word} is no finding of the network: the word itself is in crosswalk.csv; "
    "name its finding under annotations.findings"
)
"""A word of an annotation may be anything that somebody typed."""
Labels = Mapping[str, int | None]
"""Finding → 1 present, 0 absent, None unknown."""


class UnknownFindingError(CaseError):
    """An annotation is of something that the network does not know."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Annotations and labels by case, findings in the network's words."""

    items: Mapping[str, tuple[AnnotationItem, ...]]
    labels: Mapping[str, Labels]
    skipped: tuple[Skipped, ...]
    skipped_images: Mapping[str, str]
    """Pseudonym → what an annotation called its image, for the crosswalk."""
    kind: Literal["mask", "box"] | None
    """What the annotations are; None where there are both or none."""
    reader: str
    """Who says that a finding is absent where only the label says so: the one reader, else "labels"."""
    sha256: str
    """Over the annotations' files and tables."""
    unknown_words: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym → a word of the annotators that is no finding of the network, for the crosswalk."""
    unjoined: tuple[tuple[AnnotationItem, Skipped], ...] = ()
    """The annotations that belong to no image or no finding, and why; `skipped` holds these, too.

    A word that is no finding of the network stands there under its pseudonym.
    """


def gather(
    path: Path,
    *,
    sources: Sequence[Mapping[str, Any]],
    labels: tuple[Path, str, Mapping[str, Sequence[str]]] | None,
    names: Mapping[str, str | None],
    findings: Sequence[str],
    cases: Sequence[Case],
    pseudonym: Pseudonym,
    executor: Executor | None = None,
) -> Truth:
    """Everything the annotators said of `cases`; `executor` opens files that have to be.

    `labels` is (file, image column, finding → columns); `names` maps the annotators' words to the network's,
    None meaning "leave it out". Without sources, formats are guessed from the files.
    """
    items = find_annotations(path, sources or guess_sources(path, findings=findings), executor=executor)
    table = labels_by_name(path, labels, findings)
    return join(items, table, names=names, findings=findings, cases=cases, pseudonym=pseudonym)


def join(
    items: Sequence[AnnotationItem],
    table: Mapping[str, Labels],
    *,
    names: Mapping[str, str | None],
    findings: Sequence[str],
    cases: Sequence[Case],
    pseudonym: Pseudonym,
) -> Truth:
    """Annotations and labels, each with its image; `table` is by SOP instance UID or file stem."""
    _check_readers({item.reader for item in items})
    images = Names(cases)
    items = _held(items)
    known, skipped = _of_each(cases, images, table)
    matched: dict[str, list[AnnotationItem]] = defaultdict(list)
    unjoined: list[tuple[AnnotationItem, Skipped]] = []
    words: dict[str, str] = {}
    for item in items:
        subject = pseudonym("annotation", item.image, item.frame)
        called = item
        if names.get(item.finding or "", item.finding) not in {*findings, None}:
            called = replace(item, finding=pseudonym("finding", item.finding))
        try:
            case = images.owner(item, what="annotation")
            subject = case.case_id
            matched[subject].extend(_in_our_words(item, names, findings, known[subject]))
        except UnknownFindingError:
            message = UNKNOWN.format(word=called.finding)
            unjoined.append((called, Skipped(subject, "annotations", "unknown_finding", message)))
        except CaseError as error:
            unjoined.append((called, Skipped(subject, "annotations", error.reason, error.message)))
        if called is not item:
            words[called.finding or ""] = item.finding or ""
    kinds: set[Literal["mask", "box"]] = {"box" if item.format == "boxes" else "mask" for item in items}
    readers = {item.reader for item in items}
    return Truth(
        items={case_id: tuple(found) for case_id, found in matched.items()},
        labels=known,
        skipped=(*skipped, *(why for _, why in unjoined)),
        skipped_images={why.subject: item.image for item, why in unjoined if why.subject not in known},
        unjoined=tuple(unjoined),
        unknown_words=words,
        kind=kinds.pop() if len(kinds) == 1 else None,
        reader=readers.pop() if len(readers) == 1 else LABELS_READER,
        sha256=_digest(items, known.values()),
    )


def _check_readers(names: set[str]) -> None:
    """Refuse what tables call the consensus of several readers."""
    taken = sorted(names & RULES.keys())
    if taken:
        raise ConfigError(
            f"annotations: a reader is called '{taken[0]}', as the consensus of readers is; call the reader "
            "something else with the source's key reader, or rename the folder"
        )


def _of_each(
    cases: Iterable[Case], images: Names, table: Mapping[str, Labels]
) -> tuple[dict[str, Labels], list[Skipped]]:
    """Case id → its labels, and the images whose labels may be another's."""
    known: dict[str, Labels] = {}
    skipped: list[Skipped] = []
    for case in cases:
        name = images.name_among(table, case)
        if name is not None and images.ambiguous(name):
            skipped.append(Skipped(case.case_id, "annotations", "ambiguous_image", AMBIGUOUS_IMAGE))
            name = None
        known[case.case_id] = {} if name is None else table[name]
    return known, skipped


def labels_by_name(
    path: Path, labels: tuple[Path, str, Mapping[str, Sequence[str]]] | None, findings: Sequence[str]
) -> Mapping[str, Labels]:
    """SOP instance UID or file stem → its labels; without `labels` from a table beside the annotations."""
    if labels is not None:
        file, image, columns = labels
        return read_labels(file, image=image, columns=columns or {name: [name] for name in findings})
    guessed = guess_labels(path, findings=findings)
    if guessed is None:
        return {}
    table = read_table(guessed)
    there = {name: [name] for name in findings if name in table.columns}
    return read_labels(guessed, image=table.image_column(), columns=there)


def _in_our_words(
    item: AnnotationItem, names: Mapping[str, str | None], findings: Sequence[str], labels: Labels
) -> list[AnnotationItem]:
    """The item once for each finding of the network that it is about, none where it shall be left out.

    Raises CaseError: "unknown_finding", "ambiguous_finding".
    """
    if item.finding is None:
        return _in_words_of_labels(item, findings, labels)
    ours = names.get(item.finding, item.finding)
    if ours is None:
        return []
    if ours not in findings:
        raise UnknownFindingError("unknown_finding", UNKNOWN)
    return [replace(item, finding=ours)]


def _in_words_of_labels(
    item: AnnotationItem, findings: Sequence[str], labels: Labels
) -> list[AnnotationItem]:
    """The item as the one finding that is present, or as the absence of all that are known to be absent."""
    present = [name for name in findings if labels.get(name) == 1]
    absent = [name for name in findings if labels.get(name) == 0]
    if len(present) > 1:
        raise CaseError(
            "ambiguous_finding",
            "the image's labels name several findings; "
            "say which with the pattern's {finding} or the source's finding",
        )
    if not (present or absent):
        raise CaseError(
            "unknown_finding",
            "the annotation names no finding, and no label of its image says which one is present",
        )
    return [replace(item, finding=name, absent=not present) for name in present or absent]


def _held(items: Iterable[AnnotationItem]) -> list[AnnotationItem]:
    """The items with hashes of their files, to which the workers hold what they read."""
    known = cache(contents)
    return [replace(item, held={path: known(path) for path in _paths(item)}) for item in items]


def _paths(item: AnnotationItem) -> Iterator[str]:
    if "path" in item.payload:
        yield str(item.payload["path"])
    yield from cast("tuple[str, ...]", item.payload.get("paths", ()))


def _digest(items: Iterable[AnnotationItem], labels: Iterable[Labels]) -> str:
    """A hash over the annotations, the contents of their files wherever these lie, and the labels."""
    total = hashlib.sha256()
    for item in items:
        for held in item.held.values():
            total.update(held.encode())
        payload = {name: value for name, value in item.payload.items() if name not in {"path", "paths"}}
        facts = (item.format, item.image, item.finding, item.reader, item.frame, payload)
        total.update(repr(facts).encode())
    for known in labels:
        total.update(repr(sorted(known.items())).encode())
    return total.hexdigest()
