"""Vocabulary: which findings a validation knows, from the model card, or else from config and annotations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import MASK_FOLDER, SUFFIXES, guess_sources
from pipeline.annotations.tables import read_table
from pipeline.contracts import Executor
from pipeline.joints.intake import Pseudonym
from pipeline.joints.plan import ValidationPlan
from pipeline.joints.truth import Labels, labels_by_name
from pipeline.records import AnnotationItem
from pipeline.validation.facts import Vocabulary

UNNAMED = "lesion"
"""What masks are of, where nothing names a finding."""
PICTURE_FOLDER = re.compile(r"image|picture|preview|thumb|dicom|stud(y|ies)", re.IGNORECASE)
"""Folders whose PNG files show the images themselves."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was said, and in which words."""

    items: Sequence[AnnotationItem]
    vocabulary: Vocabulary
    labels: Mapping[str, Labels]
    """By image."""
    unknown: Mapping[str, str]
    """Pseudonym → a word that the config, which names others, does not name, for the crosswalk."""


def read_words(plan: ValidationPlan, executor: Executor, pseudonym: Pseudonym) -> Words:
    """The annotations, the findings that they and the config know, and the labels by image.

    Where nobody declares findings, the annotators' words are the findings.
    """
    declared = _declared(plan)
    items = find_annotations(plan.annotations, _sources(plan, declared), executor=executor)
    names = plan.config.annotations.findings
    said = Counter(names.get(item.finding, item.finding) for item in items if item.finding is not None)
    words = {word: count for word, count in said.items() if word is not None}
    if plan.card:
        findings = plan.card.findings
        vocabulary = Vocabulary(findings, findings, {w: count for w, count in words.items() if w in findings})
    else:
        vocabulary = Vocabulary(tuple(dict.fromkeys((*declared, *words))), declared, words)
    labels = _labels(plan, vocabulary.findings)
    strange = [word for word in words if word and word not in declared]
    unknown = {word: pseudonym("finding", word) for word in strange} if declared and not plan.card else {}
    return _renamed(Words(items, vocabulary, labels, {}), unknown, names)


def _renamed(said: Words, unknown: Mapping[str, str], names: Mapping[str, str | None]) -> Words:
    """The same with pseudonyms for the words in `unknown`."""

    def ours(word: str) -> str:
        return unknown.get(word, word)

    known = said.vocabulary

    def renamed(item: AnnotationItem) -> AnnotationItem:
        word = names.get(item.finding or "") or item.finding or ""
        return replace(item, finding=unknown[word]) if word in unknown else item

    return Words(
        [renamed(item) for item in said.items],
        Vocabulary(
            tuple(map(ours, known.findings)),
            known.declared,
            {ours(word): count for word, count in known.words.items()},
        ),
        {
            image: {ours(word): label for word, label in labels.items()}
            for image, labels in said.labels.items()
        },
        {name: word for word, name in unknown.items()},
    )


def _declared(plan: ValidationPlan) -> tuple[str, ...]:
    """The findings of the card, or those that the config names."""
    if plan.card:
        return plan.card.findings
    annotations = plan.config.annotations
    meant = [word for word in annotations.findings.values() if word]
    labelled = annotations.labels.columns if annotations.labels else ()
    of_sources = [str(source["finding"]) for source in annotations.sources if source.get("finding")]
    return tuple(dict.fromkeys((*meant, *labelled, *of_sources)))


def _sources(plan: ValidationPlan, declared: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """The config's sources, or guessed ones, in which folders of masks are named like findings."""
    if plan.config.annotations.sources:
        return plan.config.annotations.sources
    folders = list(_folders_of_masks(plan.annotations))
    guessed = guess_sources(plan.annotations, findings=[*folders, *declared])
    if declared or folders:
        return guessed
    return [
        {**source, "finding": UNNAMED} if source["format"] in SUFFIXES.values() else source
        for source in guessed
    ]


def _folders_of_masks(path: Path) -> Iterator[str]:
    """Names of folders, at most two deep, that hold mask files and may be those of findings."""
    for folder in sorted([*path.glob("*/"), *path.glob("*/*/")]):
        if MASK_FOLDER.search(folder.name) or PICTURE_FOLDER.search(folder.name):
            continue
        if any(any(folder.glob(f"[!.]*{suffix}")) for suffix in SUFFIXES):
            yield folder.name


def _labels(plan: ValidationPlan, findings: Sequence[str]) -> Mapping[str, Labels]:
    """SOP instance UID or stem → labels; of a table whose columns the config leaves open, those there are."""
    labels = plan.labels()
    if labels is not None and not labels[2]:
        file, image, _ = labels
        there = read_table(file).columns
        labels = file, image, {finding: [finding] for finding in findings if finding in there}
    return labels_by_name(plan.annotations, labels, findings)
