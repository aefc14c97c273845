"""Damage: the errors about files of a run folder, which name the file, what is wrong, and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline import __version__
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.json_files import read_json
from pipeline.guards.reading import without_remedy

REMEDY = "rerun to regenerate it, or give the run folder as it was written"
UNREADABLE = "unreadable"
"""Reason of the CaseError for a file that is missing or may not be read."""
DEPTH = 3
"""Levels from a file of a run up to the run's folder, at most."""
SHOWN = 60
"""Most characters of a wrong value in a message."""


def damaged(path: Path, what: str) -> ConfigError:
    """The error about a damaged or foreign file of a run."""
    return ConfigError(f"{path}: {what}; {REMEDY}{_other_version(path)}")


@contextmanager
def as_damage(path: Path) -> Iterator[None]:
    """Turn a CaseError about a file of a run into a ConfigError that names the file."""
    try:
        yield
    except CaseError as error:
        what = without_remedy(error.message)
        if error.reason == UNREADABLE:
            raise ConfigError(f"{path}: {what}; give the folder of a finished run") from error
        raise damaged(path, what) from error


def shown(value: object) -> str:
    """A wrong value, cut to a length that a message can hold."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _other_version(path: Path) -> str:
    """The version that wrote the run, if the run says so and it is another one; else an empty text."""
    folders = [folder for folder in path.parents[:DEPTH] if (folder / "manifest.json").is_file()]
    with suppress(CaseError):
        manifest = read_json(folders[0] / "manifest.json") if folders else None
        version = manifest.get("version") if isinstance(manifest, dict) else None
        if isinstance(version, str) and version != __version__:
            return f" (Heatproof {version[:SHOWN]} wrote this run, this is {__version__})"
    return ""
