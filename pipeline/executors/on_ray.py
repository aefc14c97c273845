"""Ray: items as tasks on the nodes of a cluster that is there already, and one host per device.

Optional executor, installed by `pip install heatproof[ray]`. The tasks of a node that dies run on another
one; each item is handled in a worker process with limits, as in a local pool.
"""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import ray
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from pipeline import __version__
from pipeline.errors import CaseError, ConfigError, WorkerFailure
from pipeline.executors import on_node
from pipeline.executors.hosts import Crew, fetched
from pipeline.executors.on_node import packed, unpacked
from pipeline.executors.ordered import in_order
from pipeline.executors.worker import Limits

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
"""Pending items per core of the cluster."""
RETRIES = 5
"""Nodes that may die with an item before it is skipped."""
GONE = (
    exceptions.WorkerCrashedError,
    exceptions.ObjectLostError,
    exceptions.NodeDiedError,
    exceptions.LocalRayletDiedError,
    exceptions.TaskUnschedulableError,
    exceptions.ActorUnschedulableError,
)
"""What Ray raises when the node of a task is gone, and its retries are used up."""
CLIENT = "ray://"
AUTO = "auto"
KNOCKING_SECONDS = 10.0
LOOKING_SECONDS = 120.0
"""Time within which a node says what it sees, also if it first loads Heatproof from a slow disk."""


class RayCluster(AbstractContextManager["RayCluster"]):
    """The connection to a Ray cluster; see `contracts.Executor` and `contracts.Hosts`."""

    def __init__(self, address: str, *, preload: Sequence[str] = (), limits: Limits | None = None) -> None:
        """Connect to the cluster at `address` (host:port, or auto). Raises ConfigError."""
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            _connect(address)
        self._settings = (str(Path.cwd()), tuple(preload), limits or Limits())
        self._task = ray.remote(num_cpus=1, max_retries=RETRIES)(on_node.run)
        cores = sum(int(node["Resources"]["CPU"]) for node in _nodes())
        if not cores:
            self.close()
            raise ConfigError(f"executor.address: no node of the Ray cluster at {address} has a CPU; add one")
        self._most = AHEAD * cores

    def stream(
        self, function: Callable[[T], R], items: Iterable[T], *, on_failure: Callable[[T, CaseError], R]
    ) -> Iterator[R]:
        """Results of `function`, in the order of the items; see `contracts.Executor`."""

        def result(item: T, reference: Any) -> R:
            try:
                found: R = unpacked(_fetched(reference))
            except CaseError as error:
                return on_failure(item, error)
            return found

        return in_order(items, partial(self._submit, function), result, most=self._most)

    def hosted(
        self, make: Callable[[], S], function: Callable[[S, T], R], items: Iterable[T], *, gpus: bool
    ) -> Iterator[R]:
        """function(make(), item) on one host per device; see `contracts.Hosts`."""
        crew = Crew(partial(_started_hosts, gpus=gpus), packed(make), self._settings[0])
        try:
            yield from in_order(
                items,
                lambda item: crew.submit(packed((function, item))),
                lambda _item, work: unpacked(crew.result(work)),
                most=crew.most,
            )
        finally:
            crew.close()

    def check(self, paths: Sequence[Path]) -> None:
        """Raise ConfigError that names the nodes which lack one of the paths, or have another version."""
        here = (*map(str, map(Path.absolute, paths)),)
        if any(not path.is_absolute() for path in paths):
            here = (self._settings[0], *here)
        nodes = _nodes()
        looks = [_on(node, ray.remote(num_cpus=0)(on_node.look)).remote(here) for node in nodes]
        lines = [
            line
            for node, reference in zip(nodes, looks, strict=True)
            for line in _complaints(node, reference)
        ]
        if lines:
            raise ConfigError("\n".join(dict.fromkeys(lines)))

    def close(self) -> None:
        """End the connection, and with it everything that runs for it; one that was there before stays."""
        if self._is_ours:
            ray.shutdown()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _submit(self, function: Callable[[T], R], item: T) -> Any:
        return self._task.remote(packed((function, item)), *self._settings)


def _complaints(node: dict[str, Any], reference: Any) -> Iterator[str]:
    """What speaks against a node, from its look at the run; nothing if it has died since it was listed."""
    name = node["NodeManagerHostname"]
    try:
        seen: on_node.Seen = ray.get(reference, timeout=LOOKING_SECONDS)
    except exceptions.GetTimeoutError:
        yield (
            f"executor: the node {name} has not answered in {LOOKING_SECONDS:.0f} s; look at its memory and "
            "its shared folder, or take it out of the cluster"
        )
    except (*GONE, exceptions.OutOfMemoryError):
        if node["NodeID"] in {other["NodeID"] for other in _nodes()}:
            yield (
                f"executor: on the node {name} a process ended before it could answer; look at its memory, "
                "or take it out of the cluster"
            )
    except (exceptions.RayTaskError, exceptions.RaySystemError, exceptions.RuntimeEnvSetupError) as error:
        yield (
            f"executor: the node {name} cannot load Heatproof ({str(error).strip().splitlines()[-1]}); "
            "install heatproof[ray] there"
        )
    else:
        yield from _differences(name, seen)


def _differences(name: str, seen: on_node.Seen) -> Iterator[str]:
    if seen.version != __version__:
        yield (
            f"executor: the node {name} has Heatproof {seen.version}, wanted {__version__}; install the same "
            "on every node"
        )
    for path in seen.missing:
        yield (
            f"executor: the node {name} does not see {path}; share the folder, under one path on all nodes"
        )


def _connect(address: str) -> None:
    """Connect to the cluster. Raises ConfigError.

    Ray lets workers import from this process's working folder, where a file numpy.py of a stranger may lie,
    and replaces the handler of SIGTERM; neither happens.
    """
    if address.startswith(CLIENT):
        raise ConfigError(
            f"executor.address: found {address}, a Ray Client; wanted host:port of the head node, or auto; "
            "start Heatproof on a node of the cluster"
        )
    with chdir("/"), _same_handler(signal.SIGTERM):
        try:
            _knock(address)
            ray.init(
                address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"executor.address: no Ray cluster answers at {address} ({str(error).partition('. ')[0]}); "
                "start one with ray start --head, and run Heatproof on a node of it"
            ) from error


def _knock(address: str) -> None:
    """Raise OSError or ValueError if nothing listens at host:port: Ray would try again for minutes."""
    if address != AUTO:
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), KNOCKING_SECONDS).close()


@contextmanager
def _same_handler(number: signal.Signals) -> Iterator[None]:
    """The handler of a signal is afterwards as before; other threads than the main one cannot change it."""
    before = signal.getsignal(number)
    try:
        yield
    finally:
        with suppress(ValueError):
            signal.signal(number, before)


def _nodes() -> list[dict[str, Any]]:
    """The living nodes that have a core."""
    return [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]


def _on(node: dict[str, Any], remote: Any, **options: Any) -> Any:
    """The remote function or actor on that node alone."""
    return remote.options(
        scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False), **options
    )


def _fetched(reference: Any) -> Any:
    """The value of a reference. Raises WorkerFailure, or OutputError if the cluster is gone."""
    try:
        return fetched(reference)
    except exceptions.OutOfMemoryError as error:
        raise WorkerFailure("out_of_memory") from error
    except GONE as error:
        raise WorkerFailure("worker_died") from error


def _started_hosts(*, gpus: bool) -> list[Any]:
    """A host on every graphics card of the cluster, or one on every node. Raises ConfigError without any."""
    hosts = []
    for node in _nodes():
        count = int(node["Resources"].get("GPU", 0)) if gpus else 1
        host = ray.remote(num_cpus=0, num_gpus=1 if gpus else 0, max_restarts=0)(on_node.Host)
        hosts += [_on(node, host).remote() for _ in range(count)]
    if not hosts:
        what = "graphics card; set device: cpu, or add a node with one" if gpus else "CPU; add one"
        raise ConfigError(f"executor: no living node of the Ray cluster has a {what}")
    return hosts
