"""Hosts: the processes of a cluster that keep a value, and the work that each of them has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray import exceptions

from pipeline.errors import OutputError
from pipeline.executors.on_node import unpacked

AHEAD = 2
"""Pending items per host: one that it computes, and one that waits there."""
TRIES = 10
"""Hosts that may die with an item."""
STARTS = 4
"""Times that hosts are started, because all of them died."""


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
                reply: bytes = ray.get(work.reference)
            except (exceptions.RayActorError, exceptions.ObjectLostError) as error:
                self._release(work.host, is_dead=isinstance(error, exceptions.RayActorError))
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
            ray.kill(host)
        self._busy = {}

    def _release(self, host: Any, *, is_dead: bool = False) -> None:
        """Count one item less for the host; one that is dead gets no more, and was perhaps known to be."""
        if is_dead:
            self._busy.pop(host, None)
        elif host in self._busy:
            self._busy[host] -= 1
        if not self._busy:
            self._open()

    def _open(self) -> None:
        """Start hosts; those that die while they start are left out."""
        while not self._busy:
            self._starts += 1
            if self._starts > STARTS:
                raise OutputError(
                    "executor: every process of the Ray cluster that holds the network died; finished images "
                    "are kept: look at the nodes' memory, and run the same command to resume"
                )
            opened = [(host, host.open.remote(self._maker, self._folder)) for host in self._start()]
            for host, reference in opened:
                try:
                    unpacked(ray.get(reference))
                except exceptions.RayActorError:
                    continue
                self._busy[host] = 0
