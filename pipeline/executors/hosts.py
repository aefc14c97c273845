"""Hosts: the processes of a cluster that keep a value, and the work that each of them has."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray import exceptions

from pipeline.errors import ConfigError, OutputError
from pipeline.executors.on_node import unpacked

AHEAD = 2
"""Pending items per host: one that it computes, and one that waits there."""
TRIES = 10
"""Hosts that may die with an item."""
STARTS = 4
"""Times that hosts are started, because all of them died."""
PAUSE_SECONDS = 5.0
"""Pause before hosts are started again: Ray lists a node as alive for some seconds after its death."""
PLACING_SECONDS = 180.0
"""Time within which the process of a host starts, unless another job holds its graphics card."""
DEAD = (
    exceptions.RayActorError,
    exceptions.ActorUnschedulableError,
    exceptions.TaskUnschedulableError,
    exceptions.NodeDiedError,
    exceptions.LocalRayletDiedError,
    exceptions.OutOfMemoryError,
)
"""What Ray raises for a host that is gone, out of reach, or on a node that died before Ray knew it."""


@dataclass(slots=True)
class Work:
    """An item of a host."""

    task: bytes
    host: Any
    reference: Any


class Crew:
    """Hosts with their value; the items of one that dies go to the others, or to new ones if none is left."""

    def __init__(self, start: Callable[[], list[Any]], maker: bytes, folder: str) -> None:
        """Start hosts, which make their value by the pickled function. Raises its AuditErrors."""
        self._start, self._maker, self._folder = start, maker, folder
        self._starts = 0
        self._busy: dict[Any, int] = {}
        self._open()
        self.most = AHEAD * len(self._busy)

    def submit(self, task: bytes) -> Work:
        """The work of the host that has the least."""
        host = min(self._busy, key=lambda one: self._busy[one])
        self._busy[host] += 1
        return Work(task, host, host.run.remote(task))

    def result(self, work: Work) -> bytes:
        """The reply to a task. Raises OutputError if host after host dies with it."""
        for _ in range(TRIES):
            try:
                reply: bytes = fetched(work.reference)
            except (*DEAD, exceptions.ObjectLostError) as error:
                self._release(work.host, is_dead=isinstance(error, DEAD))
                work = self.submit(work.task)
            else:
                self._release(work.host)
                return reply
        raise OutputError(
            f"executor: {TRIES} nodes of the Ray cluster died while they explained the same images; finished "
            "images are kept: look at the nodes' memory, and run the same command to resume"
        )

    def close(self) -> None:
        """End the hosts."""
        for host in self._busy:
            _end(host)
        self._busy = {}

    def _release(self, host: Any, *, is_dead: bool = False) -> None:
        """Count one item less for the host; one that is dead gets no more, and was perhaps known to be."""
        if is_dead and host in self._busy:
            del self._busy[host]
            _end(host)
        elif host in self._busy:
            self._busy[host] -= 1
        if not self._busy:
            self._open()

    def _open(self) -> None:
        """Start hosts. Raises ConfigError at the first start alone, then OutputError."""
        while not self._busy:
            self._starts += 1
            if self._starts > STARTS:
                raise OutputError(
                    "executor: every process of the Ray cluster that holds the network died; finished images "
                    "are kept: look at the nodes' memory, and run the same command to resume"
                )
            if self._starts > 1:
                time.sleep(PAUSE_SECONDS)
            try:
                self._busy = dict.fromkeys(self._opened(self._start()), 0)
            except ConfigError as error:
                if self._starts == 1:
                    raise
                raise OutputError(
                    f"{error}; finished images are kept: run the same command to resume"
                ) from error

    def _opened(self, hosts: Sequence[Any]) -> list[Any]:
        """The hosts that make their value. Those that die, or wait for a device in vain, are ended.

        Raises the AuditErrors of one, after all are ended, and ConfigError if all wait in vain.
        """
        kept: list[Any] = []
        try:
            placed = {host: host.ready.remote() for host in hosts}
            opened = {host: host.open.remote(self._maker, self._folder) for host in hosts}
            _, late = ray.wait(list(placed.values()), num_returns=len(placed), timeout=PLACING_SECONDS)
            kept = [host for host in hosts if placed[host] not in late and _has_value(opened[host])]
        finally:
            for host in hosts:
                if host not in kept:
                    _end(host)
        if late and not kept:
            raise ConfigError(
                "executor: no process for the network has started on the Ray cluster within "
                f"{PLACING_SECONDS:.0f} s; if another job uses its graphics cards (see ray status), wait for "
                "its end, or set device: cpu"
            )
        return kept


def fetched(reference: Any) -> Any:
    """The value of a reference. Raises OutputError if the cluster is gone."""
    try:
        return ray.get(reference)
    except (exceptions.RaySystemError, exceptions.RuntimeEnvSetupError) as error:
        raise OutputError(
            "executor: the Ray cluster has stopped working; finished images are kept: start it again, and "
            "run the same command to resume"
        ) from error


def _has_value(opened: Any) -> bool:
    """Whether a host made its value, and did not die of it. Raises its AuditErrors."""
    try:
        unpacked(fetched(opened))
    except DEAD:
        return False
    return True


def _end(host: Any) -> None:
    """End a host, also one that is only out of reach: it would keep its graphics card."""
    with suppress(exceptions.RayError):
        ray.kill(host)
