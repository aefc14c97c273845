"""Words: the annotators' words → findings of the network, with what was guessed and what is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.annotations.spelling import nearest, plain, same
from pipeline.errors import ConfigError
from pipeline.ground_truth.input_notices import Wording, escaped
from pipeline.records import Notice

NORMAL = frozenset({
    "nofinding", "nofindings", "normal", "none", "negative", "healthy", "nolesion", "nolesions", "clear",
    "noabnormality", "nodisease", "unremarkable", "nopathology",
})  # fmt: skip
"""Spellings of words that look as if they said that nothing was found."""
MOST_WORDS = 10
"""Most unknown words that the warning lists."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """What each of the annotators' words means."""

    findings: Mapping[str, str | None]
    """Word → finding of the network, None to leave it out; unknown words are not in it."""
    denials: frozenset[str]
    """Words that say that the reader saw none of the findings."""
    notices: tuple[Notice, ...]

    def knows(self, word: str) -> bool:
        """Whether the word has a meaning."""
        return word in self.findings or word in self.denials


def meanings_of(
    counts: Mapping[str, int],
    *,
    names: Mapping[str, str | None],
    denials: Sequence[str],
    findings: Sequence[str],
) -> Meanings:
    """The meaning of each word in `counts` (word → number of annotations, 0 where it is only unmarked).

    `names` are the config's translations and `denials` its words for "none of the findings". Words that
    differ from these only in case, spaces and punctuation are taken for them, which is a guess. Raises
    ConfigError if the config gives a word two meanings.
    """
    twice = sorted({*denials} & {*names})
    if twice:
        raise ConfigError(f"annotations.no_finding: '{twice[0]}' is in annotations.findings, too; remove one")
    known = {**{finding: finding for finding in findings}, **names}
    words = [word for word in counts if word]
    said = {word: same(word, (*known, *denials)) for word in words}
    found = {word: known[other] for word, other in said.items() if other in known}
    absent = frozenset(word for word, other in said.items() if other in denials)
    notices = (
        *_spelled(words, said, found),
        *_unknown([word for word, other in said.items() if other is None and counts[word]], counts, findings),
    )
    return Meanings(found, absent, notices)


def _spelled(
    words: Sequence[str], said: Mapping[str, str | None], found: Mapping[str, str | None]
) -> list[Notice]:
    """One guess for the words that are known only in another spelling."""
    guessed = [word for word in words if said[word] not in {None, word}]
    if not guessed:
        return []
    wording = Wording()
    listed = ", ".join(
        f"{wording(word)} is "
        f"{escaped(found[word] or 'left out') if word in found else 'none of the findings'}"
        for word in guessed
    )
    pin: dict[str, object] = {"findings": {word: found[word] for word in guessed if word in found}}
    pin |= {"no_finding": others} if (others := [word for word in guessed if word not in found]) else {}
    message = f"Words that are spelled otherwise than those of model and config: {listed}"
    return [Notice("guess", "annotations.findings", message, tuple(wording.names), {"annotations": pin})]


def _unknown(words: Sequence[str], counts: Mapping[str, int], findings: Sequence[str]) -> list[Notice]:
    """A warning for words that seem to say that nothing was found, and one for all other unknown words."""
    normal = [word for word in words if plain(word) in NORMAL]
    others = [word for word in words if word not in normal]
    notices = []
    if normal:
        wording = Wording()
        text = (
            f"Not used: {_annotations(normal, counts)} with {wording.listed(normal)}; if that says that the "
            "reader saw none of the findings, state it"
        )
        pin = {"annotations": {"no_finding": [*normal]}}
        notices.append(Notice("warning", "annotations.no_finding", text, tuple(wording.names), pin))
    if others:
        wording = Wording()
        near = {word: nearest(word, findings) for word in others}
        listed = ", ".join(
            f"{wording(word)} (nearest finding: {escaped(near[word])})" if near[word] else wording(word)
            for word in others[:MOST_WORDS]
        )
        more = f" and {len(others) - MOST_WORDS:,} more" if len(others) > MOST_WORDS else ""
        text = f"Not used: {_annotations(others, counts)} of words that are no finding: {listed}{more}"
        pins = {"annotations": {"findings": {word: near[word] or None for word in others[:MOST_WORDS]}}}
        notices.append(Notice("warning", "annotations.findings", text, tuple(wording.names), pins))
    return notices


def _annotations(words: Sequence[str], counts: Mapping[str, int]) -> str:
    total = sum(counts[word] for word in words)
    return f"{total:,} annotation{'' if total == 1 else 's'}"
