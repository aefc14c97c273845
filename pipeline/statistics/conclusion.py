"""Conclusion: whose fault it is, in one sentence per finding, by the first rule of a table that applies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from pipeline.records import Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS, Conclusion, Standing
from pipeline.records.probes import Answer
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.probe_suspicions import SHORTCUT
from pipeline.statistics.verdict import VerdictRow

HALF = 0.5
"""Share of images beyond which a map counts as pointing at lesions, whatever baselines do."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one finding."""

    pointing: Standing
    """Standing of the question whether the map points at lesions better than baselines."""
    hits: tuple[float, float] | None = None
    """Interval of the share of images in which the map points at a lesion; None if unknown."""
    use: Answer = "cannot_tell"
    """Whether the network needs the annotated regions."""
    suspicions: Sequence[Suspicion] = ()
    """Those of the finding, and those of all findings."""

    @property
    def is_shown(self) -> bool:
        """Whether the map points at lesions better than baselines, or in more than half of the images."""
        return self.pointing == "better" or (self.hits is not None and self.hits[0] > HALF)

    @property
    def is_missed(self) -> bool:
        """Whether the map points at lesions worse than a baseline, or in less than half of the images."""
        return self.pointing == "worse" or (self.hits is not None and self.hits[1] < HALF)

    @property
    def has_shortcut(self) -> bool:
        """Whether the network was seen to need something that no lesion changes."""
        return any(one.rule.startswith(SHORTCUT) and one.strength == "strong" for one in self.suspicions)

    def strong(self, suspect: Suspect) -> bool:
        """Whether anything speaks strongly against a suspect."""
        return any(one.suspect == suspect and one.strength == "strong" for one in self.suspicions)


@dataclass(frozen=True, slots=True)
class Rule:
    """A conclusion, and when it is drawn."""

    conclusion: Conclusion
    applies: Callable[[Facts], bool]
    when: str
    """The condition in words, for the documentation."""
    suspects: tuple[Suspect, ...] = field(default=())
    """Suspects that agree with the conclusion; strong suspicions against others contradict it."""


RULES: tuple[Rule, ...] = (
    Rule(
        "weights",
        lambda f: f.strong("weights"),
        "something speaks strongly against the weights",
        ("weights",),
    ),
    Rule("card", lambda f: f.strong("card"), "something speaks strongly against the card", ("card",)),
    Rule("labels", lambda f: f.strong("labels"), "something speaks strongly against the labels", ("labels",)),
    Rule(
        "masks",
        lambda f: f.strong("masks") and not f.has_shortcut,
        "something speaks strongly against the annotations, and the AUROC falls with no shortcut",
        ("masks",),
    ),
    Rule(
        "not_used",
        lambda f: f.use == "not_used",
        "the output does not change without the annotated region",
        ("network",),
    ),
    Rule(
        "shortcut",
        lambda f: f.has_shortcut and not (f.use == "used" and f.is_shown),
        "the AUROC falls without something that no lesion changes, and it is not shown that the output falls "
        "without the annotated region and the map points at it",
        ("network",),
    ),
    Rule(
        "shown",
        lambda f: f.use == "used" and f.is_shown,
        "the output falls without the annotated region, and the map points at it better than every baseline, "
        "or in more than half of the images",
    ),
    Rule(
        "not_shown",
        lambda f: f.use == "used" and f.is_missed,
        "the output falls without the annotated region, but the map points at it worse than a baseline, or "
        "in less than half of the images",
        ("map",),
    ),
    Rule("used", lambda f: f.use == "used", "the output falls without the annotated region"),
    Rule("too_few", lambda _: True, "nothing else applies", ("too_few",)),
)
"""In order: the first that applies is the conclusion."""


def conclude(facts: Facts) -> tuple[Conclusion, tuple[Suspicion, ...]]:
    """The conclusion, and the strong suspicions that contradict it."""
    rule = next(rule for rule in RULES if rule.applies(facts))
    against = [s for s in facts.suspicions if s.strength == "strong" and s.suspect not in rule.suspects]
    return rule.conclusion, tuple(against)


def with_conclusions(
    rows: Sequence[VerdictRow], effects: Sequence[ProbeEffect], suspicions: Sequence[Suspicion]
) -> list[VerdictRow]:
    """The rows of verdict.csv with each finding's conclusion and what contradicts it."""
    pointing = {row.finding: row for row in rows if row.question == "pointing"}
    drawn = {
        finding: conclude(facts_of(finding, pointing.get(finding), effects, suspicions))
        for finding in {row.finding for row in rows}
    }
    return [
        replace(
            row, conclusion=drawn[row.finding][0], against=" ".join(s.rule for s in drawn[row.finding][1])
        )
        for row in rows
    ]


def facts_of(
    finding: str, pointing: VerdictRow | None, effects: Iterable[ProbeEffect], suspicions: Iterable[Suspicion]
) -> Facts:
    """What the tables of a run say about one finding."""
    answers = {e.answer for e in effects if e.finding == finding and e.measure == "log_odds"}
    use: Answer = next((answer for answer in ("used", "not_used") if answer in answers), "cannot_tell")
    standing = "unknown" if pointing is None else pointing.standing or "unknown"
    hits = None if pointing is None or pointing.low is None else (pointing.low, pointing.high or 1.0)
    return Facts(standing, hits, use, tuple(s for s in suspicions if s.finding in {finding, ALL_FINDINGS}))
