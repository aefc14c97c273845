"""Questions about the reference standard: who annotated what, in which form, and how far readers agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipeline.dossier.answers import Answer, Question, Source, of_manifest
from pipeline.dossier.material import Material
from pipeline.dossier.numbers import key_of, of_summary
from pipeline.records.names import READER_START
from pipeline.reporting import words
from pipeline.reporting.facts import plain
from pipeline.reporting.outcomes import OUTCOMES
from pipeline.reporting.run_folder import CASE_FILES


def _readers(material: Material) -> Iterator[Answer]:
    readers = material.survey.readers
    if readers:
        text = f"{words.plural(len(readers), 'reader')}: {', '.join(readers)}"
        yield Answer(f"Annotations of {text}.", Source("scores.csv", fields=("reader",)))


def _forms(material: Material) -> Iterator[Answer]:
    annotations = material.config.get("annotations")
    if not isinstance(annotations, dict):
        return
    for key, name in (("sources", "Annotations"), ("labels", "Labels"), ("consensus", "Consensus")):
        if text := plain(annotations.get(key) or ""):
            yield Answer(
                f"{name} as the config states them: {text}.", of_manifest(f"config.annotations.{key}")
            )


def _annotated(material: Material) -> Iterator[Answer]:
    counts: dict[str, Counter[str]] = {finding: Counter() for finding in material.run.findings}
    for row in material.survey.rows:
        counts[row.finding][row.outcome] += 1
    for finding, outcomes in counts.items():
        clear = outcomes["clear"] + outcomes["false_contour"]
        lesion = sum(count for code, count in outcomes.items() if OUTCOMES[code].is_scored)
        if clear or lesion:
            yield Answer(
                f"{finding}: lesions annotated on {lesion:,} images, {clear:,} images free of it, "
                f"{outcomes['unjudged']:,} not annotated.",
                Source(CASE_FILES, fields=("references", "labels")),
            )


def _agreement(material: Material) -> Iterator[Answer]:
    for row in material.run.summaries:
        if row.method.startswith(READER_START) and row.estimate is not None:
            yield Answer(
                f"{row.finding}, {row.method} compared with {row.reader}: {of_summary(row, material)}.",
                Source("summary.csv", key_of(row), ("estimate", "low", "high", "n")),
            )


def _problems(material: Material) -> Iterator[Answer]:
    counts = Counter(
        words.reason(entry.reason)
        for entry in material.run.skipped
        if entry.stage in {"annotations", "unread"}
    )
    for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield Answer(
            f"{words.plural(count, 'annotation or file', 'annotations and files')} beside them not used; "
            f"reason: {reason}.",
            Source("skipped.csv", fields=("stage", "reason")),
        )
    if not counts and material.survey.readers:
        yield Answer("Every annotation was used.", Source("skipped.csv"))


QUESTIONS = {
    "reference.readers": Question("readers of the annotations", _readers),
    "reference.forms": Question("form of annotations and labels", _forms),
    "reference.annotated": Question("number of annotated images", _annotated),
    "reference.agreement": Question("agreement of the readers", _agreement),
    "reference.problems": Question("annotations that were not used", _problems),
}
