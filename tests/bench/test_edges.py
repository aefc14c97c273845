"""Edges in small: what is read and scored of them, and that a bench that misses a limit says so."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cases.readers import MOST_READERS
from tests.bench.edges import EDGES, RUNS, Edge, faults_of, growth, main, measured, reader_rows

COUNTS = {
    "readers of one image": reader_rows(5),
    "readers, distances": 3 * 5 * 4,
    "findings of one image": 10 * 5,
    "private elements of a file": 1,
    "files, one in 500 an image": 1,
    "frames of a file": 5,
    "frames of a compressed file": 5,
    "boxes on an image": 51,
    "columns of a table": 100,
    "pixels on a side": 1,
    "pixels on a side, refused": 1,
}


@pytest.mark.parametrize("name", EDGES)
def test_an_edge_in_small_is_read_whole(tmp_path: Path, name: str) -> None:
    assert EDGES[name].prepare(tmp_path, EDGES[name].quick)() == COUNTS[name]


def test_the_rows_of_readers_grow_with_their_number_beyond_a_limit() -> None:
    assert reader_rows(3) == 9 * 3 * 2
    assert reader_rows(MOST_READERS) == 9 * MOST_READERS * (MOST_READERS - 1)
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
    found = faults_of(EDGE, seconds, mebibytes)
    assert len(found) == len(missed)
    assert all(told.startswith(start) for told, start in zip(found, missed, strict=True))


def test_time_may_grow_with_the_area_of_an_image() -> None:
    assert faults_of(replace(EDGE, power=2), (1, 4, 16), (1, 1, 1)) == []
    assert len(faults_of(replace(EDGE, power=2), (1, 8, 64), (1, 1, 1))) == 1


def test_of_one_size_only_time_and_memory_are_judged() -> None:
    edge = replace(EDGE, sizes=(40,))
    assert faults_of(edge, (99,), (9,)) == []
    assert [told.split(",")[0] for told in faults_of(edge, (101,), (11,))] == ["took 101 s", "took 11 MiB"]


def _dies(_folder: Path, _size: int) -> Callable[[], int]:
    raise MemoryError


def _waits(_folder: Path, size: int) -> Callable[[], int]:
    return lambda: size if size == EDGE.quick else signal.pause()


@pytest.mark.parametrize("prepare", [_dies, _waits])
def test_an_edge_whose_process_dies_or_does_not_end_is_missed(
    prepare: Callable[[Path, int], Callable[[], int]],
) -> None:
    edge = replace(EDGE, prepare=prepare, sizes=(4,), seconds=0.02)
    assert measured(edge) == ([float("inf")], [float("inf")])


def test_an_edge_that_is_missed_is_measured_again_and_the_least_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edge = replace(EDGE, sizes=(10, 20))
    runs = iter([(50.0, 1.0), (200.0, 9.0), (60.0, 2.0), (90.0, 8.0)])
    monkeypatch.setattr("tests.bench.edges._measured", lambda *_: next(runs))
    assert measured(edge) == ([50.0, 90.0], [1.0, 8.0])
    runs = iter([(50.0, 1.0), (200.0, 9.0)] * RUNS)
    assert measured(edge) == ([50.0, 200.0], [1.0, 9.0])
    assert list(runs) == []
    runs = iter([(50.0, 1.0), (200.0, 9.0), (1.0, 1.0), (float("inf"), float("inf"))])
    assert measured(edge) == ([1.0, float("inf")], [1.0, float("inf")])


def test_a_missed_limit_is_printed_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["edges", "--edge", "columns of a table"])
    monkeypatch.setattr("tests.bench.edges.measured", lambda edge: ([*edge.sizes], [1.0] * 3))
    assert main() == 1
    assert "MISSED: took 9999 s, at most 30" in capsys.readouterr().out
    monkeypatch.setattr(
        "tests.bench.edges.measured", lambda edge: ([size / 1000 for size in edge.sizes], [1] * 3)
    )
    assert main() == 0
    assert "9,999: 10.0 s, 1 MiB  growth 1.00\n" in capsys.readouterr().out
