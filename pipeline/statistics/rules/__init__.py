"""Rules: what the tables of a run say against network, map, masks, labels, card or weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.records import Suspicion
from pipeline.statistics.rules import groups, inside, outputs, places
from pipeline.statistics.rules.tables import RunTables

__all__ = ["RULES", "RunTables", "suspicions_of"]

RULES: tuple[Callable[[RunTables], Iterator[Suspicion]], ...] = (
    outputs.order,
    outputs.chance,
    outputs.saturated,
    places.alignment,
    places.nowhere,
    places.order_of_maps,
    places.one_place,
    places.coarse_grid,
    groups.groups_apart,
    inside.normalisation,
)
"""Every rule that needs no more than the tables; each turns on its planted case, and not on a clean run."""


def suspicions_of(tables: RunTables) -> Iterator[Suspicion]:
    """The suspicions of all rules, in their order."""
    for rule in RULES:
        yield from rule(tables)
