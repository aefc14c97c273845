"""Outputs: the hashes of a run's files, as its run wrote them, and the tables that no longer match theirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, open_file, read_file
from pipeline.run_files.columns import TABLES
from pipeline.run_files.damage import as_damage, damaged, shown
from pipeline.run_files.parquet import LARGE, parquet_of
from pipeline.run_files.tables import LARGEST_BYTES as LARGEST_TABLE

OUTPUTS: Final = "outputs.sha256"
"""The file with a line per file of the run, as `sha256sum` prints them, below the run's folder."""
LATER: Final = "later.json"
"""The file with the hashes of files that other commands wrote after the run: pages and reviews."""
MANIFEST: Final = "manifest.json"
PROVENANCE: Final = "provenance.json"
CROSSWALK: Final = "crosswalk.csv"
NOT_OF_RUN: Final = frozenset(
    {CROSSWALK, "review.csv", "review-summary.csv", "comparison.csv", "problems.csv"}
)
"""Tables of other commands, and the one that no other file may lead to."""
RESULTS: Final = (
    *(name for name in TABLES if name not in NOT_OF_RUN),
    *map(parquet_of, LARGE),
    MANIFEST,
    PROVENANCE,
)
"""Files from which reports and comparisons take their numbers and facts."""
PAGE: Final = re.compile(
    r"(?:index|overview|glossary)\.html|static/[^/]+|cases/(?:run\.js|baselines\.js|[^/]+/(?:index\.html|outlines\.svg))"
)
"""Names of files that `heatproof report` writes again, below the run's folder."""
LINE: Final = re.compile(r"([0-9a-f]{64})  ([^\x00-\x1f\x7f\\]{1,600})")
LARGEST_BYTES: Final = 2**28
"""Of the file of hashes: some 130 bytes for each of the six files of an image."""
CHANGED: Final = "is not as the run wrote it"
MISSING: Final = "is missing"


def sha256_of(path: Path, *, most_bytes: int = ANY_SIZE) -> str:
    """SHA-256 of a regular file. Raises CaseError if it cannot be read, or is larger."""
    with open_file(path, most_bytes=most_bytes) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def changed_results(run: Path, manifest: Mapping[str, object]) -> dict[str, str]:
    """File among `RESULTS` that does not match its hash → what is wrong with it; the file of hashes, too.

    Runs of older versions have no hashes. Raises ConfigError if the file of hashes is damaged.
    """
    if not (run / OUTPUTS).exists():
        return {OUTPUTS: MISSING} if manifest.get("outputs") == OUTPUTS else {}
    stated = {name: sha256 for name, sha256 in stated_hashes(run).items() if name in RESULTS}
    found = {name: _state(run / name, sha256) for name, sha256 in stated.items()}
    return {name: state for name, state in found.items() if state}


def sentence_about(changed: Mapping[str, str], whose: str = "this run") -> str:
    """A sentence about what `changed_results` found; empty if it found nothing."""
    if not changed:
        return ""
    listed = ", ".join(f"{name} {state}" for name, state in changed.items())
    return (
        f"Files of {whose} were changed after it: {listed}. What is shown may not be what the run found; "
        "rerun it to regenerate them, or give the run folder as it was written."
    )


def stated_hashes(run: Path) -> dict[str, str]:
    """Name of each file that `outputs.sha256` lists, below the run's folder → its SHA-256.

    Raises ConfigError if the list cannot be read, is damaged, or leads out of the folder.
    """
    found: dict[str, str] = {}
    for number, sha256, name in _lines(run / OUTPUTS):
        if PurePosixPath(name).is_absolute() or {"..", "."} & set(name.split("/")) or name in found:
            raise damaged(
                run / OUTPUTS, f"line {number}: found {shown(name)}, wanted a file of the run, each once"
            )
        found[name] = sha256
    return found


def _state(path: Path, sha256: str) -> str:
    try:
        return "" if sha256_of(path, most_bytes=LARGEST_TABLE) == sha256 else CHANGED
    except CaseError:
        return MISSING if not path.exists() else "cannot be read"


def _lines(path: Path) -> Iterator[tuple[int, str, str]]:
    """Number, hash and name of each line. Raises ConfigError for any other line."""
    with as_damage(path):
        text = read_file(path, most_bytes=LARGEST_BYTES).decode("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), start=1):
        match = LINE.fullmatch(line)
        if match is None:
            raise damaged(path, f"line {number}: found {shown(line)}, wanted a sha256 and the name of a file")
        yield number, match[1], match[2]
