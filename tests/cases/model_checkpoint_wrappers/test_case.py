"""Everyday ways to save the same network are read, and what was left off is shown.

Right: the logits of the bare state dict, because the names after the wrapper are unambiguous. Before, all
were refused. Source: Lightning-AI/pytorch-lightning#2653 and #4792 (.ckpt),
huggingface/pytorch-image-models#2003 and karpathy/nanoGPT#325 (_orig_mod.), SWivid/F5-TTS#27
(model_state_dict). Shared case: model-checkpoint-wrappers.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from monai.networks.nets import DenseNet
from safetensors.torch import load_file
from torch import Tensor

from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError
from tests.study import ARGUMENTS, GRID, write_model

Tensors = dict[str, Tensor]
IMAGES = torch.linspace(0, 1, GRID * GRID).reshape(1, 1, GRID, GRID)
HEAD = re.compile(r"backbone\.class_layers\.out")
LOSS = {"criterion.pos_weight": torch.ones(2)}


def under(prefix: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: OrderedDict((prefix + name, tensor) for name, tensor in tensors.items())


WRAPPED: dict[str, tuple[Callable[[Tensors], object], list[str]]] = {
    "bare.bin": (dict, []),
    "lightning.ckpt": (
        lambda t: {"state_dict": under("model.")(t), "epoch": 3},
        ["state_dict", "model.", "epoch"],
    ),
    "with_loss.ckpt": (
        lambda t: {"state_dict": {**under("net.")(t), **LOSS}},
        ["state_dict", "net.", "criterion.pos_weight"],
    ),
    "loss_beside.pth": (lambda t: {**t, **LOSS}, ["criterion.pos_weight"]),
    "compiled.pth": (under("_orig_mod."), ["_orig_mod."]),
    "compiled_lightning.pth": (under("model._orig_mod."), ["model.", "_orig_mod."]),
    "parallel.pt": (under("module.backbone."), ["module.backbone."]),
    "averaged.pt": (
        lambda t: {**under("module.")(t), "n_averaged": torch.tensor(3)},
        ["module.", "n_averaged"],
    ),
    "model_state_dict.pt": (lambda t: {"model_state_dict": t, "epoch": 1}, ["model_state_dict", "epoch"]),
    "model_key.pt": (
        lambda t: {"model": t, "optimizer": {"state": {0: {"step": torch.ones(1)}}}},
        ["model", "optimizer"],
    ),
    "same_twice.pt": (lambda t: {"state_dict": t, "ema": t}, ["state_dict", "ema"]),
    "in_depth.pt": (lambda t: {"checkpoint": {"net": under("net.")(t)}}, ["checkpoint/net", "net."]),
    "own_head.pt": (
        lambda t: {name.replace("class_layers.out", "fc"): value for name, value in t.items()},
        ["fc"],
    ),
    "head_beside.pt": (
        lambda t: {HEAD.sub("head", f"backbone.{name}"): value for name, value in t.items()},
        ["backbone.", "head"],
    ),
}
"""File → how the tensors are wrapped, and the names that the notices show."""


@pytest.fixture
def plain(tmp_path: Path) -> Tensors:
    return load_file(write_model(tmp_path).with_suffix(".safetensors"))


@pytest.mark.parametrize("name", WRAPPED)
def test_the_logits_are_those_of_the_bare_state_dict(plain: Tensors, tmp_path: Path, name: str) -> None:
    wrap, shown = WRAPPED[name]
    right, network = DenseNet(**ARGUMENTS).eval(), DenseNet(**ARGUMENTS).eval()
    right.load_state_dict(plain)
    torch.save(wrap(plain), tmp_path / name)
    loaded = load_weights(network, tmp_path / name, sha256=None, allow_pickle=True)
    torch.testing.assert_close(network(IMAGES), right(IMAGES))
    assert [notice.names[0] for notice in loaded.notices] == shown
    assert {notice.kind for notice in loaded.notices} <= {"guess"}


@pytest.mark.parametrize(
    ("wrap", "complaint"),
    [
        (
            lambda t: {**under("student.")(t), **under("teacher.")({k: v + 1 for k, v in t.items()})},
            (
                "2 different networks, under 'student' and 'teacher'; state the one that was evaluated in "
                "the model card, as state_dict: 'teacher', or write it alone: heatproof convert"
            ),
        ),
        (
            lambda t: {"state_dict": t, "ema": {name: value + 1 for name, value in t.items()}},
            "2 different networks, under 'state_dict' and 'ema'; state the one",
        ),
        (
            lambda t: {**under("net.")(t), "normalize.mean": torch.ones(1)},
            r"1 tensors are outside 'net\.', the network's prefix: normalize\.mean",
        ),
        (
            lambda t: {**under("net.")(t), "temperature": torch.ones(1)},
            r"1 tensors are outside 'net\.', the network's prefix: temperature",
        ),
        (lambda t: {**t, "fc.weight": torch.ones(2, 3), "fc.bias": torch.ones(2)}, "2 unexpected: fc.bias"),
    ],
    ids=["two-networks", "two-state-dicts", "normalisation", "calibration", "two-heads"],
)
def test_a_checkpoint_of_two_readings_is_refused(
    plain: Tensors, tmp_path: Path, wrap: Callable[[Tensors], object], complaint: str
) -> None:
    torch.save(wrap(plain), tmp_path / "w.pth")
    with pytest.raises(ConfigError, match=complaint):
        load_weights(DenseNet(**ARGUMENTS), tmp_path / "w.pth", sha256=None, allow_pickle=True)
