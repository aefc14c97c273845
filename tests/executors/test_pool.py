"""The pool keeps order, bounds what is under way, survives a dying worker and leaves nobody behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.executors.here import Here
from pipeline.executors.pool import AHEAD, Pool


def squared(number: int) -> int:
    return number * number


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail(number: int) -> int:
    raise ValueError(number)


def minus_one(_item: int) -> int:
    return -1


def test_results_come_in_the_order_of_the_items() -> None:
    squares = [n * n for n in range(30)]
    assert list(Here().stream(squared, range(30), lost=minus_one)) == squares
    with Pool(workers=2) as pool:  # not at import: workers import this module too
        assert list(pool.stream(squared, range(30), lost=minus_one)) == squares


def test_no_more_items_are_drawn_than_are_under_way() -> None:
    drawn = []

    def items() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    with Pool(workers=2) as pool:
        results = pool.stream(squared, items(), lost=minus_one)
        next(results)
        assert len(drawn) == 2 * AHEAD


def test_a_worker_that_dies_costs_its_item_alone() -> None:
    with Pool(workers=2) as pool:
        assert list(pool.stream(die_at_three, range(12), lost=minus_one)) == [0, 1, 2, -1, *range(4, 12)]


def test_an_error_of_the_function_is_raised_where_its_result_would_be() -> None:
    with Pool(workers=1) as pool, pytest.raises(ValueError, match="7"):
        list(pool.stream(fail, [7], lost=minus_one))


def test_workers_end_when_their_parent_is_killed() -> None:
    script = (
        "import os, time\n"
        "from pipeline.executors.pool import Pool\n"
        "from tests.executors.test_pool import minus_one, process_id\n"
        "if __name__ == '__main__':\n"
        "    pool = Pool(workers=1)\n"
        "    print(next(pool.stream(process_id, range(20), lost=minus_one)), flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()


def process_id(_item: int) -> int:
    return os.getpid()
