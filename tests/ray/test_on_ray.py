"""Ray: a run ends with the bytes of a local pool's, whichever of its processes and nodes dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.errors import CaseBug, CaseError, ConfigError, WorkerFailure
from pipeline.plan import make_plan
from pipeline.records import Progress
from tests import warm
from tests.executors.test_pool import die_at_three, fail_at_three, squared
from tests.faults import run_folder
from tests.patience import SECONDS
from tests.ray.conftest import NODE
from tests.study import write_model, write_study
from tests.volatile import contents

IMAGES = 24
FIRST = 2
"""Finished images after which a process or node is killed: the others are under way."""


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "studies": str(folder / "images"), "annotations.path": str(folder),
        "model": str(folder / "model" / "tiny.yaml"), "out": str(folder / "out"), "workers": 2,
        "batch_size": 2, "statistics.replicates": 20, "probes": "off", "contours.gate": "all",
        "policy.max_suspicion": {"weights": "strong", "card": "strong", "masks": "strong"}, **more,
    }  # fmt: skip


def as_words(settings: dict[str, Any]) -> list[str]:
    """The same settings on a command line."""
    words = (word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}"))
    return [sys.executable, "-m", "pipeline.cli", "audit", *words]


def wait_for_cases(out: Path, process: warm.Run) -> None:
    """Return when `FIRST` images are finished."""
    deadline = time.monotonic() + SECONDS
    while len(list(out.glob("*/cases/*/case.json"))) < FIRST:
        assert not process.has_ended(), process.wait()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def failed(item: int, error: CaseError) -> int | str:
    return f"{item} {error.reason}"


def counted(start: int) -> list[int]:
    return [start]


def added(marker: Path, kept: list[int], item: int) -> int:
    """The item with what the host keeps; the first host that meets 3 dies of it."""
    if item == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return kept[0] + item


def refused() -> None:
    raise ConfigError("no such weights")


def test_tasks_and_hosts_as_their_contracts_say(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.executors.on_ray import RayCluster  # noqa: PLC0415  only where Ray is installed

    monkeypatch.chdir(tmp_path)
    (tmp_path / "numpy.py").write_text("raise SystemExit")  # as if among the studies
    drawn = []

    def items() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    with pytest.raises(ConfigError, match=r"no Ray cluster answers at 127\.0\.0\.1:1 "):
        RayCluster("127.0.0.1:1")
    with RayCluster(cluster.address) as ray:
        assert list(ray.stream(squared, range(20), on_failure=failed)) == [n * n for n in range(20)]
        next(iter(ray.stream(squared, items(), on_failure=failed)))
        assert len(drawn) == 8  # four for each core
        reason = WorkerFailure("worker_died").reason
        assert list(ray.stream(die_at_three, range(5), on_failure=failed)) == [0, 1, 2, f"3 {reason}", 4]
        bug = CaseBug("").reason
        assert list(ray.stream(fail_at_three, range(5), on_failure=failed)) == [0, 1, 2, f"3 {bug}", 4]

        ray.check([tmp_path])
        with pytest.raises(ConfigError, match=r"does not see .*nowhere; share the folder"):
            ray.check([tmp_path, tmp_path / "nowhere"])

        marker = tmp_path / "marker"
        function = partial(added, marker)
        assert list(ray.hosted(partial(counted, 10), function, range(8), gpus=False)) == list(range(10, 18))
        assert marker.exists()
        with pytest.raises(ConfigError, match="no such weights"):
            list(ray.hosted(refused, function, [1], gpus=False))
        with pytest.raises(ConfigError, match="has a graphics card; set device: cpu"):
            list(ray.hosted(refused, function, [1], gpus=True))


def test_a_node_without_heatproof_is_named_at_the_start(cluster: Any, tmp_path: Path) -> None:
    from pipeline.executors.on_ray import RayCluster  # noqa: PLC0415  only where Ray is installed

    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").write_text("raise ModuleNotFoundError('no Heatproof')")
    bare = cluster.add_node(**NODE, env_vars={"PYTHONPATH": str(tmp_path)})
    try:
        with (
            RayCluster(cluster.address) as ray,
            pytest.raises(
                ConfigError, match=r"cannot load Heatproof \(.*no Heatproof\); install heatproof\[ray"
            ),
        ):
            ray.check([tmp_path])
    finally:
        cluster.remove_node(bare)


def test_driver_and_node_die_in_mid_run_and_the_bytes_are_those_of_the_pool(
    cluster: Any, tmp_path: Path
) -> None:
    """The last test: a node of the cluster is gone afterwards."""
    write_study(tmp_path, count=IMAGES)
    write_model(tmp_path / "model")
    audit(make_plan(load_config(None, settings(tmp_path))))
    expected = contents(run_folder(tmp_path))
    shutil.rmtree(run_folder(tmp_path))

    on_ray = {"executor.kind": "ray", "executor.address": cluster.address}
    driver = warm.started(as_words(settings(tmp_path, **on_ray)))
    wait_for_cases(tmp_path / "out", driver)
    os.kill(driver.pid, signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL

    shown: list[Progress] = []
    (second,) = cluster.worker_nodes
    nodes = [second]

    def kill_a_node(progress: Progress) -> None:
        shown.append(progress)
        if nodes and progress.done >= shown[0].done + FIRST:
            cluster.remove_node(nodes.pop(), allow_graceful=False)

    audit(make_plan(load_config(None, settings(tmp_path, **on_ray))), progress=kill_a_node)
    assert FIRST <= shown[0].done < IMAGES - FIRST, "the driver was killed in mid-run"
    assert not nodes
    found = contents(run_folder(tmp_path))
    assert [name for name in expected | found if expected.get(name) != found.get(name)] == []
