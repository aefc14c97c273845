"""Random weights: the order of layers, what fresh values are, and that nothing else is touched."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets import DenseNet
from torch import Tensor, nn

from pipeline.probes.map_tests.random_weights import (
    copied,
    layers_from_the_top,
    randomise,
    steps_from_the_top,
)


class Odd(nn.Module):
    """Layers registered in another order than they are called in, one without reset, one without calls."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)
        self.norm = nn.BatchNorm2d(4)
        self.stem = nn.Conv2d(1, 4, 3)
        self.gain = nn.Parameter(torch.tensor([1.0, 2.0, 3.0, 6.0]))
        self.one = nn.Parameter(torch.tensor(0.5))

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        found: Tensor = self.head(self.norm(self.stem(images)).mean(dim=(2, 3)) * self.gain * self.one)
        return found


class Tokens(nn.Module):
    """A transformer, whose attention takes the weights of a part that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 16, 16, 16)
        self.places = nn.Parameter(torch.zeros(1, 4, 16))
        self.block = nn.TransformerEncoderLayer(16, 2, 16, batch_first=True)
        self.head = nn.Linear(16, 3)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        tokens = self.patches(images).flatten(2).transpose(1, 2) + self.places
        found: Tensor = self.head(self.block(tokens).mean(dim=1))
        return found


def densenet() -> nn.Module:
    return DenseNet(2, 1, 3, init_features=8, growth_rate=4, block_config=(2, 2)).eval()


IMAGES = torch.rand(1, 1, 8, 8)


def test_layers_come_in_the_order_of_the_forward_pass_from_its_end() -> None:
    assert layers_from_the_top(Odd().eval(), IMAGES) == ["head", "norm", "stem", ""]


def test_the_first_step_is_the_last_layer_and_the_last_step_is_all() -> None:
    network = densenet()
    steps = steps_from_the_top(network, torch.rand(1, 1, 32, 32))
    assert [name for name, _ in steps] == ["head", "quarter", "half", "three_quarters", "all"]
    assert steps[0][1] == ("class_layers.out",)
    names = [name for _, modules in steps for name in modules]
    holding = [name for name, module in network.named_modules() if list(module.parameters(recurse=False))]
    assert sorted(names) == sorted(holding)
    assert names[-1] == "features.conv0"


def test_a_network_of_one_layer_has_one_step() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    assert steps_from_the_top(network, IMAGES) == [("all", ("1",))]


@pytest.mark.parametrize("kind", ["convolutions", "transformer"])
def test_no_layer_of_usual_networks_keeps_what_it_has_learnt(kind: str) -> None:
    network = densenet() if kind == "convolutions" else Tokens()
    for parameter in network.parameters():
        nn.init.normal_(parameter, 3.0, 1.0)
    before = copied(network)
    names = layers_from_the_top(network, torch.rand(1, 1, 32, 32))
    randomise(network, names, seed=5)
    for (name, old), new in zip(before.named_parameters(), network.parameters(), strict=True):
        assert not torch.equal(old, new), name


def test_only_the_named_layers_change_and_the_copy_alone() -> None:
    network = Odd().eval()
    kept = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    random = copied(network)
    randomise(random, ["head"], seed=5)
    changed = {name for name, tensor in random.state_dict().items() if not torch.equal(tensor, kept[name])}
    assert changed == {"head.weight", "head.bias"}
    assert all(torch.equal(tensor, kept[name]) for name, tensor in network.state_dict().items())


def test_a_batch_normalisation_forgets_its_images_too() -> None:
    network = Odd().eval()
    mean, variance = network.get_buffer("norm.running_mean"), network.get_buffer("norm.running_var")
    mean.fill_(7)
    variance.fill_(9)
    randomise(network, ["norm"], seed=5)
    assert (mean.tolist(), variance.tolist(), network.norm.weight.tolist()) == ([0] * 4, [1] * 4, [1] * 4)


def test_a_tensor_without_reset_keeps_its_mean_and_spread_and_a_single_number_its_value() -> None:
    network = Odd().eval()
    network.gain = nn.Parameter(torch.arange(4000.0))
    randomise(network, [""], seed=5)
    # The mean of 0 … 3999 is 1999.5 and its spread 4000 / √12 = 1154.7; of 4000 draws the mean errs by 18.
    assert float(network.gain.detach().mean()) == pytest.approx(1999.5, abs=75)
    assert float(network.gain.detach().std()) == pytest.approx(1154.7, rel=0.05)
    assert float(network.one.detach()) == 0.5


def test_the_same_seed_gives_the_same_network_and_leaves_torchs_own_numbers_alone() -> None:
    first, second, third = (Odd() for _ in range(3))
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    for network, seed in ((first, 1), (second, 1), (third, 2)):
        randomise(network, ["head"], seed=seed)
    assert torch.equal(torch.rand(3), wanted)
    assert torch.equal(first.head.weight, second.head.weight)
    assert not torch.equal(first.head.weight, third.head.weight)


class Broken(nn.Linear):
    """A layer of another package whose reset fails half-way."""

    made = False

    def reset_parameters(self) -> None:
        """Fill with NaN, and fail."""
        if self.made:
            self.weight.fill_(float("nan"))
            raise ValueError


def test_a_reset_that_fails_is_replaced_by_normal_values() -> None:
    layer = Broken(64, 2)
    nn.init.normal_(layer.weight, 3.0)
    nn.init.normal_(layer.bias, 3.0)
    layer.made = True
    before = layer.weight.clone()
    randomise(nn.Sequential(nn.Flatten(), layer), ["1"], seed=5)
    assert bool(layer.weight.isfinite().all())
    assert not torch.equal(before, layer.weight)
    assert float(layer.weight.detach().mean()) == pytest.approx(3, abs=0.5)
