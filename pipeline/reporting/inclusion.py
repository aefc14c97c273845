"""Inclusion: the way from files to scored images, with what was left out at each step and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.reporting import words
from pipeline.reporting.run_folder import CASE_FILES, RunFolder
from pipeline.reporting.survey import Survey

OF_IMAGES = ("load", "explain", "score")
"""Stages of skipped.csv that lose an image after it was selected."""
OF_SKIPPED = ("stage", "reason")
UNLISTED = "not listed in skipped.csv"
MOST_REASONS = 6
"""Reasons that a step names; the rest are counted together."""


@dataclass(frozen=True, slots=True)
class Left:
    """What was left out before a step, for one reason."""

    reason: str
    count: int
    file: str
    """File that says so."""
    fields: tuple[str, ...]
    """Its columns, or its keys."""


@dataclass(frozen=True, slots=True)
class Step:
    """One box of the flow: what is still in it, and what was left out before it."""

    name: str
    noun: str
    """What is counted, in the singular."""
    count: int
    key: str
    """Key of manifest.json below `studies`, or the file that was counted."""
    left: tuple[Left, ...] = ()

    @property
    def counted(self) -> str:
        """The count with its noun."""
        return words.plural(self.count, self.noun)


def inclusion(run: RunFolder, survey: Survey) -> tuple[Step, ...]:
    """Files → images → eligible → audited → scored; empty for runs of versions that did not count them."""
    studies = run.manifest.get("studies", {})
    if not {"files", "images", "selected", "audited"} <= studies.keys():
        return ()
    files, images, selected, audited = (studies[key] for key in ("files", "images", "selected", "audited"))
    keys = ("studies.images", "studies.selected")
    not_selected = Left("not chosen by select in the config", images - selected, "manifest.json", keys)
    scored = {row.case_id for row in survey.rows if row.outcome != "unjudged"}
    return (
        Step("Files below the study folder", "file", files, "studies.files"),
        Step("Images", "image", images, "studies.images", tuple(_of_stage(run, {"index"}))),
        Step(
            "Eligible", "image", selected, "studies.selected", (not_selected,) if not_selected.count else ()
        ),
        Step("Audited", "image", audited, "studies.audited", _lost(run, selected - audited)),
        Step("Compared with annotations", "image", len(scored), CASE_FILES, _unjudged(audited, len(scored))),
    )


def _of_stage(run: RunFolder, stages: set[str]) -> Iterator[Left]:
    counts = Counter(words.reason(entry.reason) for entry in run.skipped if entry.stage in stages)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for reason, count in ordered[:MOST_REASONS]:
        yield Left(reason, count, "skipped.csv", OF_SKIPPED)
    if rest := ordered[MOST_REASONS:]:
        count = sum(count for _, count in rest)
        yield Left(words.plural(len(rest), "other reason"), count, "skipped.csv", OF_SKIPPED)


def _lost(run: RunFolder, missing: int) -> tuple[Left, ...]:
    """Why selected images were not audited; what skipped.csv does not explain is counted, not dropped."""
    found = tuple(_of_stage(run, set(OF_IMAGES)))
    unlisted = missing - sum(left.count for left in found)
    keys = ("studies.selected", "studies.audited")
    return (*found, Left(UNLISTED, unlisted, "manifest.json", keys)) if unlisted > 0 else found


def _unjudged(audited: int, scored: int) -> tuple[Left, ...]:
    missing = audited - scored
    reason, fields = "neither annotated nor labelled as free of a finding", ("references", "labels")
    return (Left(reason, missing, CASE_FILES, fields),) if missing > 0 else ()
