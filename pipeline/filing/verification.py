"""Verification: the files of a run folder against the hashes that the run wrote."""

from __future__ import annotations

import hmac
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from pipeline.cohort.pseudonyms import KEY, open_pseudonyms
from pipeline.errors import CaseError, ConfigError
from pipeline.filing.signatures import SUFFIX
from pipeline.guards.reading import ANY_SIZE, read_file, without_remedy
from pipeline.run.crosswalk import SEAL
from pipeline.run_files.later import Later, read_later
from pipeline.run_files.objects import read_manifest
from pipeline.run_files.outputs import CROSSWALK, LATER, OUTPUTS, PAGE, sha256_of, stated_hashes
from pipeline.store.lock import LOCK

State: TypeAlias = Literal["as_written", "later", "uncovered", "changed", "missing", "added", "unreadable"]
FAULTS: Final[tuple[State, ...]] = ("changed", "missing", "added", "unreadable")
"""States of a file that no command of Heatproof explains."""
SIGNED: Final = (OUTPUTS, LATER)
OWN: Final = frozenset(
    {*SIGNED, LOCK, *(name + suffix for name in SIGNED for suffix in (SUFFIX, ".asc", ".sig"))}
)
"""Files about files, of which no list states the hash."""
THREADS: Final = 4


class Checked(NamedTuple):
    """What was found of one file."""

    name: str
    state: State
    by: str = ""
    """Of a file that a later command wrote or removed: that command and its version."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found of the files of a run folder."""

    files: tuple[Checked, ...]
    """In the order of their names, without the crosswalk and the lists themselves."""
    crosswalk: str
    """What is known of the crosswalk, as part of a sentence."""
    crosswalk_is_sound: bool
    """False if the crosswalk is not as the run wrote it."""
    sha256: str
    """Of `outputs.sha256`: one number that stands for all files that it lists."""

    @property
    def faults(self) -> tuple[Checked, ...]:
        """The files that are not as a command of Heatproof wrote them."""
        return tuple(file for file in self.files if file.state in FAULTS)

    @property
    def passed(self) -> bool:
        """Whether every file is as a command of Heatproof wrote it."""
        return not self.faults and self.crosswalk_is_sound

    @property
    def counts(self) -> Counter[State]:
        """State → number of files."""
        return Counter(file.state for file in self.files)


def verify_run(run: Path) -> Verification:
    """Compare every file of a run folder with `outputs.sha256` and `later.json`.

    Raises ConfigError if there is no run, its lists are damaged, or it is of a version that wrote none.
    """
    manifest = read_manifest(run)
    if not (run / OUTPUTS).is_file():
        why = "it was not finished" if manifest.get("outputs") == OUTPUTS else "a version before 0.6 wrote it"
        raise ConfigError(
            f"{run}: has no {OUTPUTS}, because {why}, or because the file was removed; rerun the audit, or "
            "give the run folder as it was written"
        )
    stated, sha256 = stated_hashes(run), sha256_of(run / OUTPUTS)
    later = read_later(run, sha256)
    found = dict(_files(run))
    with ThreadPoolExecutor(THREADS) as threads:
        listed = {*stated, *later["files"]}
        known = [name for name, is_file in found.items() if is_file and name in listed]
        hashes = dict(zip(known, threads.map(lambda name: _hash(run / name), known), strict=True))
    names = sorted({*stated, *found, *later["files"]} - OWN - {CROSSWALK})
    text, is_sound = _crosswalk(run, manifest)
    return Verification(
        files=tuple(_checked(name, stated, later, found, hashes) for name in names),
        crosswalk=text,
        crosswalk_is_sound=is_sound,
        sha256=sha256,
    )


def _checked(
    name: str,
    stated: Mapping[str, str],
    later: Later,
    found: Mapping[str, bool],
    hashes: Mapping[str, str | None],
) -> Checked:
    """The state of a file; what `later.json` says of results of the run counts for nothing."""
    entry = later["files"].get(name)
    may_change = name not in stated or PAGE.fullmatch(name) is not None
    if name not in found:
        removed = later["removed"].get(name, "") if PAGE.fullmatch(name) else ""
        return Checked(name, "later" if removed else "missing", removed)
    if not found[name] or (name in hashes and hashes[name] is None):
        return Checked(name, "unreadable")
    if name in stated and hashes[name] == stated[name]:
        return Checked(name, "as_written")
    if may_change and entry is not None and hashes[name] == entry["sha256"]:
        return Checked(name, "later", entry["by"])
    if name in stated or entry is not None:
        return Checked(name, "changed")
    is_of_older = PAGE.fullmatch(name) is not None and "index.html" not in stated
    return Checked(name, "uncovered" if is_of_older else "added")


def _files(run: Path) -> Iterator[tuple[str, bool]]:
    """Name of each entry below a run's folder, and whether it is a regular file; links are not followed."""
    for parent, folders, files in os.walk(run):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in sorted((*files, *links)):
            path = Path(parent) / name
            yield path.relative_to(run).as_posix(), path.is_file() and not path.is_symlink()


def _hash(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except CaseError:
        return None


def _crosswalk(run: Path, manifest: Mapping[str, object]) -> tuple[str, bool]:
    """What is known of the crosswalk, and whether it may be as the run wrote it."""
    path, sealed = run / CROSSWALK, manifest.get(SEAL)
    if not path.is_file() or path.is_symlink():
        return "is not here; it belongs to the owner of the data alone", True
    if not isinstance(sealed, str):
        return "cannot be checked: the run is of an older version", True
    if not (run.parent / KEY).is_file():
        return f"cannot be checked without {KEY} in the folder of runs", True
    return _compared_crosswalk(path, sealed, run.parent / KEY)


def _compared_crosswalk(path: Path, sealed: str, key: Path) -> tuple[str, bool]:
    """The same of a crosswalk beside its key."""
    try:
        seal = open_pseudonyms(key).seal(CROSSWALK, read_file(path, most_bytes=ANY_SIZE))
    except ConfigError:  # a key of something else beside a run that was sent, which needs no other
        return f"cannot be checked, because {KEY} in the folder of runs cannot be used as a key", True
    except CaseError as error:
        return f"cannot be checked: {without_remedy(error.message)}", False
    if hmac.compare_digest(seal.encode(), sealed.encode("utf-8", "replace")):
        return "is as the run wrote it", True
    return f"is not as the run wrote it, or {KEY} is another one", False
