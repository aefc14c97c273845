"""Output hashes: the hashes of all files of a run, so that later changes are noticed.

`outputs.sha256` is written by the run alone. Commands that write into the folder of a finished run note the
hashes of their files in `later.json`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from pipeline import __version__
from pipeline.errors import ConfigError
from pipeline.run_files.damage import as_damage
from pipeline.run_files.later import Later, LaterFile, read_later
from pipeline.run_files.outputs import LATER, OUTPUTS, PAGE, RESULTS, sha256_of, stated_hashes
from pipeline.store.atomic import write_bytes

OTHERS: Final = (
    "regions.json", "groups.json", "baselines.npz", "reading.npz", "index.html", "overview.html",
    "glossary.html",
)  # fmt: skip
"""Further files in the run's folder; those in its subfolders are found there."""
THREADS: Final = 4
"""Files that are hashed at a time; more would wait for the disk."""
AT_ONCE: Final = 1000
"""Files that wait for it; each takes more memory than its name and hash."""


def hash_outputs(
    run: Path, *, with_pages: bool = True, known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Name of each file that the run wrote → its SHA-256; hashes in `known` are not computed again.

    The crosswalk is left out, which only its owner has: the hash of a short one would tell whether a guess of
    its names is right. So are hidden files, and files that no run writes.
    """
    known = known or {}
    names = [name for name in _names(run) if with_pages or not PAGE.fullmatch(name)]
    return dict(sorted({**known, **hashes_of(run, (name for name in names if name not in known))}.items()))


def hashes_of(run: Path, names: Iterable[str]) -> dict[str, str]:
    """Name of each file below a run's folder → its SHA-256. Raises ConfigError if one cannot be read."""
    hashes: dict[str, str] = {}
    left = iter(names)
    with ThreadPoolExecutor(THREADS) as threads:
        while some := list(islice(left, AT_ONCE)):
            hashes |= zip(some, threads.map(lambda name: _hash(run / name), some), strict=True)
    return hashes


def write_output_hashes(run: Path, hashes: Mapping[str, str]) -> None:
    """Write `outputs.sha256`, which `sha256sum --check` reads, and drop from `later.json` what it states."""
    before = _later_of(run)
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in hashes.items())
    write_bytes(run / OUTPUTS, lines.encode())
    files = {name: entry for name, entry in before["files"].items() if name not in hashes}
    _write_later(run, files, {})


def note_later(run: Path, names: Iterable[str], *, by: str) -> None:
    """Note in `later.json` that the command `by` wrote these files of a finished run.

    Files that are as the run wrote them are not noted. A run of an older version without hashes has no list.
    """
    if not (run / OUTPUTS).exists():
        return
    stated, later, who = stated_hashes(run), _later_of(run), f"heatproof {by} {__version__}"
    written = hashes_of(run, names)
    files = {name: entry for name, entry in later["files"].items() if name not in written}
    for name, sha256 in written.items():
        if stated.get(name) != sha256:
            files[name] = {"sha256": sha256, "by": who}
    gone = [name for name in stated if PAGE.fullmatch(name) and not (run / name).exists()]
    _write_later(run, files, {name: later["removed"].get(name, who) for name in gone})


def pages_of(run: Path) -> list[str]:
    """Names of the pages, scripts and styles in a run's folder, which `heatproof report` writes."""
    return [name for name in _names(run) if PAGE.fullmatch(name)]


def _hash(path: Path) -> str:
    with as_damage(path):
        return sha256_of(path)


def _later_of(run: Path) -> Later:
    """What later commands wrote; nothing if the list is damaged, which then cannot stop a run."""
    sha256 = sha256_of(run / OUTPUTS) if (run / OUTPUTS).is_file() else ""
    with suppress(ConfigError):
        return read_later(run, sha256)
    return {"outputs_sha256": sha256, "files": {}, "removed": {}}


def _write_later(run: Path, files: Mapping[str, LaterFile], removed: Mapping[str, str]) -> None:
    kept = {name: entry for name, entry in files.items() if (run / name).is_file()}
    if not kept and not removed:
        (run / LATER).unlink(missing_ok=True)
        return
    content = {"outputs_sha256": _hash(run / OUTPUTS), "files": kept, "removed": removed}
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
    write_bytes(run / LATER, f"{text}\n".encode())


def _names(run: Path) -> Iterator[str]:
    """Names of the files that a run writes, below its folder."""
    yield from (name for name in sorted({*RESULTS, *OTHERS}) if (run / name).is_file())
    for folder in sorted(path for path in run.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for parent, folders, files in os.walk(folder):
            folders.sort()
            place = Path(parent).relative_to(run)
            below = ((place / name).as_posix() for name in sorted(files) if not name.startswith("."))
            yield from (name for name in below if name.isprintable() and "\\" not in name)
