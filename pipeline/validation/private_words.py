"""Private words: names of findings and readers that may be free text about one patient → pseudonyms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, TypeVar

from pipeline.cohort.index import Pseudonym
from pipeline.cohort.lookup import ImageLookup, Join
from pipeline.contracts import Executor
from pipeline.errors import CaseError
from pipeline.ground_truth.affixes import names_of, without_affixes
from pipeline.ground_truth.inputs import FoundItems
from pipeline.ground_truth.matching import Truth
from pipeline.records import AnnotationItem, Case, Notice
from pipeline.records.names import CONSENSUS_READERS, LABELS_READER
from pipeline.validation.facts import Vocabulary
from pipeline.validation.plan import ValidationPlan
from pipeline.validation.vocabulary import UNNAMED, Words, with_labels

UNNAMED_READER = "reader"
"""Reader of annotations that name none."""
Shared: TypeAlias = Mapping[tuple[Literal["finding", "reader"], str], set[str]]
"""Kind and name → the patients whose annotations have it."""
Value = TypeVar("Value")


def hide_private_words(
    plan: ValidationPlan,
    words: Words,
    cases: Sequence[Case],
    pseudonym: Pseudonym,
    *,
    executor: Executor,
) -> Words:
    """The words with labels and with pseudonyms for private names of findings and readers.

    A finding is private if neither card nor config names it; where these name none at all, if the annotations
    of fewer than `validation.public_words` patients have it. A reader is private if the config does not name
    it and it annotated fewer patients than that. A patient counts once, however many images it has.
    """
    vocabulary, fewest = words.vocabulary, plan.config.validation.public_words
    patients = patients_by_name(words.items, cases, plan.config.annotations.join)
    public = {name for name, known in patients.items() if len(known) >= fewest}
    named = {*vocabulary.declared, UNNAMED}
    findings = {
        word: pseudonym("finding", word)
        for word in vocabulary.findings
        if word not in named and (vocabulary.declared or ("finding", word) not in public)
    }
    stated = {UNNAMED_READER, LABELS_READER, *CONSENSUS_READERS, *_stated_readers(plan)}
    readers = {
        name: pseudonym("reader", name)
        for name in {item.reader for item in words.items.items} - stated
        if ("reader", name) not in public
    }
    shown = [word for word in vocabulary.findings if word not in findings]
    labelled = with_labels(plan, words, public=shown, executor=executor)
    return _renamed(labelled, findings, readers)


def with_hidden(truth: Truth, words: Words, fewest: int) -> Truth:
    """The truth with the pseudonyms of `words` for the crosswalk, and a warning with their number."""
    hidden = {"finding": words.unknown, "reader": words.private_readers}
    counts = {kind: len(names) for kind, names in hidden.items() if names}
    if words.vocabulary.declared:  # a check names each of these
        counts.pop("finding", None)
    parts = [f"{count:,} name{'s'[: count > 1]} of a {kind}" for kind, count in counts.items()]
    text = (
        f"Shown as pseudonyms, because fewer than {fewest} patients share them: {' and '.join(parts)}; "
        "crosswalk.csv lists them. To show a finding, name all findings under annotations.findings"
    )
    notices = [Notice("warning", "validation.public_words", text)] if parts else []
    return replace(
        truth,
        notices=(*truth.notices, *notices),
        unknown_words={**truth.unknown_words, **words.unknown},
        private_readers=words.private_readers,
    )


def patients_by_name(found: FoundItems, cases: Sequence[Case], join: Join | None) -> Shared:
    """The patients of each finding's and reader's annotations, as far as these have an image."""
    items = without_affixes(found, names_of(cases)).items
    images = ImageLookup(cases, (item.image for item in items), join=join or "auto")
    patients: dict[tuple[Literal["finding", "reader"], str], set[str]] = defaultdict(set)
    for item in items:
        try:
            patient = images.owner(item, what="annotation").patient_id
        except CaseError:
            continue
        patients["reader", item.reader].add(patient)
        if item.finding:
            patients["finding", item.finding].add(patient)
    return patients


def _stated_readers(plan: ValidationPlan) -> Iterator[str]:
    """The readers that the config's sources name."""
    return (str(source["reader"]) for source in plan.config.annotations.sources if source.get("reader"))


def _renamed(words: Words, findings: Mapping[str, str], readers: Mapping[str, str]) -> Words:
    """The words with pseudonyms, which come after all public names and in their own order."""
    vocabulary, labels = words.vocabulary, words.labels

    def rename(item: AnnotationItem) -> AnnotationItem:
        finding = findings.get(item.finding or "", item.finding)
        return replace(item, finding=finding, reader=readers.get(item.reader, item.reader))

    hidden = {*findings.values(), *readers.values()}
    items = [rename(item) for item in words.items.items]
    items.sort(
        key=lambda item: [name if name in hidden else "" for name in (item.finding or "", item.reader)]
    )
    return replace(
        words,
        items=replace(words.items, items=items),
        vocabulary=Vocabulary(
            tuple(_keyed(dict.fromkeys(vocabulary.findings), findings)),
            vocabulary.declared,
            _keyed(vocabulary.words, findings),
            spelled=_inverted(findings),
        ),
        labels=replace(labels, rows={image: _keyed(row, findings) for image, row in labels.rows.items()}),
        unknown=_inverted(findings),
        private_readers=_inverted(readers),
    )


def _keyed(values: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    """The values under other names; renamed ones last, sorted, so that their order tells nothing."""
    kept = {name: value for name, value in values.items() if name not in names}
    renamed = {names[name]: value for name, value in values.items() if name in names}
    return kept | {name: renamed[name] for name in sorted(renamed)}


def _inverted(names: Mapping[str, str]) -> dict[str, str]:
    """Pseudonym → name, in the order of the pseudonyms."""
    return dict(sorted((pseudonym, name) for name, pseudonym in names.items()))
