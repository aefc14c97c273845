"""Patience: how long a PACS is waited for, and how often a request is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pipeline.errors import CaseError, PacsError

T = TypeVar("T")


class Transient(Exception):  # noqa: N818  what happened may be over at the next try
    """A request that may succeed when it is made again."""

    def __init__(self, why: str, *, wait_seconds: float = 0, of_object: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.wait_seconds = wait_seconds
        """What the server asked to wait at least."""
        self.of_object = of_object
        """Whether the object may be the cause, so that others are tried when this one is given up."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds, and numbers of tries."""

    tries: int = 6
    first_wait: float = 1
    """Before the second try; it doubles before each further one."""
    longest_wait: float = 60
    connect: float = 10
    silent: float = 120
    """Between two packets, and until an answer begins."""
    head: float = 300
    """Until an answer's first line and headers are there."""
    grace: float = 60
    """From when on an answer has to keep the pace below."""
    slowest: float = 1024
    """Bytes per second, averaged over an answer."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def refuse_drip(self, begun: float, received: int) -> None:
        """Raise Transient if an answer that began then is too slow to wait for its end."""
        passed = self.clock() - begun
        if passed > self.grace and received < passed * self.slowest:
            raise Transient("the answer comes too slowly")


def tried(call: Callable[[], T], patience: Patience, *, host: str) -> T:
    """What the call returns, made again with growing pauses while it raises Transient.

    Raises PacsError after the last try, or CaseError "server_error" if the object may be the cause.
    """
    wait = patience.first_wait
    for number in range(1, patience.tries + 1):
        try:
            return call()
        except Transient as error:
            if number == patience.tries:
                raise _given_up(error, number, host) from error
            patience.sleep(min(max(wait, error.wait_seconds), patience.longest_wait))
            wait *= 2
    raise PacsError(f"{host}: no try was made; allow one at least")


def _given_up(error: Transient, tries: int, host: str) -> CaseError | PacsError:
    if error.of_object:
        return CaseError("server_error", f"{error.why}, {tries} times; ask the archive's log")
    return PacsError(f"{host}: {error.why}, {tries} times; check the archive and the way there")
