"""Engine: what one forward pass gives, in chunks or whole, with the network left as it was."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.engine import Reading, open_engine
from pipeline.errors import ConfigError
from tests.attribution.networks import VGG, AlexNet, FlatHead, GapHead, SqueezeNet, built

TINY_MB = 1e-3
"""Less than one input needs: everything one by one."""


def inputs_of(dimensions: int, number: int = 3) -> Tensor:
    grid = {2: (24, 16), 3: (16, 24, 16)}[dimensions]
    return torch.randn(number, 1, *grid, generator=torch.Generator().manual_seed(0))


def reading(network: nn.Module, inputs: Tensor, *layers: str, memory_mb: float = 1024) -> Reading:
    return open_engine(network, inputs, layers=layers, memory_mb=memory_mb).read(inputs)


def assert_same(ours: Tensor, theirs: Tensor, tolerance: float = 1e-6) -> None:
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


def test_gradients_of_a_linear_network_are_its_weights() -> None:
    weights = torch.arange(12.0).reshape(2, 1, 2, 3)
    inputs = torch.ones(4, 1, 2, 3)
    found = reading(FlatHead(weights), inputs, "features")
    assert torch.equal(found.gradients("features"), weights[:, None].expand(2, 4, 1, 2, 3))
    assert torch.equal(found.input_gradients(), weights[:, None].expand(2, 4, 1, 2, 3))
    assert found.logits[0].tolist() == [0 + 1 + 2 + 3 + 4 + 5, 6 + 7 + 8 + 9 + 10 + 11]


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("network", [VGG, AlexNet, SqueezeNet])
def test_input_gradients_are_those_of_double_precision(network: type[nn.Module], dimensions: int) -> None:
    torch.manual_seed(1)
    network, inputs = network(dimensions).eval(), inputs_of(dimensions)
    exact = deepcopy(network).double()
    leaf = inputs.double().requires_grad_()
    logits = exact(leaf)
    plain = [torch.autograd.grad(logits[:, k].sum(), leaf, retain_graph=True)[0] for k in range(2)]
    assert_same(reading(network, inputs).input_gradients(), torch.stack(plain), 1e-5)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_chunks_under_a_small_bound_give_what_the_whole_gives(dimensions: int) -> None:
    network, inputs = VGG(dimensions).eval(), inputs_of(dimensions)
    whole, chunked = (reading(network, inputs, "stride4", memory_mb=mb) for mb in (1024, TINY_MB))
    assert (whole.rows >= 3, chunked.rows) == (True, 1)
    assert_same(chunked.input_gradients(), whole.input_gradients())
    assert_same(chunked.gradients("stride4"), whole.gradients("stride4"))
    others = inputs.flip(-1)
    assert_same(chunked.scores(others), whole.scores(others))
    activations = 2 * whole.activations("stride4")
    assert_same(
        chunked.scores_with("stride4", activations, others), whole.scores_with("stride4", activations, others)
    )


def test_under_a_small_bound_no_forward_pass_has_more_rows_than_fit() -> None:
    network, inputs = VGG().eval(), inputs_of(2, 7)
    one = open_engine(network, inputs, layers=[], memory_mb=1).memory.rows(inputs)
    found = reading(network, inputs, "stride4", memory_mb=2.5 / one)
    assert found.rows == 2
    sizes: list[int] = []
    handle = network.register_forward_pre_hook(lambda _module, given: sizes.append(len(given[0])))
    found.input_gradients()
    found.scores(inputs)
    found.scores_with("stride4", found.activations("stride4"), inputs)
    handle.remove()
    assert sizes == [2, 2, 2, 1] * 3


def test_scores_are_the_logits_of_other_inputs() -> None:
    network, inputs = VGG().eval(), inputs_of(2)
    found = reading(network, inputs)
    assert_same(found.scores(inputs.flip(0)), found.logits.flip(0))
    assert not found.scores(inputs).requires_grad


def test_another_reading_is_of_the_same_layers() -> None:
    network, inputs = VGG().eval(), inputs_of(2)
    found = reading(network, inputs, "stride4")
    again = found.again(inputs[1:].double())
    assert again.inputs.dtype == torch.float32
    assert_same(again.activations("stride4"), found.activations("stride4")[1:])
    assert_same(again.gradients("stride4"), found.gradients("stride4")[:, 1:])


@pytest.mark.parametrize("layer", ["last", "features.relu", "stride4"])
def test_a_layers_own_activations_put_back_give_the_logits(layer: str) -> None:
    network = built("DenseNet121", 2) if layer != "features.relu" else nn.Sequential()
    network = network if layer != "features.relu" else Wide()
    inputs = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    found = reading(network, inputs, layer)
    assert_same(found.scores_with(layer, found.activations(layer), inputs), found.logits)
    changed = found.scores_with(layer, found.activations(layer).flip(0), inputs)
    assert_same(changed, found.logits.flip(0))


class Wide(nn.Module):
    """A ReLU that is called three times, in place; the last time on a residual sum, which is in place too."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.features = nn.Sequential()
        self.features.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.features.first = nn.Conv2d(4, 4, 3, padding=1)
        self.features.second = nn.Conv2d(4, 4, 3, padding=1)
        self.features.relu = nn.ReLU(inplace=True)
        self.linear = nn.Linear(4, 2)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        stem = self.features.relu(self.features.stem(inputs))
        between = self.features.relu(self.features.first(stem))
        out = self.features.second(between)
        out += stem
        return self.linear(self.features.relu(out).square().mean(dim=(2, 3)))


def plain_wide(network: Wide, inputs: Tensor) -> list[Tensor]:
    """The gradient of the first logit at each of the three calls, with nothing overwritten."""
    parts = deepcopy(network).double().features
    stem = parts.stem(inputs.double()).relu()
    between = parts.first(stem).relu()
    last = (stem + parts.second(between)).relu()
    logits = deepcopy(network).double().linear(last.square().mean(dim=(2, 3)))
    return list(torch.autograd.grad(logits[:, 0].sum(), [stem, between, last]))


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_each_call_of_a_relu_that_is_used_again_in_place_can_be_read(nth: int) -> None:
    network, inputs = Wide(), inputs_of(2)
    layers = [f"features.relu#{n}" for n in (1, 2, 3)]
    for chosen in ([layers[nth - 1]], layers):  # alone, and beside the others
        found = reading(network, inputs, *chosen)
        assert_same(found.gradients(layers[nth - 1])[0], plain_wide(network, inputs)[nth - 1], 1e-5)
    assert_same(found.activations(layers[0]), network.features.stem(inputs).relu().detach())


def test_two_names_of_one_layer_are_both_read() -> None:
    network, inputs = Wide(), inputs_of(2)
    found = reading(network, inputs, "features.relu", "last", "features.relu#3")
    assert torch.equal(found.gradients("last"), found.gradients("features.relu"))
    assert torch.equal(found.gradients("last"), found.gradients("features.relu#3"))


class Branches(nn.Module):
    """Two branches side by side; and a third whose output nobody uses."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.left, self.right, self.unused = (nn.Conv2d(1, 2, 3, padding=1) for _ in range(3))
        self.linear = nn.Linear(2, 2)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        self.unused(inputs)
        return self.linear((self.left(inputs).tanh() + self.right(inputs).square()).mean(dim=(2, 3)))


def test_branches_side_by_side_are_both_read() -> None:
    network, inputs = Branches(), inputs_of(2)
    found = reading(network, inputs, "left", "right")
    left, right = network.left(inputs), network.right(inputs)
    cells = inputs[0].numel()
    weights = network.linear.weight[:, None, :, None, None] / cells
    assert_same(found.gradients("left"), (weights * (1 - left.tanh() ** 2)).detach(), 1e-5)
    assert_same(found.gradients("right"), (weights * 2 * right).detach(), 1e-5)


def test_a_layer_on_which_no_logit_depends_is_refused() -> None:
    found = reading(Branches(), inputs_of(2), "unused", "left")
    with pytest.raises(ConfigError, match="layer 'unused': no logit depends on it"):
        found.gradients("unused")
    with pytest.raises(ConfigError, match="no logit depends on it"):
        reading(Branches(), inputs_of(2), "unused").gradients("unused")


def test_the_backbone_runs_without_autograd_and_the_tail_with_it() -> None:
    network, inputs = Wide(), inputs_of(2)
    graphs: dict[str, bool] = {}
    for name in ("stem", "first", "second"):
        module = network.features.get_submodule(name)
        module.register_forward_hook(
            lambda _m, _i, output, name=name: graphs.update({name: output.requires_grad})
        )
    open_engine(network, inputs, layers=["features.relu#2"], memory_mb=1024).read(inputs)
    assert graphs == {"stem": False, "first": False, "second": True}
    reading(network, inputs)
    assert not any(graphs.values())


class Overwrites(nn.Module):
    """Takes the mean off its input, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 2)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        inputs -= 0.5
        return self.linear((inputs * 2).tanh().mean(dim=(2, 3)))


def test_a_network_that_overwrites_its_input_overwrites_a_copy() -> None:
    inputs = inputs_of(2)
    before = inputs.clone()
    found = reading(Overwrites(), inputs)
    found.input_gradients()
    found.scores(inputs)
    found.again(inputs)
    assert torch.equal(inputs, before)
    assert_same(found.scores(inputs), found.logits)


def test_readings_work_inside_inference_mode_and_leave_it_on() -> None:
    network, inputs = Wide(), inputs_of(2)
    outside = reading(network, inputs, "features.relu#2")
    with torch.inference_mode():
        made_inside = inputs * 1
        inside = outside.engine.read(made_inside)
        torch.testing.assert_close(inside.gradients("features.relu#2"), outside.gradients("features.relu#2"))
        torch.testing.assert_close(inside.input_gradients(), outside.input_gradients())
        assert torch.is_inference_mode_enabled()


@pytest.mark.parametrize("fails", [False, True])
def test_autograd_and_hooks_are_as_before_also_when_the_network_fails(fails: bool) -> None:  # noqa: FBT001
    network, inputs = Wide(), inputs_of(2)
    engine = open_engine(network, inputs, layers=["features.relu#1"], memory_mb=1024)
    with torch.no_grad():
        if fails:
            network.linear = nn.Linear(5, 2)
            with pytest.raises(RuntimeError):
                engine.read(inputs)
        else:
            engine.read(inputs)
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_in_training_mode_is_refused() -> None:
    network = VGG().eval()
    network.classifier.train()
    with pytest.raises(ConfigError, match=r"training mode \(classifier\); call its eval\(\)"):
        open_engine(network, inputs_of(2), layers=[], memory_mb=1)


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (lambda x: (x, x), "tuple"),
        (lambda x: x, r"tensor \(3, 1, 24, 16\)"),
        (lambda x: x.sum((1, 2, 3)), r"\(3,\)"),
    ],
)
def test_an_output_that_is_no_logits_is_refused(output: object, found: str) -> None:
    class Odd(nn.Module):
        forward = staticmethod(output)

    with pytest.raises(ConfigError, match=rf"output is a .*{found}.* wanted logits \(batch, findings\)"):
        open_engine(Odd().eval(), inputs_of(2), layers=[], memory_mb=1)


def test_one_vectorised_backward_pass_gives_what_a_pass_a_finding_gives() -> None:
    network, inputs = built("DenseNet121", 2), torch.randn(2, 1, 64, 64)
    engine = open_engine(network, inputs, layers=["stride8"], memory_mb=1024)
    fast = replace(engine, vectorised=True).read(inputs)
    slow = engine.read(inputs)
    assert_same(fast.gradients("stride8"), slow.gradients("stride8"))
    assert_same(fast.input_gradients(), slow.input_gradients())


def test_the_logits_of_a_pooled_head_need_no_forward_pass() -> None:
    network, inputs = GapHead(weights=[[1.0, -2.0], [0.5, 3.0]], bias=[0.5, -1.0]), torch.rand(2, 2, 4, 4)
    found = reading(network, inputs, "last")
    calls: list[object] = []
    handle = network.register_forward_pre_hook(lambda *_: calls.append(_))
    scores = found.scores_with("last", 2 * found.activations("last"), inputs)
    handle.remove()
    assert not calls
    assert_same(scores, 2 * found.logits - network.linear.bias.detach())
