"""Source: the commit of a checkout, and none where Heatproof was installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline.run.source import Source, source_of


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "a.py").write_text("1")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def test_a_checkout_has_its_commit(checkout: Path) -> None:
    assert source_of(checkout, "package") == Source(git(checkout, "rev-parse", "HEAD"), is_changed=False)


def test_changes_of_the_package_count_and_those_beside_it_do_not(checkout: Path) -> None:
    (checkout / "notes.txt").write_text("x")
    assert source_of(checkout, "package").is_changed is False
    (checkout / "package" / "b.py").write_text("2")
    assert source_of(checkout, "package").is_changed is True


def test_a_folder_within_a_checkout_is_none(checkout: Path) -> None:
    """Packages that are installed into an environment inside somebody's repository."""
    installed = checkout / "environment"
    (installed / "package").mkdir(parents=True)
    assert source_of(installed, "package") == Source(None, None)


def test_without_git_nothing_is_known(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert source_of(checkout, "package") == Source(None, None)


def test_a_damaged_repository_is_none(checkout: Path) -> None:
    (checkout / ".git" / "HEAD").unlink()
    assert source_of(checkout, "package") == Source(None, None)
