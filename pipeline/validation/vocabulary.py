"""Vocabulary: the findings of a validation, from the model card, or else from config and annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.annotations.guess import MASK_FOLDER, SUFFIXES
from pipeline.annotations.label_tables import label_columns
from pipeline.annotations.spelling import plain, same
from pipeline.annotations.tables import read_table
from pipeline.annotations.unread import PICTURE_FOLDER
from pipeline.cohort.index import Cohort, Pseudonym
from pipeline.contracts import Executor
from pipeline.ground_truth.inputs import (
    FoundItems,
    FoundLabels,
    LabelTask,
    find_items,
    find_labels,
    labels_in_worker,
    labels_of_columns,
)
from pipeline.ground_truth.matching import Truth, match_annotations, with_unread
from pipeline.ground_truth.unread import find_unread
from pipeline.ground_truth.words import NORMAL
from pipeline.validation.facts import Vocabulary
from pipeline.validation.plan import ValidationPlan

UNNAMED = "lesion"
"""Finding of masks if neither config nor annotations name one."""


@dataclass(frozen=True, slots=True)
class Words:
    """Annotations and labels with their finding names."""

    items: FoundItems
    vocabulary: Vocabulary
    labels: FoundLabels
    unknown: Mapping[str, str]
    """Pseudonym → finding name that the config does not list; for the crosswalk."""
    private_readers: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym → name of a reader; for the crosswalk."""


def read_words(plan: ValidationPlan, executor: Executor) -> Words:
    """The annotations, and the finding names of annotations and config; without the labels.

    If neither card nor config names findings, the names in the annotations are the findings.
    """
    declared = _declared(plan)
    items = _items(plan, declared, executor)
    annotations = plan.config.annotations
    named = (*declared, *annotations.findings)
    found = Counter(
        item.finding
        for item in items.items
        if item.finding and not _denies(item.finding, named, annotations.no_finding)
    )
    spelled = {
        word: known
        for word in found
        if word not in annotations.findings and (known := same(word, declared)) not in {None, word}
    }
    names = {**spelled, **annotations.findings}
    words: Counter[str] = Counter()
    for word, count in found.items():
        name = names.get(word, word)
        if name is not None:
            words[name] += count
    if plan.card:
        findings = plan.card.findings
        vocabulary = Vocabulary(findings, findings, {w: count for w, count in words.items() if w in findings})
    else:
        vocabulary = Vocabulary(tuple(dict.fromkeys((*declared, *words))), declared, words)
    return Words(items, vocabulary, FoundLabels({}), {})


def with_labels(plan: ValidationPlan, words: Words, *, public: Sequence[str], executor: Executor) -> Words:
    """The words with the labels by image; `public` are the findings that are no names of the input."""
    return replace(words, labels=_labels(plan, words.vocabulary.findings, public, executor))


def match_words(
    plan: ValidationPlan, words: Words, cohort: Cohort, *, pseudonym: Pseudonym, executor: Executor
) -> Truth:
    """Annotations and labels matched to cases, with the finding names of the vocabulary."""
    annotations = plan.config.annotations
    truth = match_annotations(
        words.items,
        words.labels,
        names=annotations.findings,
        denials=annotations.no_finding,
        join=annotations.join,
        findings=words.vocabulary.findings,
        cases=cohort.cases,
        pseudonym=pseudonym,
    )
    findings = [name for name in words.vocabulary.findings if name not in words.unknown]
    unread = find_unread(plan, cohort, words.items, words.labels, findings=findings, executor=executor)
    return with_unread(truth, unread, pseudonym)


def _denies(word: str, known: Sequence[str], denials: Sequence[str]) -> bool:
    """Whether a word says, or seems to say, that nothing was found; known words are findings."""
    said = same(word, (*known, *denials))
    return said in denials if said is not None else plain(word) in NORMAL


def _declared(plan: ValidationPlan) -> tuple[str, ...]:
    """The findings of the card, or else those that the config names."""
    if plan.card:
        return plan.card.findings
    annotations = plan.config.annotations
    translated = [word for word in annotations.findings.values() if word]
    labelled = annotations.labels.columns if annotations.labels else ()
    of_sources = [str(source["finding"]) for source in annotations.sources if source.get("finding")]
    return tuple(dict.fromkeys((*translated, *labelled, *of_sources)))


def _items(plan: ValidationPlan, declared: Sequence[str], executor: Executor) -> FoundItems:
    """The annotations of the config's sources, or of guessed ones; folders of masks then name findings."""
    settings = plan.config.annotations
    folders = [] if settings.sources else list(_mask_folders(plan.annotations))
    named = [] if settings.sources else [word for word in folders if same(word, declared) is None]
    found = find_items(
        plan.annotations,
        sources=settings.sources,
        findings=[*declared, *named],
        public=declared,
        words=settings.findings,
        executor=executor,
    )
    if settings.sources or declared or folders:
        return found
    masks = set(SUFFIXES.values())
    return replace(
        found,
        items=[
            replace(item, finding=UNNAMED) if item.format in masks and item.finding is None else item
            for item in found.items
        ],
    )


def _mask_folders(path: Path) -> Iterator[str]:
    """Names of folders, at most two levels deep, that hold mask files and may be named after findings."""
    for folder in sorted([*path.glob("*/"), *path.glob("*/*/")]):
        if MASK_FOLDER.search(folder.name) or PICTURE_FOLDER.search(folder.name):
            continue
        if any(any(folder.glob(f"[!.]*{suffix}")) for suffix in SUFFIXES):
            yield folder.name


def _labels(
    plan: ValidationPlan, findings: Sequence[str], public: Sequence[str], executor: Executor
) -> FoundLabels:
    """The labels by image; without configured columns, of the columns named like findings."""
    labels, words = plan.labels(), plan.config.annotations.findings
    path = plan.annotations
    if labels is None or labels.columns or labels.words is not None:
        return find_labels(path, labels, findings=findings, words=words, public=public, executor=executor)
    task = LabelTask(path, labels, tuple(findings), dict(words), tuple(public))
    return labels_in_worker(_of_named_columns, task, executor)


def _of_named_columns(task: LabelTask) -> FoundLabels:
    """The labels in the columns named like findings; runs in a worker."""
    assert task.labels is not None
    file, image = task.labels.file, task.labels.image
    found = label_columns(read_table(file), task.findings, task.words)
    # A column of a finding without labels is refused where it is read.
    bad = {name: (name,) for name in found.no_labels if name in task.findings}
    columns = {**bad, **found.by_finding}
    return labels_of_columns(file, image, columns, public=task.public)
