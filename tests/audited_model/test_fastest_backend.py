"""Fastest backend: chosen by counts alone, compared with torch, kept for later runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.attribution import openvino
from pipeline.attribution.work import multiplications
from pipeline.audit import audit
from pipeline.audited_model import fastest_backend
from pipeline.audited_model.fastest_backend import COMPILED, FEWEST, fastest
from pipeline.audited_model.loading import AuditedModel, example_batch, load_model
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.plan import AuditPlan, make_plan
from pipeline.run_files.objects import read_manifest
from tests.study import write_model, write_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("study"))
    write_model(folder / "model")
    return folder


def planned(study: Path, out: Path, **settings: Any) -> AuditPlan:
    stated = {
        "studies": str(study / "images"), "annotations.path": str(study), "out": str(out), "workers": 1,
        "model": str(study / "model" / "tiny.yaml"), "probes": "off", "statistics.replicates": 100,
    }  # fmt: skip
    return make_plan(load_config(None, {**stated, **settings}))


def worth(monkeypatch: pytest.MonkeyPatch, model: AuditedModel, *, images: int) -> None:
    """Let OpenVINO be worth its start from this number of images on."""
    one = multiplications(model.explainer.engine.network, example_batch(model.classifier)[:1])
    monkeypatch.setattr(fastest_backend, "WORTH", images * one)


@pytest.mark.parametrize(("images", "backend"), [(100, "openvino"), (99, "torch"), (FEWEST - 1, "torch")])
def test_the_number_of_images_decides(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: int, backend: str
) -> None:
    plan = planned(study, tmp_path)
    model = load_model(plan)
    assert (model.backend, model.reference) == ("torch", None)
    worth(monkeypatch, model, images=100 if images > FEWEST else 1)
    chosen, drift = fastest(model, plan, images=images)
    assert chosen.backend == backend
    assert [check.name for check in drift] == (["drift"] if backend == "openvino" else [])
    assert chosen.reference is (model.explainer if backend == "openvino" else None)


@pytest.mark.parametrize(
    "settings",
    [
        {"backend": "torch"},
        {"methods": ["layercam"]},
        {"precision": "bfloat16"},
        {"backend_drift": {"logit": 0, "iou": 0}},
    ],
)
def test_torch_stays_where_openvino_may_not_or_cannot_run(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    monkeypatch.setattr(fastest_backend, "WORTH", 0)
    plan = planned(study, tmp_path, **settings)
    model = load_model(plan)
    assert fastest(model, plan, images=1000) == (model, ())


def test_torch_stays_where_openvino_is_not_installed(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastest_backend, "WORTH", 0)
    monkeypatch.setattr(fastest_backend, "find_spec", lambda _name: None)
    plan = planned(study, tmp_path)
    model = load_model(plan)
    assert fastest(model, plan, images=1000) == (model, ())


def test_a_converted_network_is_kept_and_a_damaged_one_made_again(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastest_backend, "WORTH", 0)
    converted: list[int] = []
    convert = openvino._graph
    monkeypatch.setattr(openvino, "_graph", lambda *given: converted.append(1) or convert(*given))
    plan = planned(study, tmp_path)
    model = load_model(plan)
    batch = example_batch(model.classifier)
    first = fastest(model, plan, images=FEWEST)[0].explainer.explain(batch)
    (kept,) = (tmp_path / COMPILED).glob("*.xml")
    again = fastest(model, plan, images=FEWEST)[0].explainer.explain(batch)
    assert len(converted) == 1
    np.testing.assert_array_equal(again.logits, first.logits)
    np.testing.assert_array_equal(again.maps["gradcam"], first.maps["gradcam"])
    numbers = kept.with_suffix(".bin")
    whole = numbers.read_bytes()
    for count, (path, content) in enumerate(
        [(kept, b"<net"), (numbers, bytes(len(whole))), (numbers, whole[:-1] + bytes([whole[-1] ^ 1]))],
        start=2,
    ):
        path.write_bytes(content)
        repaired = fastest(model, plan, images=FEWEST)[0].explainer.explain(batch)
        assert len(converted) == count
        np.testing.assert_array_equal(repaired.logits, first.logits)
    assert {path.suffix for path in kept.parent.iterdir()} == {".xml", ".bin", ".sha256"}
    other = planned(study, tmp_path, methods=["cam"])
    assert fastest(load_model(other), other, images=FEWEST)[0].backend == "openvino"
    assert len(converted) == 5


def test_the_manifest_states_the_backend_and_the_run_is_another_than_that_of_torch(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastest_backend, "FEWEST", 0)
    by_torch = audit(planned(study, tmp_path), executor=Here())
    monkeypatch.setattr(fastest_backend, "WORTH", 0)
    by_openvino = audit(planned(study, tmp_path), executor=Here())
    assert by_torch.index.parent != by_openvino.index.parent
    stated = [read_manifest(run.index.parent) for run in (by_torch, by_openvino)]
    assert [manifest["backend"] for manifest in stated] == ["torch", "openvino"]
    assert ["openvino" in manifest["versions"] for manifest in stated] == [False, True]
    assert [[c["name"] for c in manifest["checks"]][-1] for manifest in stated] == ["corner", "drift"]
    assert [manifest["config"]["backend"] for manifest in stated] == ["auto", "auto"]
