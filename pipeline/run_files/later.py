"""Later: what other commands wrote into the folder of a finished run, as `later.json` states it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from pipeline.run_files.objects import read_object
from pipeline.run_files.outputs import LATER

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class LaterFile(TypedDict):
    """A file that a later command wrote."""

    sha256: Sha256
    by: str
    """Command and version: "heatproof report 0.7.0"."""


class Later(TypedDict):
    """The content of later.json."""

    outputs_sha256: Sha256
    """Of the run's `outputs.sha256`, so that the list of another run cannot stand in for this one."""
    files: dict[str, LaterFile]
    removed: dict[str, str]
    """Page of the run that a later command removed → command and version."""


def read_later(run: Path, outputs_sha256: str) -> Later:
    """What later commands wrote into this run; nothing if the list is of another `outputs.sha256`.

    Raises ConfigError if the file is damaged.
    """
    nothing: Later = {"outputs_sha256": outputs_sha256, "files": {}, "removed": {}}
    path = run / LATER
    if not path.exists():
        return nothing
    content = read_object(path, Later)
    if content["outputs_sha256"] != outputs_sha256:
        return nothing
    return {**nothing, "files": content["files"], "removed": content["removed"]}
