"""Source: the git commit of this Heatproof, if it runs from a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pipeline

SECONDS = 10
"""Longest wait for git; it takes some milliseconds."""


class Source(NamedTuple):
    """Where the code came from."""

    commit: str | None
    """Hash of the commit; None if Heatproof was installed, or git does not tell."""
    is_changed: bool | None
    """Whether files of the package differ from the commit; None without a commit."""


@cache
def source() -> Source:
    """The commit of the checkout that this package lies in; not of a repository that only surrounds it."""
    package = Path(pipeline.__file__).parent
    return source_of(package.parent, package.name)


def source_of(checkout: Path, package: str) -> Source:
    """The commit of a checkout, and whether its package differs."""
    git = shutil.which("git")
    if git is None or not (checkout / ".git").exists():
        return Source(None, None)
    commit = _answer(git, checkout, "rev-parse", "HEAD")
    changes = _answer(git, checkout, "status", "--porcelain", "--", package)
    return Source(None, None) if not commit or changes is None else Source(commit, bool(changes))


def _answer(git: str, checkout: Path, *arguments: str) -> str | None:
    """What git prints; None if it fails, for example because the checkout belongs to another user."""
    try:
        ended = subprocess.run(  # noqa: S603  git of the PATH, on our own checkout
            [git, "-C", str(checkout), *arguments],
            capture_output=True,
            check=True,
            timeout=SECONDS,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.decode("utf-8", "replace").strip()
