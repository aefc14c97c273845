"""Inputs: print notices, and how a command reads its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import yaml
from rich.console import Console

from pipeline.cli.terminal import notice_lines, visible
from pipeline.plan import RunPlan
from pipeline.records import Notice
from pipeline.validation.plan import ValidationPlan

if TYPE_CHECKING:  # loads pandas
    from pipeline.run.notices import ShowNotices

WIDTH = 100
"""Columns of a printed config."""


def notify_on(console: Console) -> ShowNotices:
    """A function that prints notices."""

    def show(notices: Sequence[Notice]) -> None:
        for line in notice_lines(notices):
            console.print(visible(line))

    return show


def explain_inputs(plan: RunPlan | ValidationPlan, console: Console) -> int:
    """Print how the inputs are read, and return the exit code; nothing is written and no torch loaded."""
    from pipeline.run.explained_inputs import explained_inputs  # noqa: PLC0415  # loads pydicom
    from pipeline.run.notices import collected, stated  # noqa: PLC0415
    from pipeline.validation.inputs import read_inputs  # noqa: PLC0415

    cohort, truth = read_inputs(plan)
    for line in explained_inputs(cohort, truth):
        console.print(visible(line))
    notices = collected(cohort.notices, truth.notices)
    notify_on(console)(notices)
    config = stated(notices)
    if config:
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=WIDTH)
        console.print(visible(f"A config that states all guesses:\n{text}"))
    return 0
