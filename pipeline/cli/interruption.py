"""Interruption: end the process a few seconds after a signal, even if a library does not return."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

INTERRUPTED = 130
INTERRUPTED_SECONDS = 3.0
"""Seconds from a signal to the end of the process; finished results are on disk."""


@contextmanager
def exit_in_time(*, until_exit: bool) -> Iterator[None]:
    """Context in which a signal ends this process within a few seconds, even while a library does not return.

    Python runs its own signal handlers only at the next line of Python. Therefore a thread waits for the
    signal at the wakeup pipe. With `until_exit`, the limit of an interrupted run also holds after the
    context, until the interpreter has ended.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    finished = threading.Event()

    def watch() -> None:
        os.read(read_end, 1)
        if not finished.wait(INTERRUPTED_SECONDS):
            os._exit(INTERRUPTED)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    interrupted = False
    try:
        yield
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        signal.set_wakeup_fd(before)
        if not (interrupted and until_exit):
            finished.set()
            os.write(write_end, b"\0")
            thread.join()
            os.close(write_end)
            os.close(read_end)


@contextmanager
def own_time() -> Iterator[None]:
    """Context in which a signal sets no limit: who catches it there cleans up, however long that takes."""
    before = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)


def interrupt(_signal: int, _frame: object) -> NoReturn:
    """Signal handler that raises KeyboardInterrupt."""
    raise KeyboardInterrupt
