"""Pages: README, CONTRIBUTING and SECURITY, with their commands, code blocks and tables."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (PROJECT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECURITY = (PROJECT / ".github" / "SECURITY.md").read_text(encoding="utf-8")
NEVER_RUN = {"make test", "make setup", "make check", "make test-readme", "make test-browser"}
"""They would run this test again, or change the environment in which it runs."""


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """The shell commands of a page, one line each, without comments."""
    lines = "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    found = (re.sub(r"\s+# .*$", "", line) for line in lines if line and not line.startswith("# "))
    return [" ".join(line.split()) for line in found]


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the rows below a table's first row."""
    after = page[page.index(heading) :].splitlines()[2:]
    rows = itertools.takewhile(lambda line: line.startswith("|"), after)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def coded(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout without an environment of its own."""
    for name in ("configs", "pipeline", "Makefile"):
        (tmp_path / name).symlink_to(PROJECT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def run(command: str, folder: Path) -> str:
    """What a command prints; make does not set up the environment again."""
    found = subprocess.run(
        ["bash", "-c", command.replace("make ", "make --old-file setup ", 1)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"
    return found.stdout
