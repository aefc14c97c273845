"""Sampling: some of the mutants of all modules, at random, and at least one of each module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

from tests.mutation.mutants import Mutant, mutants_of

ROOMS = ("run", "cases", "statistics")


def modules(root: Path) -> Iterator[str]:
    """The modules of the rooms below `root`, as "run/tables"; those of names alone have nothing to flip."""
    for room in ROOMS:
        for path in sorted((root / "pipeline" / room).glob("*.py")):
            if path.stem != "__init__" and "def " in path.read_text(encoding="utf-8"):
                yield f"{room}/{path.stem}"


def source_of(root: Path, module: str) -> Path:
    """The module's file."""
    return root / "pipeline" / f"{module}.py"


def all_mutants(root: Path, wanted: Sequence[str]) -> dict[str, list[Mutant]]:
    """Module → its mutants."""
    return {name: mutants_of(source_of(root, name).read_text(encoding="utf-8")) for name in wanted}


def sample(found: Mapping[str, Sequence[Mutant]], *, count: int, seed: int) -> list[tuple[str, Mutant]]:
    """`count` random mutants with their modules, in source order; at least one per module."""
    random = Random(seed)
    shuffled = {name: random.sample(mutants, len(mutants)) for name, mutants in found.items()}
    first = [(name, mutants[0]) for name, mutants in shuffled.items() if mutants]
    others = [(name, mutant) for name, mutants in shuffled.items() for mutant in mutants[1:]]
    more = random.sample(others, min(max(count - len(first), 0), len(others)))
    order = {name: index for index, name in enumerate(found)}
    return sorted([*first, *more], key=lambda one: (order[one[0]], one[1].start))
