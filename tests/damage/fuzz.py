"""Fuzz: send thousands of damaged files through the workers in batches, and tabulate the outcomes."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from tests.damage.examine import AUDITED, UNHANDLED, Outcome, examine, failed, found
from tests.damage.examine_files import ended, examine_file
from tests.damage.families import write_damaged_files
from tests.damage.kinds import SOUND, write_damaged
from tests.damage.rights import without_override

PORTION = 500
LISTED_APART = "left out by the listing"
"""Pipes, sockets and devices, which are never opened."""
LIMITS = Limits(seconds=60, memory_mb=2048)
BUG = "bug"
"""Reason of a `CaseBug`, which here is a finding."""
WORKER_MODULES = ("tests.damage.examine", "tests.damage.examine_files")


@dataclass
class Tally:
    """Outcomes of files, by kind of damage."""

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest: tuple[float, str] = (0.0, "")
    peak: tuple[float, str] = (0.0, "")
    unhandled: list[str] = field(default_factory=list)

    def add(self, kind: str, name: str, outcome: Outcome) -> None:
        """Count an outcome."""
        self.outcomes[kind][outcome.result] += 1
        self.slowest = max(self.slowest, (outcome.seconds, name))
        self.peak = max(self.peak, (outcome.peak_mb, name))
        if outcome.result in {UNHANDLED, BUG}:
            self.unhandled.append(f"{name}\n{outcome.detail}")


def fuzz(folder: Path, *, count: int, seed: int, pool: Pool, said: Callable[[str], object] = print) -> Tally:
    """The outcomes of `count` damaged images. The result of an intact file must not change."""
    tally = Tally()
    sound: set[str] = set()
    for first in range(0, count, PORTION):
        place = folder / "files"
        for kind, path, outcome in _examined(place, min(PORTION, count - first), seed, first, pool):
            tally.add(kind, path.name, outcome)
            if kind == SOUND:
                sound.add(f"{outcome.result} {outcome.detail}")
        _remove(folder)
        said(f"{min(first + PORTION, count)} of {count} images, {len(tally.unhandled)} unhandled")
    if len(sound) != 1 or not next(iter(sound)).startswith(AUDITED):
        tally.unhandled.append(f"sound files came out in {len(sound)} ways: {sorted(sound)}")
    return tally


def _examined(
    place: Path, count: int, seed: int, first: int, pool: Pool
) -> Iterator[tuple[str, Path, Outcome]]:
    written = list(write_damaged(place, count=count, seed=seed, first=first))
    with without_override():
        listed = found(place)
    outcomes = dict(zip(listed, pool.stream(examine, listed, on_failure=failed), strict=True))
    for kind, path in written:
        mine = [name for name in listed if name.name[:6] == path.name[:6] and name.parent == place]
        inside = [name for name in listed if path in name.parents]
        for name in mine + inside:
            yield kind, name, outcomes[name]
        if not mine and not inside:
            yield kind, path, Outcome(LISTED_APART)


def fuzz_files(
    folder: Path,
    *,
    count: int,
    seed: int,
    pool: Pool,
    wanted: str = "*",
    said: Callable[[str], object] = print,
) -> Tally:
    """The outcomes of `count` damaged inputs of all other formats, by family."""
    tally = Tally()
    for first in range(0, count, PORTION):
        some = min(PORTION, count - first)
        written = list(
            write_damaged_files(folder / "files", count=some, seed=seed, first=first, wanted=wanted)
        )
        items = [(family, path) for family, _, path in written]
        outcomes = pool.stream(examine_file, items, on_failure=ended)
        for (family, kind, path), outcome in zip(written, outcomes, strict=True):
            tally.add(family, f"{path.parent.name} {family}: {kind}", outcome)
        _remove(folder)
        said(f"{first + some} of {count} other inputs, {len(tally.unhandled)} unhandled")
    return tally


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)
    folder.mkdir()


def table(tally: Tally, results: Iterable[str] | None = None, *, whose: str = "a worker") -> str:
    """Table of damage × outcome, then the slowest file and the highest peak of memory."""
    total = sum(tally.outcomes.values(), Counter[str]())
    columns = list(results or [name for name, _ in total.most_common()])
    width = max(map(len, tally.outcomes)) + 2
    heads = [f"{number}" for number in range(1, len(columns) + 1)]
    lines = [f"({head}) {name}: {total[name]}" for head, name in zip(heads, columns, strict=True)]
    lines += ["", "kind".ljust(width) + "".join(f"({head})".rjust(7) for head in heads) + "    all"]
    for kind, counts in [*tally.outcomes.items(), ("all", total)]:
        cells = "".join((str(counts[name]) if counts[name] else "·").rjust(7) for name in columns)
        lines.append(kind.ljust(width) + cells + str(counts.total()).rjust(7))
    return "\n".join(
        [
            *lines,
            "",
            f"slowest file: {tally.slowest[0]:.2f} s ({tally.slowest[1]})",
            f"peak memory of {whose}: {tally.peak[0]:.0f} MiB ({tally.peak[1]})",
            f"unhandled: {len(tally.unhandled)}",
        ]
    )
