"""Edges in small: what is read and scored of them, and that a bench that misses a limit says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cases.readers import MOST_READERS
from tests.bench.edges import EDGES, Edge, faults_of, growth, measured, reader_rows

COUNTS = {
    "readers of one image": reader_rows(5),
    "private elements of a file": 1,
    "files, one in 500 an image": 2,
    "frames of a file": 5,
    "boxes on an image": 51,
    "columns of a table": 100,
    "pixels on a side": 1,
}


@pytest.mark.parametrize("name", EDGES)
def test_an_edge_in_small_is_read_whole(tmp_path: Path, name: str) -> None:
    assert EDGES[name].prepare(tmp_path, EDGES[name].quick)() == COUNTS[name]


def test_the_rows_of_readers_grow_with_their_number_beyond_a_limit() -> None:
    assert reader_rows(3) == 4 * 3 * 2
    assert reader_rows(MOST_READERS) == 4 * MOST_READERS * (MOST_READERS - 1)
    assert reader_rows(4 * MOST_READERS) == 4 * reader_rows(MOST_READERS)


def test_growth_is_the_power_of_the_size() -> None:
    sizes = (10, 20, 40)
    assert growth(sizes, [3 * size for size in sizes]) == pytest.approx(1)
    assert growth(sizes, [size**2 / 7 for size in sizes]) == pytest.approx(2)


EDGE = Edge(lambda _folder, size: lambda: size, (10, 20, 40), 1, seconds=100, mebibytes=10)


@pytest.mark.parametrize(
    ("seconds", "mebibytes", "missed"),
    [
        ((1, 2, 4), (1, 2, 4), []),
        ((0.001, 0.01, 0.1), (1, 2, 4), []),
        ((1, 4, 16), (1, 2, 4), ["grows with the power 2.00"]),
        ((30, 60, 120), (1, 2, 4), ["took 120 s"]),
        ((1, 2, 4), (1, 2, 11), ["took 11 MiB"]),
        ((1, 4, float("inf")), (1, 2, float("inf")), ["took inf s", "took inf MiB"]),
    ],
)
def test_what_is_missed_is_told(
    seconds: tuple[float, ...], mebibytes: tuple[float, ...], missed: list[str]
) -> None:
    found = faults_of("an edge", EDGE, seconds, mebibytes)
    assert len(found) == len(missed)
    assert all(told.startswith(start) for told, start in zip(found, missed, strict=True))


def test_time_may_grow_with_the_area_of_an_image() -> None:
    assert faults_of("pixels on a side", EDGE, (1, 4, 16), (1, 1, 1)) == []


def _dies(_folder: Path, _size: int) -> Callable[[], int]:
    raise MemoryError


def test_an_edge_whose_process_ends_is_missed() -> None:
    seconds, mebibytes = measured(Edge(_dies, (1, 2, 4), 1, 1, 1), 4)
    assert (seconds, mebibytes) == (float("inf"), float("inf"))
