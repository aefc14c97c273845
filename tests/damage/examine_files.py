"""Examine files: the outcome of one input on its way, in a worker that stands in for a run's main process."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from pipeline.errors import CaseBug, CaseError, CheckError, ConfigError, OutputError
from tests.damage.apart import Apart
from tests.damage.examine import UNHANDLED, Outcome, measured, resident_mb
from tests.damage.families import FAMILIES
from tests.damage.ways import WAYS

REFUSED = "refused"
"""Outcome of a ConfigError: the run cannot start, or the whole source is unusable."""
MOST_MB = 300.0
"""MiB that an input may add to an idle main process."""


def examine_file(item: tuple[str, Path]) -> Outcome:
    """The outcome of an input of a family; its peak memory is that above an idle process."""
    family, path = item
    _warm(family)
    idle = resident_mb()
    outcome = measured(lambda: (_result(family, path), ""))
    above = max(0.0, outcome.peak_mb - idle)
    if above > MOST_MB and outcome.result != UNHANDLED:
        return replace(
            outcome, result=UNHANDLED, peak_mb=above, detail=f"{above:.0f} MiB in the main process"
        )
    return replace(outcome, peak_mb=above)


def ended(_item: object, error: CaseError) -> Outcome:
    """The outcome of an input that killed the stand-in for the main process, or went beyond its limits."""
    return Outcome(UNHANDLED, detail=f"the main process: {error.reason}: {error.message}")


def _result(family: str, path: Path) -> str:
    try:
        return WAYS[FAMILIES[family].way](path, _apart())
    except CaseBug:
        raise
    except CaseError as error:
        found = error
    except (ConfigError, CheckError, OutputError):
        return REFUSED
    assert str(path.parent) not in found.message, "a message names the path"
    return found.reason


@cache
def _apart() -> Apart:
    """The executor of this process."""
    return Apart()


@cache
def _warm(family: str) -> None:
    """Load what an intact file of the family needs."""
    with TemporaryDirectory() as folder:
        _result(family, FAMILIES[family].write(Path(folder) / "sound", None, Random(0)))
