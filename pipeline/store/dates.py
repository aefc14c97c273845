"""Dates: the day on which an output folder was first written."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from pipeline.run_files.objects import read_created


def date_created(folder: Path) -> str:
    """The ISO date, in UTC, on which the manifest of `folder` was first written; today's if there is none.

    A manifest that cannot be read counts as none, because a run that goes on writes it again.

    The environment variable `SOURCE_DATE_EPOCH` (seconds since 1970) stands in for the clock, so that runs on
    different days give the same bytes (reproducible-builds.org).
    """
    created = read_created(folder)
    if created is not None:
        return created
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), tz=UTC) if epoch.isdecimal() else datetime.now(tz=UTC)
    return now.date().isoformat()
