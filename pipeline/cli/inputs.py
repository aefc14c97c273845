"""Inputs: print notices, and how a command reads its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import yaml
from rich.console import Console

from pipeline.cli.terminal import notice_lines, visible
from pipeline.config import AuditConfig
from pipeline.errors import ConfigError
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


def in_folders(config: AuditConfig, console: Console) -> tuple[AuditConfig, tuple[Notice, ...]]:
    """The config with what lies in an archive fetched into a folder, and what the run has to know of that."""
    if config.studies.dicomweb is None and config.annotations.dicomweb is None:
        return config, ()
    try:
        from pipeline.retrieval.archived import with_archive  # noqa: PLC0415  # loads pydicom
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"studies: the package {error.name} is missing; pip install 'heatproof[pacs]'"
        ) from error
    return with_archive(config, say=lambda line: console.print(visible(line)))


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
