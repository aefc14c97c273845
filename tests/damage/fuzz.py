"""Fuzz: send thousands of damaged files through the workers in batches, and tabulate the outcomes."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from tests.damage.annotations import examine_annotation, write_damaged_annotations
from tests.damage.examine import AUDITED, UNHANDLED, Outcome, examine, failed, found
from tests.damage.kinds import SOUND, write_damaged
from tests.damage.rights import without_override

PORTION = 500
LISTED_APART = "left out by the listing"
"""Pipes, sockets and devices, which are never opened."""
LIMITS = Limits(seconds=30, memory_mb=2048)


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
        if outcome.result == UNHANDLED:
            self.unhandled.append(f"{name}\n{outcome.detail}")


def fuzz(folder: Path, *, count: int, seed: int, pool: Pool, said: Callable[[str], object] = print) -> Tally:
    """The outcomes of `count` damaged files. The result of an intact file must not change."""
    tally = Tally()
    sound: set[str] = set()
    for first in range(0, count, PORTION):
        place = folder / "files"
        for kind, path, outcome in _examined(place, min(PORTION, count - first), seed, first, pool):
            tally.add(kind, path.name, outcome)
            if kind == SOUND:
                sound.add(f"{outcome.result} {outcome.detail}")
        _remove(folder)
        said(f"{min(first + PORTION, count)} of {count} files, {len(tally.unhandled)} unhandled")
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


def fuzz_annotations(
    folder: Path, *, count: int, seed: int, pool: Pool, said: Callable[[str], object] = print
) -> Tally:
    """The outcomes of `count` study sets whose annotations are one damaged file."""
    tally = Tally()
    for first in range(0, count, PORTION):
        some = min(PORTION, count - first)
        written = list(write_damaged_annotations(folder / "files", count=some, seed=seed, first=first))
        outcomes = pool.stream(examine_annotation, [path for _, path in written], on_failure=failed)
        for (kind, path), outcome in zip(written, outcomes, strict=True):
            tally.add(kind, f"{path.parent.name}-{kind}", outcome)
        _remove(folder)
        said(f"{first + some} of {count} annotation files, {len(tally.unhandled)} unhandled")
    return tally


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)
    folder.mkdir()


def table(tally: Tally, results: Iterable[str] | None = None) -> str:
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
            f"peak memory of a worker: {tally.peak[0]:.0f} MiB ({tally.peak[1]})",
            f"unhandled: {len(tally.unhandled)}",
        ]
    )
