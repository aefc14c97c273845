"""Map tests: numbers that tests of an attribution method give for one map."""

from __future__ import annotations

from dataclasses import dataclass

OF_THE_NETWORK = ""
"""Variant of the map of the network as it is, with which other variants of a measure are compared."""
RANDOM_WEIGHTS = "random_weights"
"""Variant of the maps of networks that have learnt nothing."""


@dataclass(frozen=True, slots=True)
class MapTestValue:
    """One number for the map of one image, finding and method."""

    case_id: str
    finding: str
    method: str
    test: str
    """Name of the test in `probes.map_tests.MAP_TESTS`."""
    measure: str
    """What is measured: "spearman", "hit"."""
    variant: str
    """Which version of the map, or what stands in its place; `OF_THE_NETWORK`: the map itself."""
    value: float | None
    """None if undefined."""
    undefined_because: str = ""
    """In snake_case; empty if `value` is given."""
