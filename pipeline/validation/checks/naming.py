"""Naming: annotations whose finding is unknown or missing."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from pipeline.registry import did_you_mean
from pipeline.validation.checks.check import Check, Found, all_annotation_count, annotation_count, percent
from pipeline.validation.facts import StudySet, Vocabulary

UNKNOWN, AMBIGUOUS = "unknown_finding", "ambiguous_finding"
RARE = 0.1
"""Largest number of annotations of a possibly misspelt name, as a share of those of the similar name."""
NEARLY = 0.8
"""Least similarity (ratio of difflib) of two names that may be the same."""


def _unknown(study: StudySet) -> Iterator[Found]:
    """One problem per name; unknown names are replaced by pseudonyms."""
    subjects: dict[str, list[str]] = {}
    for entry in study.refused:
        if entry.reason == UNKNOWN and entry.finding:
            subjects.setdefault(entry.finding, []).append(entry.subject)
    known = dict.fromkeys(study.vocabulary.findings)
    for word, annotated in subjects.items():
        yield Found(
            f"'{word}' is not one of the findings; {_annotations(len(annotated))} of it "
            f"{'is' if len(annotated) == 1 else 'are'} skipped{_sentence_end(did_you_mean(word, known))}",
            tuple(dict.fromkeys(annotated)),
            word,
            items=len(annotated),
        )


def _undeclared(study: StudySet) -> Iterator[Found]:
    vocabulary = study.vocabulary
    for word, count in vocabulary.words.items():
        if not word or (vocabulary.declared and word in vocabulary.declared):
            continue
        known = list(vocabulary.declared)
        meant = did_you_mean(vocabulary.spelled.get(word, word), known)
        reason = f", which the config does not name{meant}" if known else ""
        reason = reason or _misspelling(word, vocabulary)
        if reason:
            yield Found(
                f"{_annotations(count)} {'has' if count == 1 else 'have'} the finding "
                f"'{word}'{_sentence_end(reason)}",
                _subjects(study, word),
                word,
            )


def _nameless(study: StudySet) -> Iterator[Found]:
    for entry in study.refused:
        if entry.reason == AMBIGUOUS or (entry.reason == UNKNOWN and not entry.finding):
            yield Found(
                f"{entry.message[:1].upper()}{entry.message[1:]}.", (entry.subject,), reader=entry.reader
            )


def _misspelling(word: str, vocabulary: Vocabulary) -> str:
    """The end of a sentence about a rare name that resembles a frequent one; empty if it does not."""
    counts, spelled = vocabulary.words, vocabulary.spelled
    frequent = [name for name, count in counts.items() if counts[word] <= RARE * count]
    plain = {spelled.get(name, name).casefold(): name for name in frequent}
    close = get_close_matches(spelled.get(word, word).casefold(), plain, n=1, cutoff=NEARLY)
    if not close:
        return ""
    name = plain[close[0]]
    return f"; did you mean '{name}', which has {counts[name]:,} annotations?"


def _sentence_end(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _annotations(count: int) -> str:
    return f"{count:,} annotation{'' if count == 1 else 's'}"


def _subjects(study: StudySet, finding: str) -> tuple[str, ...]:
    return tuple(image.case_id for image in study.images if finding in image.annotated)


UNKNOWN_FINDING = Check(
    title="Unknown finding",
    level="error",
    looks_for="names of findings in annotations that are not in the model card and that the config neither "
    "translates nor skips; without a model card, words that seem to say that nothing was found",
    remedy="Under annotations.findings, map the name to a finding, or to null to skip it; list words for "
    "“nothing found” under annotations.no_finding. "
    "crosswalk.csv holds the name that the annotation uses.",
    of="annotations",
    count=all_annotation_count,
    find=_unknown,
    stops_at=1,
)
UNDECLARED_FINDING = Check(
    title="Finding not named in the config",
    level="warning",
    looks_for="names of findings in annotations that the config does not name, if it names any; otherwise, "
    f"rare names (at most {percent(RARE)} of the annotations of another name) that are spelt almost like the "
    "other name",
    remedy="Under annotations.findings, map the name to the right finding, or to null to skip it.",
    of="annotations",
    count=annotation_count,
    find=_undeclared,
)
NAMELESS = Check(
    title="Annotation without a finding",
    level="error",
    looks_for="annotations that name no finding, on images whose labels call no finding, or several, present",
    remedy="Name the finding: with {finding} in the pattern, with the source's key finding, or by a label.",
    of="annotations",
    count=all_annotation_count,
    find=_nameless,
    stops_at=1,
)
