"""Executing: what a config without its cluster, or with unfit words, is told, and what nodes must see."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import AuditConfig, load_config
from pipeline.errors import ConfigError
from pipeline.plan import Inputs, make_plan
from pipeline.run.executing import _check_shared, open_executor
from tests.study import write_model, write_study


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


class Nodes:
    """A cluster that keeps the paths it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Path] = []

    def check(self, paths: list[Path]) -> None:
        self.asked = paths


def test_nodes_are_asked_for_the_files_from_which_they_open_the_network(tmp_path: Path) -> None:
    write_study(tmp_path, count=1)
    card = write_model(tmp_path / "model")
    settings = {"studies": str(tmp_path / "images"), "model": str(card), "out": str(tmp_path / "out")}
    weights = tmp_path / "model" / "tiny.safetensors"
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"")

    def asked(**more: str) -> list[Path]:
        nodes: Any = Nodes()
        _check_shared(nodes, make_plan(load_config(None, {**settings, **more})))
        *found, written = nodes.asked
        assert written.parent == tmp_path
        assert not written.exists()
        return found

    assert asked() == [tmp_path / "images", card, weights]
    assert asked(weights=str(other)) == [tmp_path / "images", card, other]


def test_without_a_network_nodes_are_asked_for_the_inputs_alone(tmp_path: Path) -> None:
    nodes: Any = Nodes()
    config = AuditConfig.model_validate({"out": str(tmp_path)})
    _check_shared(nodes, Inputs(config, tmp_path, tmp_path / "labels.csv"))
    assert nodes.asked[:-1] == [tmp_path, tmp_path / "labels.csv"]
