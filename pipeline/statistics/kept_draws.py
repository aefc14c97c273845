"""Kept draws: bootstrap samples that many statistics over as many patients share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Counts: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""How often each replicate draws each unit: (replicates, units)."""
Key: TypeAlias = tuple[int, int, int, int]
"""(units, replicates, seed, replicates of a block), on which alone the counts depend."""


class KeptDraws:
    """The blocks of counts that were used last, up to a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._blocks: dict[Key, tuple[Counts, ...]] = {}
        """The last used one last."""

    def draws(self, key: Key, draw: Callable[[int, int, int, int], Iterable[Counts]]) -> Iterator[Counts]:
        """The blocks of a key, drawn if they are not kept."""
        units, replicates, *_ = key
        if units * replicates > self._most_bytes:
            yield from draw(*key)
            return
        blocks = self._blocks.pop(key, None)
        if blocks is None:
            self._make_room(units * replicates)
            blocks = tuple(draw(*key))
        self._blocks[key] = blocks
        yield from blocks

    def _make_room(self, size: int) -> None:
        """Drop what was not used for longest, until so many bytes are free."""
        while self._blocks and self._bytes() + size > self._most_bytes:
            del self._blocks[next(iter(self._blocks))]

    def _bytes(self) -> int:
        return sum(block.nbytes for blocks in self._blocks.values() for block in blocks)
