"""Baseline: what `make trust-quick` found last, so that no change makes it worse unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.phantoms.lesions import FINDINGS
from tests.trust.audits import Said
from tests.trust.defects import DEFECTS, FAMILIES
from tests.trust.jobs import CLEAN, Job
from tests.trust.scoring import full_dose, is_false_alarm
from tests.trust.tables import Answers, aligned, scored

FILE = Path(__file__).parent / "baseline.json"
SEED = 1
DEFECTS_OF_QUICK = (
    "random_head", "garbage", "inverted", "other_order", "labels",
    "masks_mirrored", "masks_others", "marker", "frame", "few_patients",
)  # fmt: skip
"""Two or more of each family but the last."""
TWINS_OF_QUICK = ("plain", "slightly_other", "reordered", "marker_anywhere")


def quick_jobs() -> list[Job]:
    """Ten defects at full dose, and four clean setups."""
    return sorted(
        {Job(SEED, name, full_dose(name)) for name in DEFECTS_OF_QUICK}
        | {Job(SEED, name) for name in TWINS_OF_QUICK}
    )


def found(answers: Answers) -> dict[str, Any]:
    """Family → number of named defects, and the clean setups that accuse somebody."""
    rows = scored({**answers, **_as_twins(answers)})
    return {
        "named": {
            family: sum(row.seen.named for row in rows if DEFECTS[row.job.name].family == family)
            for family in FAMILIES
        },
        "false_alarms": sorted(
            job.name for job, answer in answers.items() if job.dose == CLEAN and is_false_alarm(answer)
        ),
    }


def worse(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """What the baseline did better."""
    fewer = [
        f"{family}: {now['named'][family]} named, {count} before"
        for family, count in before["named"].items()
        if now["named"][family] < count
    ]
    new = [name for name in now["false_alarms"] if name not in before["false_alarms"]]
    return [*fewer, *(f"{name}: a false alarm, none before" for name in new)]


def stored() -> dict[str, Any]:
    """The committed baseline."""
    known: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return known


def store(now: Mapping[str, Any]) -> None:
    """Replace the baseline."""
    FILE.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")


def _as_twins(answers: Answers) -> Answers:
    """The plain setup in place of twins that are not among the quick ones."""
    plain = answers[Job(SEED, "plain")]
    return {
        Job(SEED, DEFECTS[name].twin): plain
        for name in DEFECTS_OF_QUICK
        if Job(SEED, DEFECTS[name].twin) not in answers
    }


def lines(answers: Answers) -> list[str]:
    """One line per audit: what it says of each finding."""
    cells = [("setup", *FINDINGS)]
    for job, answer in sorted(answers.items(), key=lambda item: (item[0].dose == CLEAN, item[0])):
        words = [_word(answer.findings.get(finding)) for finding in FINDINGS]
        cells.append((job.name, *words) if not answer.stopped else (job.name, "stopped", "", "", ""))
    return aligned(cells)


def _word(said: Said | None) -> str:
    """The conclusion, with the suspects of strong suspicions."""
    if said is None:
        return ""
    suspects = ",".join(sorted({suspect for _, suspect in said.strong}))
    return f"{said.conclusion} ({suspects})" if suspects else said.conclusion
