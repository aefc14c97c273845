"""A head of Dropout and Linear is the same network, because dropout does nothing in evaluation.

Right: the logits of the plain linear head; before, the names were refused. A head of several linear layers is
another network. Source: Gofinge/CheXpert_Baseline_PyTorch#4, gaetandi/cheXpert#3. Shared case:
model-head-dropout-linear.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.networks.nets import DenseNet
from torch import Tensor, nn

from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError
from tests.study import ARGUMENTS, GRID

IMAGES = torch.linspace(0, 1, GRID * GRID).reshape(1, 1, GRID, GRID)


def with_head(head: nn.Module) -> tuple[nn.Module, dict[str, Tensor]]:
    """A network with this head, and its tensors under torchvision's names."""
    network = DenseNet(**ARGUMENTS).eval()
    network.class_layers.out = head.eval()
    named = {k.replace("class_layers.out.", "classifier."): v for k, v in network.state_dict().items()}
    return network, named


def test_dropout_before_the_head_changes_no_logit(tmp_path: Path) -> None:
    features = DenseNet(**ARGUMENTS).class_layers.out.in_features
    trained, tensors = with_head(nn.Sequential(nn.Dropout(0.5), nn.Linear(features, 2)))
    assert "classifier.1.weight" in tensors
    torch.save(tensors, tmp_path / "w.pth")
    network = DenseNet(**ARGUMENTS).eval()
    load_weights(network, tmp_path / "w.pth", sha256=None, allow_pickle=True)
    torch.testing.assert_close(network(IMAGES), trained(IMAGES))


def test_a_head_of_two_linear_layers_is_refused(tmp_path: Path) -> None:
    features = DenseNet(**ARGUMENTS).class_layers.out.in_features
    _, tensors = with_head(nn.Sequential(nn.Linear(features, 8), nn.ReLU(), nn.Linear(8, 2)))
    torch.save(tensors, tmp_path / "w.pth")
    with pytest.raises(ConfigError, match=r"its head has several layers, one of them classifier\.2"):
        load_weights(DenseNet(**ARGUMENTS), tmp_path / "w.pth", sha256=None, allow_pickle=True)
