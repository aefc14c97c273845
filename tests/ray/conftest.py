"""A Ray cluster of two nodes on this machine's loopback interface."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
UNTIDY = ("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")
"""Ray's own warnings, and sockets that it leaves to the garbage collector."""
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # as on those: the loopback interface alone
    "RAY_USAGE_STATS_ENABLED": "0",
    "PYTHONPATH": str(ROOT),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for warning in UNTIDY:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one core, the driver's first; one cluster for all tests: it takes seconds to start."""
    pytest.importorskip("ray", reason="heatproof[ray] is not installed")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setitem(os.environ, name, value)
        from ray.cluster_utils import Cluster  # noqa: PLC0415  reads the environment

        cluster = Cluster(initialize_head=True, head_node_args=NODE)
        cluster.add_node(**NODE)
        yield cluster
        cluster.shutdown()
