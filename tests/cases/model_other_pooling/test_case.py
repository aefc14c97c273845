"""A network whose names and shapes fit, but which computes something else, is refused by the card's example.

timm's global max pooling and Keras' epsilon of 0.001 have the same tensors; probabilities differ by 0.09 and
0.0008. Right: a card can state an image and its logits, and a run whose logits differ is refused. Source:
keras-team/keras#9041, timm create_model(global_pool="max"). Shared case: model-other-pooling.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from tests.cases.refusals import audit, changed
from tests.study import ARGUMENTS, GRID, picture, write_model


def with_max_pooling(network: nn.Module, inputs: Tensor) -> Tensor:
    pooled = network.features(inputs).relu().amax((2, 3))
    return network.class_layers.out(pooled)


def with_larger_epsilon(network: nn.Module, inputs: Tensor) -> Tensor:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
    return network(inputs)


def standardised(network: nn.Module, inputs: Tensor) -> Tensor:
    return network((inputs - inputs.mean()) / inputs.std(unbiased=False))


@pytest.mark.parametrize(
    ("trained", "cause"),
    [
        (with_max_pooling, "a global max pooling would meet it"),
        (with_larger_epsilon, "architecture.arguments.norm: [batch, {eps: 0.001}] would meet it"),
        (standardised, "preprocessing.intensity: z_score would meet it"),
        (lambda network, inputs: network(inputs).sigmoid(), "the stated values are probabilities"),
        (lambda network, inputs: network(inputs).flip(1), "in another order would meet it"),
        (lambda network, inputs: network(inputs) + 1, "likely causes: another global pooling"),
    ],
    ids=["pooling", "epsilon", "intensity", "probabilities", "order", "unknown"],
)
def test_other_logits_than_the_cards_end_the_run(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    trained: Callable[[nn.Module, Tensor], Tensor],
    cause: str,
) -> None:
    card = write_model(tmp_path)
    network = DenseNet(**ARGUMENTS).eval()
    network.load_state_dict(load_file(card.with_suffix(".safetensors")))
    Image.fromarray(picture(7)).save(tmp_path / "example.png")
    inputs = torch.from_numpy(picture(7).astype(np.float32) / 255)[None, None]
    assert inputs.shape[2:] == (GRID, GRID)
    with torch.no_grad():
        (logits,) = trained(network, inputs).tolist()
    changed(card, example={"image": "example.png", "logits": logits})
    code, said = audit(card, card.with_suffix(".safetensors"), capsys)
    assert code == 2
    assert "but the card states" in said
    assert cause in said
    assert not (tmp_path / "run").exists()
