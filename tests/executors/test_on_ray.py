"""On Ray: what nodes say before a run, and what becomes of Ray's errors; stand-ins reply for a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="heatproof[ray] is not installed")

from ray import exceptions

from pipeline import __version__
from pipeline.errors import ConfigError, OutputError, WorkerFailure
from pipeline.executors import on_ray
from pipeline.executors.on_node import Seen
from pipeline.executors.on_ray import RayCluster

NO_MODULE = exceptions.RayTaskError(
    "look", "Traceback:\nModuleNotFoundError: No module named 'pipeline'", RuntimeError(), ip="", pid=1
)


class Remote:
    """A remote function whose reference is the node's reply, or the error of it."""

    def __init__(self, reply: object) -> None:
        self.reply = reply

    def remote(self, _paths: tuple[str, ...]) -> object:
        return self.reply


def value(reference: object, **_limit: float) -> object:
    if isinstance(reference, Exception):
        raise reference
    return reference


def complaints(monkeypatch: pytest.MonkeyPatch, replies: dict[str, object], *, dead: str = "") -> str:
    """What `check` says of nodes that give these replies; `dead` has died when nodes are listed again."""
    nodes = [{"NodeID": name, "NodeManagerHostname": name} for name in replies]
    lists = [nodes, *[[node for node in nodes if node["NodeID"] != dead]] * len(nodes)]
    monkeypatch.setattr(on_ray, "_nodes", lambda: lists.pop(0))
    monkeypatch.setattr(on_ray, "_on", lambda node, _remote: Remote(replies[node["NodeID"]]))
    monkeypatch.setattr(on_ray.ray, "get", value)
    cluster: Any = object.__new__(RayCluster)
    cluster._settings = ("/", (), None)
    try:
        cluster.check([Path("/studies")])
    except ConfigError as error:
        return str(error)
    return ""


def test_every_node_is_named_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    found = complaints(
        monkeypatch,
        {
            "good": Seen(__version__, ()),
            "old": Seen("0.1", ("/studies",)),
            "bare": NO_MODULE,
            "broken": exceptions.RaySystemError("no worker"),
            "slow": exceptions.GetTimeoutError(),
            "full": exceptions.WorkerCrashedError(),
        },
    )
    beginnings = [
        f"executor: the node old has Heatproof 0.1, wanted {__version__}; install the same",
        "executor: the node old does not see /studies; share the folder",
        "executor: the node bare cannot load Heatproof (ModuleNotFoundError: No module named 'pipeline'); i",
        "executor: the node broken cannot load Heatproof (System error: no worker); install heatproof[ray]",
        "executor: the node slow has not answered in 120 s; look at its memory",
        "executor: on the node full a process ended before it could answer; look at its memory",
    ]
    for line, beginning in zip(found.splitlines(), beginnings, strict=True):
        assert line.startswith(beginning)


@pytest.mark.parametrize(
    "error", [exceptions.TaskUnschedulableError("dead"), exceptions.NodeDiedError("dead")]
)
def test_a_node_that_died_after_it_was_listed_is_left_out(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = {"good": Seen(__version__, ()), "gone": error}
    assert complaints(monkeypatch, replies, dead="gone") == ""
    assert complaints(monkeypatch, replies).startswith("executor: on the node gone a process ended")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (exceptions.TaskUnschedulableError("dead"), "worker_died"),
        (exceptions.ActorUnschedulableError("dead"), "worker_died"),
        (exceptions.NodeDiedError("dead"), "worker_died"),
        (exceptions.OutOfMemoryError("full"), "out_of_memory"),
    ],
)
def test_a_task_whose_node_is_lost_is_a_failure_of_its_worker(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_ray.ray, "get", value)
    with pytest.raises(WorkerFailure) as failure:
        on_ray._fetched(error)
    assert failure.value.reason == reason


def test_a_cluster_that_stopped_is_told_with_how_to_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray.ray, "get", value)
    with pytest.raises(OutputError, match="the Ray cluster has stopped working"):
        on_ray._fetched(exceptions.RaySystemError("gone"))
