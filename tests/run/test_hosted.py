"""Hosted: images explained on hosts are the images explained here, and a host's model must be this one."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.attribution import replicas
from pipeline.audited_model.loading import load_model
from pipeline.audited_model.twin import open_twin, twin_of
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.plan import make_plan
from pipeline.records import ExplainedCase, Skipped
from pipeline.run.hosted import BATCHES, explain_where
from tests.run.test_stream import STEMS, TRUTH, decoded, explained, gone
from tests.study import write_model, write_study


class Elsewhere:
    """A host whose items and results pass as bytes, as between machines."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    def hosted(
        self,
        make: Callable[[], Any],
        function: Callable[[Any, Any], Any],
        items: Iterable[Any],
        *,
        gpus: bool,
    ) -> Iterator[Any]:
        assert not gpus
        kept = pickle.loads(pickle.dumps(make))()
        for item in items:
            self.groups.append(len(item[0]))
            there, of = pickle.loads(pickle.dumps((function, item)))
            yield pickle.loads(pickle.dumps(there(kept, of)))


def bits(one: ExplainedCase | Skipped) -> object:
    if isinstance(one, Skipped):
        return one
    maps = [(heatmap.finding, heatmap.method, heatmap.relevance.tobytes()) for heatmap in one.heatmaps]
    return one.decoded.case, one.predictions, maps, one.items, one.labels


def test_a_host_explains_in_the_same_batches_with_the_same_bits(tmp_path: Path) -> None:
    write_study(tmp_path, count=2)
    settings = {
        "studies": str(tmp_path / "images"), "model": str(write_model(tmp_path / "model")), "batch_size": 1,
        "methods": ["gradcam", "layercam@stride4"],
    }  # fmt: skip
    plan = make_plan(load_config(None, settings))
    model = load_model(plan)
    images = [decoded(stem) for stem in STEMS]
    images[2] = gone(STEMS[2])
    there = Elsewhere()
    found = list(explain_where(there, images, model, TRUTH, plan=plan))
    assert there.groups == [BATCHES, BATCHES]
    expected = explained(images, model, batch_size=1)
    assert [bits(one) for one in found] == [bits(one) for one in expected]


def test_a_host_copies_its_network_once_for_all_its_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(tmp_path, count=2)
    settings = {
        "studies": str(tmp_path / "images"), "model": str(write_model(tmp_path / "model")), "batch_size": 1
    }  # fmt: skip
    plan = make_plan(load_config(None, settings))
    model = load_model(plan)
    copied: list[object] = []

    def copy_of(one: object) -> object:
        copied.append(one)
        return deepcopy(one)

    monkeypatch.setattr(replicas, "copy", SimpleNamespace(deepcopy=copy_of))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2 * replicas.COUNT)
        there = Elsewhere()
        found = list(explain_where(there, map(decoded, STEMS), model, TRUTH, plan=plan))
        assert torch.get_num_threads() == 2 * replicas.COUNT
    finally:
        torch.set_num_threads(before)
    assert len(there.groups) == 2
    assert len(copied) == replicas.COUNT
    assert [one.decoded.case.case_id for one in found if isinstance(one, ExplainedCase)] == [
        decoded(stem).case_id for stem in STEMS
    ]


def test_a_host_with_another_model_is_refused(tmp_path: Path) -> None:
    write_study(tmp_path, count=2)
    settings = {"studies": str(tmp_path / "images"), "model": str(write_model(tmp_path / "model"))}
    plan = make_plan(load_config(None, settings))
    twin = twin_of(load_model(plan), plan)
    with pytest.raises(ConfigError, match="a node reads other weights than this machine"):
        open_twin(replace(twin, weights_sha256="0" * 64))
    with pytest.raises(ConfigError, match=r"logits on a node differ by 0\.0[0-9]+ of the largest"):
        open_twin(replace(twin, logits=twin.logits + np.float32(0.02) * np.abs(twin.logits).max()))
