from collections.abc import Iterator

import numpy as np

from pipeline.statistics.kept_draws import Counts, KeptDraws

DRAWN: list[int] = []


def draw(units: int, replicates: int, seed: int, at_once: int) -> Iterator[Counts]:
    DRAWN.append(units)
    for _ in range(0, replicates, at_once):
        yield np.full((at_once, units), seed, np.uint8)


def drawn_for(kept: KeptDraws, *sizes: int) -> list[int]:
    DRAWN.clear()
    for units in sizes:
        blocks = list(kept.draws((units, 4, 9, 2), draw))
        assert [block.tolist() for block in blocks] == [[[9] * units] * 2] * 2
    return list(DRAWN)


def test_what_was_drawn_is_kept() -> None:
    assert drawn_for(KeptDraws(most_bytes=40), 5, 5, 4, 5) == [5, 4]


def test_another_seed_or_block_is_drawn_anew() -> None:
    kept = KeptDraws(most_bytes=100)
    found = [
        np.concatenate(list(kept.draws((3, 4, seed, size), draw))) for seed, size in ((1, 2), (2, 2), (1, 4))
    ]
    assert [part[0, 0] for part in found] == [1, 2, 1]


def test_what_was_not_used_for_longest_makes_room() -> None:
    kept = KeptDraws(most_bytes=36)
    assert drawn_for(kept, 5, 4) == [5, 4]
    assert drawn_for(kept, 5, 3, 5, 4) == [3, 4]
    assert drawn_for(kept, 9, 9) == [9]


def test_what_is_larger_than_all_room_is_drawn_each_time() -> None:
    kept = KeptDraws(most_bytes=35)
    assert drawn_for(kept, 4, 9, 9, 4) == [4, 9, 9]
