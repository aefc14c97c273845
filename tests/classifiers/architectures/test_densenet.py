"""DenseNet: tensors, first values and outputs of MONAI's, without MONAI."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from monai.networks import nets

from pipeline.classifiers.architectures.densenet import DenseNet, densenet
from pipeline.classifiers.networks import build_network
from tests.classifiers.architectures.networks import card_of

SMALL: dict[str, Any] = {"init_features": 6, "growth_rate": 4, "block_config": (2, 3), "bn_size": 2}
SIZES = {"in_channels": 2, "out_channels": 3}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("DenseNet", SMALL), ("DenseNet", {**SMALL, "dropout_prob": 0.25}), ("DenseNet121", {})],
)
def test_tensors_and_outputs_are_those_of_monai_bit_by_bit(name: str, arguments: dict[str, Any]) -> None:
    torch.manual_seed(7)
    theirs = getattr(nets, name)(spatial_dims=2, **SIZES, **arguments)
    torch.manual_seed(7)
    ours = densenet(name=name, **SIZES, **arguments)
    assert isinstance(ours, DenseNet)
    assert [name for name, _ in ours.named_modules()] == [name for name, _ in theirs.named_modules()]
    wanted, found = theirs.state_dict(), ours.state_dict()
    assert list(found) == list(wanted)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    images = torch.randn(2, 2, 48, 33)
    with torch.inference_mode():
        assert torch.equal(ours.eval()(images), theirs.eval()(images))


@pytest.mark.parametrize("name", ["DenseNet169", "DenseNet201", "DenseNet264"])
def test_a_name_implies_the_sizes_of_monais_class(name: str) -> None:
    with torch.device("meta"):
        theirs, ours = getattr(nets, name)(spatial_dims=2, **SIZES), densenet(name=name, **SIZES)
    shapes = {key: tensor.shape for key, tensor in theirs.state_dict().items()}
    assert {key: tensor.shape for key, tensor in ours.state_dict().items()} == shapes


def test_a_layer_that_only_monai_knows_by_name_is_of_monai() -> None:
    assert isinstance(build_network(card_of("DenseNet", act="elu", **SMALL)), nets.DenseNet)


def test_a_model_is_opened_without_monai_and_the_compiler_of_torch() -> None:
    program = (
        "import sys, torch; from pipeline.attribution.explainer import open_explainer;"
        "from pipeline.classifiers.architectures.densenet import DenseNet;"
        f"network = DenseNet(in_channels=1, out_channels=2, **{SMALL}).eval();"
        "open_explainer(network, methods=['gradcam'], example=torch.zeros(2, 1, 64, 64));"
        "print([name for name in ('monai', 'torch._dynamo') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
