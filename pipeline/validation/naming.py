"""Naming: findings that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from pipeline.registry import did_you_mean
from pipeline.validation.check import Check, Found, percent, words
from pipeline.validation.facts import StudySet

UNKNOWN, AMBIGUOUS = "unknown_finding", "ambiguous_finding"
RARE = 0.1
"""Of the annotations of another finding: a name that is rarer, and nearly the same, may be a slip."""
NEARLY = 0.8
"""difflib's ratio of two names that look like one."""


def _unknown(study: StudySet) -> Iterator[Found]:
    """One for each name, however often it occurs; names that nobody knows come under pseudonyms."""
    subjects: dict[str, list[str]] = {}
    for entry in study.refused:
        if entry.reason == UNKNOWN and entry.finding:
            subjects.setdefault(entry.finding, []).append(entry.subject)
    known = dict.fromkeys(study.vocabulary.findings)
    for word, those in subjects.items():
        yield Found(
            f"'{word}' is no finding of the network, and {_annotations(len(those))} so called is left out"
            f"{_sentence_end(did_you_mean(word, known))}",
            tuple(dict.fromkeys(those)),
            word,
        )


def _undeclared(study: StudySet) -> Iterator[Found]:
    vocabulary = study.vocabulary
    for word, count in vocabulary.words.items():
        if not word or (vocabulary.declared and word in vocabulary.declared):
            continue
        known = list(vocabulary.declared)
        meant = f", which the config does not name{did_you_mean(word, known)}" if known else ""
        meant = meant or _slip_of(word, vocabulary.words)
        if meant:
            yield Found(
                f"{_annotations(count)} {'is' if count == 1 else 'are'} about '{word}'{_sentence_end(meant)}",
                _subjects(study, word),
                word,
            )


def _nameless(study: StudySet) -> Iterator[Found]:
    for entry in study.refused:
        if entry.reason == AMBIGUOUS or (entry.reason == UNKNOWN and not entry.finding):
            yield Found(
                f"{entry.message[:1].upper()}{entry.message[1:]}.", (entry.subject,), reader=entry.reader
            )


def _slip_of(word: str, counts: Mapping[str, int]) -> str:
    """The end of a sentence about a rare name that looks like a frequent one; empty where it does not."""
    frequent = [name for name, count in counts.items() if counts[word] <= RARE * count]
    plain = {name.casefold(): name for name in frequent}
    close = get_close_matches(word.casefold(), plain, n=1, cutoff=NEARLY)
    return f"; did you mean '{plain[close[0]]}', as {counts[plain[close[0]]]:,} are called?" if close else ""


def _sentence_end(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _annotations(count: int) -> str:
    return f"{count:,} annotation{'' if count == 1 else 's'}"


def _subjects(study: StudySet, finding: str) -> tuple[str, ...]:
    return tuple(image.case_id for image in study.images if finding in image.annotated)


UNKNOWN_FINDING = Check(
    title="Finding that the network does not know",
    level="error",
    looks_for="names of findings in annotations that are none of the model card's, and that the config "
    "neither translates nor leaves out; looked for where a model is given",
    remedy="Say under annotations.findings which finding of the network is meant, or null to leave it out. "
    "The crosswalk says what the annotation calls it.",
    of="annotations",
    count=words,
    find=_unknown,
)
UNDECLARED_FINDING = Check(
    title="Finding that the config does not name",
    level="warning",
    looks_for="names of findings in annotations that the config does not name, where it names any; else "
    f"names that are rare (at most {percent(RARE)} of another's annotations) and spelt nearly like that "
    "other",
    remedy="Say under annotations.findings which finding is meant, or null to leave it out.",
    of="annotations",
    count=words,
    find=_undeclared,
)
NAMELESS = Check(
    title="Annotation without a finding",
    level="error",
    looks_for="annotations that name no finding, where no label of the image says which one is present, or "
    "several are",
    remedy="Name the finding with the pattern's {finding}, the source's finding, or the image's labels.",
    of="annotations",
    count=words,
    find=_nameless,
)
