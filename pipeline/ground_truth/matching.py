"""Matching: assign annotations and labels to cases, with the network's names of findings."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, cast

from pipeline.annotations import kind_of
from pipeline.annotations.labels import LabelSource
from pipeline.annotations.unread import Unread
from pipeline.cohort.index import Cohort, Pseudonym
from pipeline.cohort.lookup import ImageLookup, Join
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.ground_truth.affixes import corrected_sources, names_of, without_affixes, without_images
from pipeline.ground_truth.assigning import assigned
from pipeline.ground_truth.image_level import labels_said, with_absences
from pipeline.ground_truth.inputs import FoundItems, FoundLabels, find_items, find_labels
from pipeline.ground_truth.joining import (
    join_notices,
    joins_of,
    labels_by_case,
    rows_without_image,
)
from pipeline.ground_truth.unread import find_unread, listed, unread_notices
from pipeline.ground_truth.words import Meanings, meanings_of
from pipeline.guards.file_hashes import file_hash
from pipeline.plan import RunPlan
from pipeline.records import AnnotationItem, Case, Kind, Labels, Notice, Skipped, file_stem, scored_as
from pipeline.records.names import CONSENSUS_READERS, LABELS_READER

WITHOUT_ANNOTATIONS = Notice(
    "warning",
    "annotations.path",
    "No annotations were given, so nothing is scored: the report shows where the network looks and what it "
    "predicts, and cannot say whether that is right. Give annotations to have it scored.",
)


@dataclass(frozen=True, slots=True)
class TruthInputs:
    """What annotations and labels were read from, and how their names and words were understood."""

    items: FoundItems
    labels: FoundLabels
    meanings: Meanings
    joins: Mapping[str, int]
    """How names of images were matched → number of names."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Annotations and labels by case, with the network's names of findings."""

    items: Mapping[str, tuple[AnnotationItem, ...]]
    """Case id → annotations."""
    labels: Mapping[str, Labels]
    """Case id → image-level labels."""
    skipped: tuple[Skipped, ...]
    """Annotations and labels that are not used, with the reason."""
    skipped_images: Mapping[str, str]
    """Pseudonym → image name in an unmatched annotation, for the crosswalk."""
    kind: Kind | None
    """The kind as which all annotations are scored; None if there are several kinds, or no annotations."""
    reader: str
    """Reader of references that only a label calls absent: the only reader, else "labels"."""
    sha256: str
    """A hash over all annotation files and tables."""
    unknown_words: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym → annotators' word that is not a finding of the network, for the crosswalk."""
    private_readers: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym → name of a reader that is not shown, for the crosswalk."""
    unjoined: tuple[tuple[AnnotationItem, Skipped], ...] = ()
    """Annotations without image or finding, with the reason, which is also in `skipped`.

    A finding that the network does not have is replaced by its pseudonym.
    """
    unread: tuple[Skipped, ...] = ()
    """Files below the annotations that are not read, with the reason."""
    unread_files: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym → path of such a file below the annotations, for the crosswalk."""
    inputs: TruthInputs | None = None
    """How files, columns, words and names were read."""
    notices: tuple[Notice, ...] = ()
    """How files, columns, words and names were read where the config does not say it."""


def match(plan: RunPlan, cohort: Cohort, *, executor: Executor, pseudonym: Pseudonym) -> Truth:
    """The annotations and labels of all images in the study set, audited or not."""
    settings = plan.config.annotations
    items = find_items(
        plan.annotations,
        sources=settings.sources,
        findings=plan.findings,
        words=settings.findings,
        executor=executor,
    )
    labels = find_labels(
        plan.annotations,
        plan.labels(),
        findings=plan.findings,
        words=settings.findings,
        executor=executor,
    )
    truth = match_annotations(
        items,
        labels,
        names=settings.findings,
        denials=settings.no_finding,
        join=settings.join,
        findings=plan.findings,
        cases=cohort.cases,
        pseudonym=pseudonym,
    )
    unread = find_unread(plan, cohort, items, labels, findings=plan.findings, executor=executor)
    if plan.annotations is None:
        truth = replace(truth, notices=(WITHOUT_ANNOTATIONS, *truth.notices))
    return with_unread(truth, unread, pseudonym)


def gather_truth(
    path: Path,
    *,
    sources: Sequence[Mapping[str, Any]],
    labels: LabelSource | tuple[Path, str, Mapping[str, Sequence[str]]] | None,
    names: Mapping[str, str | None],
    findings: Sequence[str],
    cases: Sequence[Case],
    pseudonym: Pseudonym,
    executor: Executor | None = None,
    **options: Any,
) -> Truth:
    """The annotations below `path` and the labels of `cases`; `executor` reads the files.

    `labels` is a `LabelSource`, or its first three fields; `options` are those of `match_annotations`.
    Without sources, formats are guessed from the files.
    """
    given: dict[str, Any] = {"findings": findings, "words": names, "executor": executor}
    items = find_items(path, sources=sources, **given)
    found = find_labels(path, labels, **given)
    options |= {"names": names, "findings": findings, "cases": cases, "pseudonym": pseudonym}
    return match_annotations(items, found, **options)


def match_annotations(
    found: FoundItems,
    labels: FoundLabels,
    *,
    names: Mapping[str, str | None],
    findings: Sequence[str],
    cases: Sequence[Case],
    pseudonym: Pseudonym,
    denials: Sequence[str] = (),
    join: Join | None = None,
) -> Truth:
    """Annotations and labels by case.

    `names` maps annotators' words to the network's findings, None to leave one out; `denials` are words for
    "none of the findings"; `join` says what of an image's name counts, None: it is guessed.
    """
    stems = names_of(cases)
    found = without_affixes(without_images(found, cases), stems)
    _check_readers({item.reader for item in found.items})
    images = ImageLookup(cases, (item.image for item in found.items), join=join or "auto")
    of_labels = ImageLookup(cases, labels.rows, join=join or "auto")
    items = _with_hashes(found.items)
    counts = Counter(item.finding for item in items if item.finding is not None and not item.denies)
    of_sources = {id(item.unmarked): item.unmarked for item in items}.values()
    counts.update(dict.fromkeys(chain.from_iterable(of_sources), 0))
    meanings = meanings_of(counts, names=names, denials=denials, findings=findings)
    assign = partial(assigned, images=images, meanings=meanings, findings=findings, pseudonym=pseudonym)
    said, not_said = assign((item for item in items if item.says == "present"), {})
    known, skipped = labels_by_case(cases, of_labels, labels.rows, labels_said(said))
    skipped += rows_without_image(of_labels, labels.rows, pseudonym("annotation", "labels"))
    matched, unjoined = assign((item for item in items if item.says != "present"), known)
    unjoined += not_said
    matched, known = with_absences(matched, said, known, meanings)
    drawn = [item for item in items if item.says == "shapes"]
    kinds = {scored_as(kind_of(item)) for item in drawn}
    readers = {item.reader for item in drawn}
    named = [
        item.image
        for item in items
        if item.place is None and item.slice_mm is None and item.says != "nothing"
    ]
    joins = joins_of([(images, named), (of_labels, labels.rows)])
    labelled = any(value is not None for row in known.values() for value in row.values())
    sources, explained = corrected_sources(found, stems, findings=findings, labelled=labelled)
    lost = [*(n for n in named if not images.owners(n)), *(n for n in labels.rows if not of_labels.owners(n))]
    by_stem = any(file_stem(name) in stems for name in lost)
    of_names = join_notices(joins, join, explained=explained, by_stem=by_stem)
    return Truth(
        items={case_id: tuple(of_case) for case_id, of_case in matched.items()},
        labels=known,
        skipped=(*skipped, *(why for _, _, why in unjoined)),
        skipped_images={why.subject: item.image for item, _, why in unjoined if why.subject not in known},
        unjoined=tuple((reported, why) for _, reported, why in unjoined),
        unknown_words={pseudonym("finding", w): w for w in counts if w and not meanings.knows(w)},
        kind=kinds.pop() if len(kinds) == 1 else None,
        reader=readers.pop() if len(readers) == 1 else LABELS_READER,
        sha256=_digest(items, known.values()),
        notices=(*sources, *labels.notices, *meanings.notices, *of_names),
        inputs=TruthInputs(found, labels, meanings, joins),
    )


def with_unread(truth: Truth, files: Sequence[Unread], pseudonym: Pseudonym) -> Truth:
    """The truth with the files below the annotations that are not read."""
    rows, names = listed(files, pseudonym)
    notices = (*truth.notices, *unread_notices(files))
    return replace(truth, unread=rows, unread_files=names, notices=notices)


def _check_readers(names: set[str]) -> None:
    """Refuse readers named like a consensus, which would be indistinguishable in tables."""
    taken = sorted(names & CONSENSUS_READERS)
    if taken:
        raise ConfigError(
            f"annotations: a reader is called '{taken[0]}', which is reserved for the consensus of readers; "
            "set another name with the source's key reader, or rename the reader's folder"
        )


def _with_hashes(items: Iterable[AnnotationItem]) -> list[AnnotationItem]:
    """The items with the hashes of their files, so that workers notice a change."""
    cached_hash = cache(file_hash)
    return [replace(item, hashes={path: cached_hash(path) for path in _paths(item)}) for item in items]


def _paths(item: AnnotationItem) -> Iterator[str]:
    if "path" in item.payload:
        yield str(item.payload["path"])
    yield from cast("tuple[str, ...]", item.payload.get("paths", ()))


def _hashed(value: object) -> object:
    """The value with hashes in place of bytes, which may be long, for its text."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Mapping):
        return {key: _hashed(entry) for key, entry in value.items()}
    return tuple(map(_hashed, value)) if isinstance(value, tuple) else value


def _digest(items: Iterable[AnnotationItem], labels: Iterable[Labels]) -> str:
    """A hash over the annotations, the contents of their files and the labels, independent of paths."""
    total = hashlib.sha256()
    for item in items:
        for value in item.hashes.values():
            total.update(value.encode())
        payload = {name: value for name, value in item.payload.items() if name not in {"path", "paths"}}
        facts: tuple[object, ...] = (item.format, item.image, item.finding, item.reader, item.frame)
        facts += () if item.slice_mm is None else (item.slice_mm,)
        facts += (
            _hashed(payload),
            *([item.says, item.unmarked] if item.says != "shapes" or item.unmarked else []),
        )
        total.update(repr(facts).encode())
    for known in labels:
        total.update(repr(sorted(known.items())).encode())
    return total.hexdigest()
