"""Within run: folders of finished runs, whose files only their own commands write."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.run_files.outputs import MANIFEST, OUTPUTS

CASES = "cases.csv"


def run_around(path: Path) -> Path | None:
    """The innermost folder of a finished run that is the path, all links followed, or holds it; else None."""
    try:
        place = path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that no file can have
        return None
    return next((folder for folder in (place, *place.parents) if _is_run(folder)), None)


def refuse_within_run(path: Path, option: str) -> None:
    """Raise ConfigError if the path is, or lies in, the folder of a finished run.

    What is written there would replace results or pages of the run, or be a file that `heatproof verify` has
    to call added.
    """
    if run_around(path) is not None:
        raise ConfigError(
            f"{option}: {path} lies in the folder of a finished run, which stays as it was written; choose "
            "another place"
        )


def _is_run(folder: Path) -> bool:
    """Whether a run wrote the folder; runs of older versions have no hashes."""
    try:
        has_hashes, has_manifest = (folder / OUTPUTS).is_file(), (folder / MANIFEST).is_file()
        return has_hashes or (has_manifest and (folder / CASES).is_file())
    except (OSError, ValueError):
        return False
