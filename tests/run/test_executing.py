"""Executing: what a config without its cluster, or with words that do not fit, is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.config import AuditConfig, load_config
from pipeline.errors import ConfigError
from pipeline.plan import Inputs
from pipeline.run.executing import open_executor


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "pipeline.executors.on_ray", raising=False)
    plan = Inputs(AuditConfig.model_validate({"executor": {"kind": "ray"}}), tmp_path, None)
    with (
        pytest.raises(ConfigError, match=r"ray is not installed; run pip install 'heatproof\[ray\]'"),
        open_executor(plan, ()),
    ):
        pass


def test_an_address_without_ray_is_refused() -> None:
    with pytest.raises(ConfigError, match="executor: address is that of a Ray cluster; add kind: ray"):
        load_config(None, {"executor.address": "head:6379"})
