"""Warm: the command line in processes forked from one that has loaded torch, which saves seconds per start.

The server starts no thread and no worker and computes nothing, so that a process forked from it behaves like
a new one. Only the seed of hashes is the server's: tests that compare bytes start one of the runs cold.
"""

from __future__ import annotations

import atexit
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

from tests.patience import SECONDS

ROOT = Path(__file__).parents[1]
SERVE = "import sys; from tests.warm import serve; serve(int(sys.argv[1]))"
"""The server's program: a script, because workers would import the module that was started."""
LONGEST_REQUEST = 2**17
"""Bytes of a pickled request: arguments, folder, environment and what is called before."""


class Run:
    """A process of the command line, with what tests use of subprocess.Popen."""

    def __init__(self, answers: IO[str], printed: tuple[IO[str], IO[str]]) -> None:
        self._answers, self._printed = answers, printed
        self.pid = int(answers.readline())
        self.returncode: int | None = None
        self.stdout = self.stderr = ""

    def send_signal(self, number: int) -> None:
        """Send a signal to the process, not to its workers."""
        os.kill(self.pid, number)

    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self.returncode is not None or bool(select.select([self._answers], [], [], 0)[0])

    def wait(self, timeout: float = SECONDS) -> int:
        """The exit code, negative for a signal. A process that takes longer is killed: TimeoutExpired."""
        if self.returncode is None:
            in_time = select.select([self._answers], [], [], timeout)[0]
            if not in_time:
                self.send_signal(signal.SIGKILL)
            self.returncode = int(self._answers.readline())
            self.stdout, self.stderr = map(_read, self._printed)
            self._answers.close()
            if not in_time:
                raise subprocess.TimeoutExpired("pipeline.cli", timeout)
        return self.returncode


def _read(file: IO[str]) -> str:
    with file:
        file.seek(0)
        return file.read()


def started(
    words: Sequence[str],
    *,
    before: Callable[[], object] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Run:
    """The process of `python -m pipeline.cli …`; `before`, a function of a module, is called in it first."""
    assert words[:3] == [sys.executable, "-m", "pipeline.cli"], words
    request = pickle.dumps((list(words[3:]), str(Path.cwd()), dict(environment or os.environ), before))
    out, err = (tempfile.TemporaryFile("w+", encoding="utf-8") for _ in range(2))  # noqa: SIM115  see wait
    ours, theirs = socket.socketpair()
    with theirs:
        files = [theirs.fileno(), out.fileno(), err.fileno()]
        socket.send_fds(_server(), [request], files)
    with ours:
        return Run(ours.makefile(encoding="ascii"), (out, err))


def run(words: Sequence[str], *, before: Callable[[], object] | None = None) -> Run:
    """The process, ended."""
    process = started(words, before=before)
    process.wait()
    return process


@cache
def _server() -> socket.socket:
    """The connection to the server, which ends when the connection does: with this process at the latest."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        number = theirs.fileno()
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(number)], pass_fds=[number], cwd=ROOT)

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


def serve(connection: int) -> None:
    """Fork a process per request until the connection ends."""
    import pipeline.audit  # noqa: F401, PLC0415  loads torch, in the server only

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the watchers
    with socket.socket(fileno=connection) as requests:
        while True:
            message, files, *_ = socket.recv_fds(requests, LONGEST_REQUEST, 3)
            if not message:
                return
            if os.fork() == 0:
                requests.close()
                _watch(message, *files)
            for file in files:
                os.close(file)


def _watch(message: bytes, answers: int, out: int, err: int) -> NoReturn:
    """Fork the process, and write its number and its exit code, a line each."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        os.close(answers)
        _become(message, out, err)
    os.close(out)
    os.close(err)
    os.write(answers, f"{process}\n".encode())
    _, status = os.waitpid(process, 0)
    os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(message: bytes, out: int, err: int) -> NoReturn:
    """Be the command line: arguments, folder and environment are the request's."""
    code = 1
    try:
        os.dup2(out, sys.stdout.fileno())
        os.dup2(err, sys.stderr.fileno())
        arguments, folder, environment, before = pickle.loads(message)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        if before:
            before()
        from pipeline.cli.main import main  # noqa: PLC0415

        code = main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001  whatever it is, it is printed and ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
