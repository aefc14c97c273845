"""Dates: the day on which an output folder was first written, and the moments of a run."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from pipeline.run_files.objects import read_created

EPOCH = "SOURCE_DATE_EPOCH"
"""Environment variable (seconds since 1970) that stands in for the clock (reproducible-builds.org)."""


def date_created(folder: Path) -> str:
    """The ISO date, in UTC, on which the manifest of `folder` was first written; today's if there is none.

    A manifest that cannot be read counts as none, because a run that goes on writes it again. With `EPOCH`
    set, runs on different days give the same bytes.
    """
    created = read_created(folder)
    return _now().date().isoformat() if created is None else created


def now_utc() -> str:
    """This moment in UTC to the second, as in "2026-11-30T19:55:01Z"; that of `EPOCH` if it is set."""
    return _now().strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_since_1970() -> int:
    """This moment as signatures state it; that of `EPOCH` if it is set."""
    return int(_now().timestamp())


def clock() -> str:
    """Where `now_utc` takes the time from: "system", or the name of the environment variable."""
    return EPOCH if os.environ.get(EPOCH, "").isdecimal() else "system"


def seconds_unchanged(file: Path) -> float:
    """Seconds since a file was last written, by the clock that stamped it."""
    return time.time() - file.stat().st_mtime


def _now() -> datetime:
    epoch = os.environ.get(EPOCH, "")
    return datetime.fromtimestamp(int(epoch), tz=UTC) if epoch.isdecimal() else datetime.now(tz=UTC)
