"""A network of an ONNX file meets every self-check, with every method, as any other network does."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.attribution import METHODS
from pipeline.audited_model.loading import AuditedModel, open_model
from pipeline.audited_model.self_checks import run_self_checks
from tests.attribution.transformers import OF_TRANSFORMERS
from tests.classifiers.onnx.test_card import written

WRAPPERS = ("smoothgrad", "layers", "findings", "flips")
SPECS = {name: {"method": name, "of": "gradcam"} for name in WRAPPERS} | {
    "rise": {"method": "rise", "samples": 20},
    "smoothgrad": {"method": "smoothgrad", "of": "gradcam", "samples": 2},
}


def opened(folder: Path, methods: list[object], backend: str = "torch") -> AuditedModel:
    return open_model(
        written(folder), weights=None, allow_pickle=False, device="cpu", precision="float32",
        methods=methods, backend=backend,  # type: ignore[arg-type]
    )  # fmt: skip


def test_every_method_explains_a_keras_network(tmp_path: Path) -> None:
    names = [name for name in METHODS if name not in OF_TRANSFORMERS]
    model = opened(tmp_path, [SPECS.get(name, name) for name in names])
    assert len(model.methods) == len(names)


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_a_keras_network_meets_the_self_checks(tmp_path: Path, backend: str) -> None:
    """Among them: gradients of plain autograd, and places of cells by bright patches."""
    model = opened(tmp_path, ["cam", "gradcam"], backend)
    checks = [check.name for check in run_self_checks(model)]
    assert checks == ["findings", "gradients", "batch", "cells", "corner"]
    assert model.explainer.targets["last"].head is not None
