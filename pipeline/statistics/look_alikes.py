"""Look-alikes: images of different patients that look the same are resampled as one unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.records import Suspicion
from pipeline.records.names import ALL_FINDINGS


def merged(units: Mapping[str, str], groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """Unit → the first unit that it is one with, because a group of images joins them.

    `units` is the patient or image that each image counts for; groups that share a unit become one.
    """
    first = {unit: unit for unit in units.values()}

    def root(unit: str) -> str:
        while first[unit] != unit:
            unit = first[unit]
        return unit

    for group in groups:
        roots = sorted({root(units[case_id]) for case_id in group if case_id in units})
        for other in roots[1:]:
            first[other] = roots[0]
    return {unit: root(unit) for unit in first}


def suspicion_of_look_alikes(groups: Sequence[Sequence[str]], images: int) -> Iterable[Suspicion]:
    """What groups of look-alike images of different patients say of the study set."""
    alike = sum(map(len, groups))
    if groups:
        yield Suspicion(
            ALL_FINDINGS,
            "look_alikes",
            "too_few",
            "weak",
            f"{alike:,} of {images:,} images look like an image of another patient ({len(groups):,} groups). "
            "They may be copies, or one patient under several IDs; in intervals and tests, the patients of a "
            "group count as one. See look_alikes.csv.",
            alike / images,
            n=images,
        )
