"""The pool keeps the order, bounds the pending items, survives dying workers and leaves no process behind."""

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import CaseBug, CaseError, ConfigError, WorkerFailure
from pipeline.executors.here import Here
from pipeline.executors.pool import AHEAD, Pool
from pipeline.executors.single import call
from pipeline.executors.worker import LONGEST_WAIT, Limits, _set_within
from pipeline.records import file_stem
from tests.patience import SECONDS

LARGE = 2**24
"""Bytes that no pipe holds."""
FAILURES = ("worker_died", "out_of_time", "out_of_memory")


def squared(number: int) -> int:
    return number * number


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("Doe^Jane")
    return number


def refuse_config(_number: int) -> int:
    raise ConfigError("no such column")


def minus_one(_item: int, error: CaseError) -> int:
    assert isinstance(error, WorkerFailure)
    return -1 - FAILURES.index(error.reason)


def hang_at_three(number: int) -> int:
    time.sleep(3600 if number == 3 else 0)
    return number


def stop_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGSTOP)
    return number


def length(item: bytes) -> int:
    return len(item)


def stop_while_sending(number: int) -> int:
    """At 3, send the length of a reply and its first byte, then stop."""
    if number == 3:
        connection = sys._getframe(1).f_locals["connection"]
        os.write(connection.fileno(), struct.pack("!i", 100) + b"x")
        os.kill(os.getpid(), signal.SIGSTOP)
    return number


def grow_at_three(number: int) -> int:
    return len(bytearray(2**30 if number == 3 else number))


def die_the_first_time(marker: Path) -> int:
    if marker.exists():
        return 1
    marker.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def tell(number: int) -> int:
    os.write(1, b"Doe^Jane")
    os.write(2, b"Doe^Jane")
    return number


def unpicklable(_number: int) -> object:
    return lambda: 0


def test_results_come_in_the_order_of_the_items() -> None:
    squares = [n * n for n in range(30)]
    assert list(Here().stream(squared, range(30), on_failure=minus_one)) == squares
    with Pool(workers=2) as pool:  # not at import: workers import this module too
        assert list(pool.stream(squared, range(30), on_failure=minus_one)) == squares


def test_no_more_items_are_drawn_than_are_under_way() -> None:
    drawn = []

    def items() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    with Pool(workers=2) as pool:
        results = pool.stream(squared, items(), on_failure=minus_one)
        next(results)
        assert len(drawn) == 2 * AHEAD


def test_a_worker_that_dies_costs_its_item_alone() -> None:
    with Pool(workers=2) as pool:
        assert list(pool.stream(die_at_three, range(12), on_failure=minus_one)) == [
            0,
            1,
            2,
            -1,
            *range(4, 12),
        ]


def test_an_item_that_hangs_costs_itself_alone_and_its_worker_is_replaced() -> None:
    with Pool(workers=1, limits=Limits(seconds=20.0)) as pool:
        assert list(pool.stream(hang_at_three, range(6), on_failure=minus_one)) == [0, 1, 2, -2, 4, 5]


def test_a_worker_that_is_stopped_costs_its_item_alone_and_is_replaced() -> None:
    with Pool(workers=1, limits=Limits(seconds=10.0)) as pool:
        assert list(pool.stream(stop_at_three, range(6), on_failure=minus_one)) == [0, 1, 2, -2, 4, 5]


def test_a_worker_that_is_stopped_before_it_reads_a_large_item_costs_it_alone() -> None:
    """Sending would wait without end, as no pipe holds the item."""
    with Pool(workers=1, limits=Limits(seconds=10.0)) as pool:
        stopped = call(pool, process_id, 0)
        os.kill(stopped, signal.SIGSTOP)
        items = [bytes(LARGE), b"12"]
        assert list(pool.stream(length, items, on_failure=lambda *_: -2)) == [-2, 2]
        assert call(pool, process_id, 0) != stopped


def test_a_worker_that_is_stopped_half_way_through_its_reply_costs_its_item_alone() -> None:
    with Pool(workers=1, limits=Limits(seconds=10.0)) as pool:
        assert list(pool.stream(stop_while_sending, range(6), on_failure=minus_one)) == [0, 1, 2, -2, 4, 5]


def test_while_the_main_process_is_stopped_no_time_is_counted() -> None:
    """Each wait of a second took an hour by the clock: three of them are three seconds, not three hours."""

    class Slow(threading.Event):
        waits = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.waits += 1
            assert timeout is not None
            assert timeout <= LONGEST_WAIT
            if self.waits == 4:
                self.set()
            return self.is_set()

    assert _set_within(Slow(), 3.5)
    assert not _set_within(Slow(), 3.0)
    assert not _set_within(Slow(), 0.5)


def test_an_item_that_asks_for_too_much_memory_costs_itself_alone() -> None:
    with Pool(workers=1, limits=Limits(memory_mb=256)) as pool:
        assert list(pool.stream(grow_at_three, range(6), on_failure=minus_one)) == [0, 1, 2, -3, 4, 5]


def test_a_worker_that_is_killed_by_somebody_else_costs_nothing(tmp_path: Path) -> None:
    markers = [tmp_path / str(number) for number in range(4)]
    with Pool(workers=2) as pool:
        assert list(pool.stream(die_the_first_time, markers, on_failure=minus_one)) == [1] * 4


def test_the_end_of_a_pool_waits_for_nobody_who_hangs() -> None:
    pool = Pool(workers=2)
    results = pool.stream(hang_at_three, range(9, 0, -1), on_failure=minus_one)
    with pool:
        assert next(results) == 9
    assert [worker._process for worker in pool._workers] == [None, None]


def test_what_libraries_print_in_a_worker_reaches_no_log(capfd: pytest.CaptureFixture[str]) -> None:
    with Pool(workers=1) as pool:
        assert list(pool.stream(tell, range(2), on_failure=minus_one)) == [0, 1]
    assert capfd.readouterr() == ("", "")


def bug_alone(item: int, error: CaseError) -> int:
    assert isinstance(error, CaseBug), error
    assert error.reason == "bug"
    assert "CONTRIBUTING" in error.message
    assert "Doe" not in error.message
    BUGS.append(error)
    return -item


BUGS: list[CaseBug] = []


@pytest.mark.parametrize("executor", ["here", "pool"])
def test_a_bug_costs_its_item_alone_and_names_its_place(executor: str) -> None:
    BUGS.clear()
    with Pool(workers=1) as pool:
        chosen = Here() if executor == "here" else pool
        assert list(chosen.stream(fail_at_three, range(5), on_failure=bug_alone)) == [0, 1, 2, -3, 4]
    assert BUGS[0].what.startswith("ValueError in test_pool.py:")
    if executor == "pool":
        assert "in fail_at_three" in BUGS[0].__notes__[0]  # the traceback in the worker


def test_an_answer_that_cannot_be_sent_is_a_bug_of_its_item() -> None:
    with Pool(workers=1) as pool:
        assert list(pool.stream(unpicklable, [1], on_failure=bug_alone)) == [-1]


def test_a_place_within_the_package_is_named_and_what_the_error_quotes_is_not() -> None:
    with Pool(workers=1) as pool:
        assert list(pool.stream(file_stem, [1], on_failure=bug_alone)) == [-1]
    assert BUGS[-1].what.startswith("AttributeError in pipeline/records/")


def test_what_the_run_cannot_do_without_ends_it() -> None:
    with Pool(workers=1) as pool:
        for executor in (Here(), pool):
            with pytest.raises(ConfigError, match="no such column"):
                call(executor, refuse_config, 1)
            with pytest.raises(CaseError, match="three is refused"):
                call(executor, refuse_three, 3)
            assert call(executor, squared, 3) == 9


def test_no_file_of_the_working_folder_is_run_in_place_of_the_standard_library(tmp_path: Path) -> None:
    folder, command = tmp_path / "studies", tmp_path / "bin" / "command"
    for path in (folder, command.parent):
        path.mkdir()
    for name in ("html", "json", "multiprocessing", "selectors", "signal", "socket", "struct", "threading"):
        (folder / f"{name}.py").write_text("import os\nos.mkdir('run')\nraise SystemExit(9)\n")
    command.write_text(  # as an installed command: its own folder comes first in the path
        "from pipeline.executors.pool import Pool\n"
        "from tests.executors.test_pool import minus_one, process_id\n"
        "if __name__ == '__main__':\n"
        "    with Pool(workers=1) as pool:\n"
        "        print(next(pool.stream(process_id, [0], on_failure=minus_one)))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    ended = subprocess.run(
        [sys.executable, command],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,  # a pool whose fork server is replaced waits for ever
    )
    assert not (folder / "run").exists()
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 0


def test_workers_end_when_their_parent_is_killed() -> None:
    script = (
        "import os, time\n"
        "from pipeline.executors.pool import Pool\n"
        "from tests.executors.test_pool import minus_one, process_id\n"
        "if __name__ == '__main__':\n"
        "    pool = Pool(workers=1)\n"
        "    print(next(pool.stream(process_id, range(20), on_failure=minus_one)), flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + SECONDS
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()


def process_id(_item: int) -> int:
    return os.getpid()


def refuse_three(number: int) -> int:
    if number == 3:
        raise CaseError("odd", "three is refused")
    return number


def minus_nine(item: int, error: CaseError) -> int:
    assert (item, error.reason, str(error)) == (3, "odd", "three is refused")
    return -9


def test_a_case_error_is_returned_in_place_of_a_result_and_the_others_go_on() -> None:
    assert list(Here().stream(refuse_three, range(5), on_failure=minus_nine)) == [0, 1, 2, -9, 4]
    with Pool(workers=2) as pool:
        assert list(pool.stream(refuse_three, range(5), on_failure=minus_nine)) == [0, 1, 2, -9, 4]
