"""Scoring: whether an audit saw a planted defect, named it, or blamed another; as shares with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline.statistics.proportions import clopper_pearson
from tests.trust.audits import Answer, Said
from tests.trust.defects import DEFECTS, Defect

BLAMES: Mapping[str, str] = {
    "weights": "weights",
    "card": "card",
    "masks": "masks",
    "labels": "labels",
    "shortcut": "network",
    "not_shown": "map",
}
"""Conclusion → whom it blames; others blame nobody. See `_blamed` for "not_used"."""
NOT_USED = "not_used"
CANNOT_TELL = "too_few"
"""A conclusion, and a suspect: it says that the study set cannot tell, which blames nobody."""
WORDS: Mapping[str, tuple[str, ...]] = {
    "labels": ("label",),
    "masks": ("annotation", "mask"),
    "card": ("card", "activation", "preprocessing", "outputs"),
    "weights": ("weights", "finite"),
    "too_few": ("patients", "too few"),
}
"""Suspect → words by which the message of a run that stopped names it."""
CONFIDENCE = 0.95


class Seen(NamedTuple):
    """What an audit made of one planted defect."""

    alarm: bool
    """It says that something is wrong, or that it cannot tell where it could tell of the clean twin."""
    named: bool
    """A right suspect is the conclusion or strongly suspected."""
    misblamed: bool
    """A wrong suspect is the conclusion, of any finding."""


class Share(NamedTuple):
    """A number of cases, with the interval of its share (Clopper & Pearson 1934)."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """0 … 1; of nothing, 0."""
        return self.count / self.of if self.of else 0.0

    def text(self) -> str:
        """ "9/10 .90 [.55, 1.00]"."""
        if not self.of:
            return "-"
        low, high = clopper_pearson(self.count, self.of, confidence=CONFIDENCE)
        share, low_text, high_text = (_short(value) for value in (self.share, low, high))
        return f"{self.count}/{self.of} {share} [{low_text}, {high_text}]"


def seen(defect: Defect, answer: Answer, twin: Answer) -> Seen:
    """The scores of the audit of a defect, beside that of its clean twin."""
    if answer.stopped:
        named = any(word in answer.stopped for suspect in defect.suspects for word in WORDS.get(suspect, ()))
        return Seen(alarm=True, named=named, misblamed=False)
    touched = {name: answer.findings[name] for name in defect.touches}
    return Seen(
        alarm=any(_is_alarming(said, twin.findings.get(name)) for name, said in touched.items()),
        named=any(suspect in defect.suspects for said in touched.values() for suspect in _suspects(said)),
        misblamed=any(
            (blamed := _blamed(said)) is not None and blamed not in defect.suspects
            for said in answer.findings.values()
        ),
    )


def is_false_alarm(answer: Answer) -> bool:
    """Whether the audit of a clean setup accuses anybody of anything."""
    return bool(answer.stopped) or any(
        said.conclusion == NOT_USED or _suspects(said) - {CANNOT_TELL} for said in answer.findings.values()
    )


def share_of(values: Iterable[bool]) -> Share:
    """The share of true ones."""
    known = list(values)
    return Share(sum(known), len(known))


def half_seen(shares: Sequence[tuple[float, Share]]) -> float | None:
    """The first dose of which at least half is seen, of doses in rising order; None if there is none."""
    return next((dose for dose, share in shares if 2 * share.count >= share.of > 0), None)


def full_dose(name: str) -> float:
    """The largest dose of a defect."""
    return DEFECTS[name].doses[-1]


def _is_alarming(said: Said, twin: Said | None) -> bool:
    if said.conclusion in {*BLAMES, NOT_USED} or said.strong:
        return True
    return said.conclusion == CANNOT_TELL and (twin is None or twin.conclusion != CANNOT_TELL)


def _blamed(said: Said) -> str | None:
    """Whom the conclusion blames. That a region is not used may be the annotations' fault, too.

    So it blames the network only if something else speaks strongly against it.
    """
    if said.conclusion == NOT_USED:
        return "network" if any(suspect == "network" for _, suspect in said.strong) else None
    return BLAMES.get(said.conclusion)


def _suspects(said: Said) -> set[str]:
    """Whom the conclusion blames, and whom strong suspicions do; "too_few" for a conclusion that it is."""
    blamed = _blamed(said) or (CANNOT_TELL if said.conclusion == CANNOT_TELL else None)
    return {suspect for _, suspect in said.strong} | ({blamed} if blamed else set())


def _short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")
