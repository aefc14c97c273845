"""Hosts: what a cluster loses in mid-run ends in other hosts or in a sentence, and no host is left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("ray", reason="heatproof[ray] is not installed")

from ray import exceptions

from pipeline.errors import ConfigError, OutputError
from pipeline.executors import hosts
from pipeline.executors.hosts import Crew
from pipeline.executors.on_node import packed

GONE = [
    exceptions.ActorDiedError(),
    exceptions.ActorUnavailableError("unreachable", None),
    exceptions.ActorUnschedulableError("the node is dead"),
    exceptions.TaskUnschedulableError("the node is dead"),
    exceptions.NodeDiedError("dead"),
    exceptions.OutOfMemoryError("full"),
]
NEVER = object()
"""The reply of a process that waits for its graphics card."""
NOTHING = packed((None,))


@dataclass(frozen=True)
class Call:
    """A method of a stand-in whose reference is its reply, or the error of it."""

    reply: Any

    def remote(self, *_given: object) -> Any:
        return self.reply


@dataclass(eq=False)
class Stand:
    """A host that replies the same to each call of a kind."""

    name: str
    placed: Any = None
    opened: Any = NOTHING
    reply: Any = b""

    ready: Call = field(init=False)
    open: Call = field(init=False)
    run: Call = field(init=False)

    def __post_init__(self) -> None:
        self.ready, self.open = Call((self, self.placed)), Call(self.opened)
        self.run = Call(self.reply or self.name.encode())


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the stand-ins that were killed."""
    names: list[str] = []

    def value(reference: Any) -> Any:
        if isinstance(reference, Exception):
            raise reference
        return reference

    def wait(references: list[Any], *, num_returns: int, timeout: float) -> tuple[list[Any], list[Any]]:
        assert num_returns == len(references)
        assert timeout == hosts.PLACING_SECONDS
        late = [reference for reference in references if reference[1] is NEVER]
        return [reference for reference in references if reference not in late], late

    monkeypatch.setattr(hosts.ray, "get", value)
    monkeypatch.setattr(hosts.ray, "wait", wait)
    monkeypatch.setattr(hosts.ray, "kill", lambda host: names.append(host.name))
    monkeypatch.setattr(hosts, "PAUSE_SECONDS", 0)
    return names


def starts(*times: list[Stand] | Exception) -> Callable[[], list[Any]]:
    """What starts these hosts, one after the other."""
    left = list(times)

    def start() -> list[Any]:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return start


def crew_of(*times: list[Stand] | Exception) -> Crew:
    return Crew(starts(*times), b"", "/")


@pytest.mark.parametrize("error", GONE, ids=lambda error: type(error).__name__)
def test_an_item_of_a_host_that_is_lost_goes_to_another_and_the_lost_one_is_killed(
    error: Exception, killed: list[str]
) -> None:
    crew = crew_of([Stand("lost", reply=error), Stand("other")])
    assert crew.most == 4
    assert crew.result(crew.submit(b"")) == b"other"
    assert killed == ["lost"]
    crew.close()
    assert killed == ["lost", "other"]


@pytest.mark.parametrize("error", GONE, ids=lambda error: type(error).__name__)
def test_a_host_that_is_lost_while_it_opens_is_killed_and_the_nodes_are_listed_again(
    error: Exception, killed: list[str]
) -> None:
    crew = crew_of([Stand("lost", placed=error, opened=error)], [Stand("other")])
    assert crew.result(crew.submit(b"")) == b"other"
    assert killed == ["lost"]


def test_an_object_that_is_lost_is_computed_again_by_the_host_that_lives(killed: list[str]) -> None:
    crew = crew_of([host := Stand("a", reply=exceptions.ObjectLostError("", None, ""))])
    work = crew.submit(b"")
    host.run = Call(b"found")
    assert crew.result(work) == b"found"
    assert not killed


def test_hosts_die_so_often_that_the_run_ends_with_how_to_resume(killed: list[str]) -> None:
    died = exceptions.ActorDiedError()
    with pytest.raises(OutputError, match=r"holds the network died; .* run the same command to resume"):
        crew_of(*([Stand(str(n), opened=died)] for n in range(hosts.STARTS)))
    assert killed == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "then",
    [ConfigError("has a graphics card"), [Stand("b", opened=packed(ConfigError("has a graphics card")))]],
)
def test_a_fault_of_the_config_in_mid_run_says_that_finished_images_are_kept(
    then: list[Stand] | Exception, killed: list[str]
) -> None:
    crew = crew_of([Stand("a", reply=exceptions.ActorDiedError())], then)
    with pytest.raises(OutputError, match=r"has a graphics card; finished images are kept: run the same"):
        crew.result(crew.submit(b""))
    assert killed == ["a"] if isinstance(then, Exception) else ["a", "b"]


def test_all_hosts_are_killed_if_one_refuses_at_the_start(killed: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"^other weights$"):
        crew_of([Stand("a"), Stand("b", opened=packed(ConfigError("other weights"))), Stand("c")])
    assert killed == ["a", "b", "c"]


def test_a_host_that_waits_for_a_graphics_card_is_left_out(killed: list[str]) -> None:
    crew = crew_of([Stand("a"), Stand("held", placed=NEVER)])
    assert killed == ["held"]
    assert crew.most == 2


def test_if_all_wait_for_graphics_cards_it_is_said(killed: list[str]) -> None:
    with pytest.raises(
        ConfigError, match=r"has started on the Ray cluster within 180 s; if another job uses"
    ):
        crew_of([Stand("held", placed=NEVER)])
    assert killed == ["held"]


def test_a_cluster_that_stopped_says_how_to_resume(killed: list[str]) -> None:
    crew = crew_of([Stand("a", reply=exceptions.RaySystemError("gone"))])
    with pytest.raises(OutputError, match="the Ray cluster has stopped working; finished images are kept"):
        crew.result(crew.submit(b""))
    assert not killed
