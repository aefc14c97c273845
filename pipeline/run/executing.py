"""Executing: the workers that a config names, on this machine or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline.classifiers.card_files import weights_path
from pipeline.contracts import Executor, Hosts
from pipeline.errors import ConfigError
from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from pipeline.plan import AuditPlan, Inputs
from pipeline.store.atomic import writing

if TYPE_CHECKING:
    from pipeline.executors.on_ray import RayCluster


@contextmanager
def open_executor(plan: Inputs, worker_modules: Sequence[str]) -> Iterator[tuple[Executor, Hosts | None]]:
    """The executor, and the hosts of networks beside this process. Raises ConfigError."""
    config = plan.config
    limits = Limits(config.limits.seconds, config.limits.memory_mb)
    if config.executor.kind == "pool":
        with Pool(workers=config.workers, preload=worker_modules, limits=limits) as pool:
            yield pool, None
        return
    with _cluster_at(config.executor.address)(preload=worker_modules, limits=limits) as cluster:
        _check_shared(cluster, plan)
        yield cluster, cluster


def _cluster_at(address: str) -> partial[RayCluster]:
    """What connects to the cluster. Raises ConfigError if Ray is not installed."""
    try:
        from pipeline.executors.on_ray import RayCluster  # noqa: PLC0415  an optional library
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ConfigError(
            "executor.kind: ray is not installed; run pip install 'heatproof[ray]', or set kind: pool"
        ) from error
    return partial(RayCluster, address)


def _check_shared(cluster: RayCluster, plan: Inputs) -> None:
    """Raise ConfigError if a node does not see the inputs, or what this process writes beside the runs."""
    inputs = [path for path in (plan.studies, plan.annotations, plan.config.heatmaps.path) if path]
    inputs += _model_files(plan)
    out = plan.config.out
    there = next(folder for folder in (out, *out.parents, Path()) if folder.is_dir())
    with writing(there), TemporaryDirectory(prefix=".heatproof-", dir=there) as written:
        cluster.check([*inputs, Path(written)])


def _model_files(plan: Inputs) -> list[Path]:
    """The card and the weights from which nodes open an audit's network."""
    if not isinstance(plan, AuditPlan):
        return []
    return [plan.card_path, plan.config.weights or weights_path(plan.card, plan.card_path)]
