"""Foreign ends: heads and poolings that a file names, or divides, in another way than the network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.classifiers import ModelCard
from pipeline.classifiers.conversion import converted
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.weights import LoadedWeights, load_weights
from pipeline.errors import ConfigError
from tests.classifiers.architectures.networks import card_of, fill
from tests.classifiers.test_weights import torchvision

Tensors = dict[str, Tensor]
SMALL: dict[str, Any] = {"init_features": 8, "growth_rate": 4, "block_config": [2, 2]}
HEAD: list[object] = [{"linear": 6}, "relu", "dropout", "linear"]
OF_HEAD = {"fc.0.weight", "fc.0.bias", "fc.3.weight", "fc.3.bias"}
IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def trained(card: ModelCard) -> nn.Module:
    network = build_network(card).eval()
    fill(network)
    return network


def loaded(
    card: ModelCard, tensors: Tensors, folder: Path, *, unused: tuple[str, ...] = ()
) -> tuple[nn.Module, LoadedWeights]:
    save_file({key: value.clone() for key, value in tensors.items()}, folder / "w.safetensors")
    network = build_network(card).eval()
    weights = load_weights(network, folder / "w.safetensors", sha256=None, allow_pickle=False, unused=unused)
    return network, weights


def said(weights: LoadedWeights) -> str:
    return " ".join(notice.text() for notice in weights.notices)


def assert_same(network: nn.Module, other: nn.Module) -> None:
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in network.state_dict().items())


def refused(card: ModelCard, tensors: Tensors, folder: Path, **options: Any) -> str:
    with pytest.raises(ConfigError) as refusal:
        loaded(card, tensors, folder, **options)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("key", "shape"), [("pool.p", (1,)), ("module.head.gem.p", ()), ("global_pool.p", (1, 1, 1, 1))]
)
def test_a_trained_power_may_have_another_name(tmp_path: Path, key: str, shape: tuple[int, ...]) -> None:
    card = card_of("ResNet18", ending={"pooling": "gem"})
    network = trained(card)
    prefix = "module." if key.startswith("module.") else ""
    state = {prefix + name: value for name, value in network.state_dict().items() if name != "avgpool.p"}
    found, weights = loaded(card, state | {key: torch.full(shape, 2.5)}, tmp_path)
    assert found.avgpool.p.tolist() == [2.5]
    assert f"The number {key.removeprefix(prefix)} of the weights file was taken" in said(weights)


def test_of_two_powers_none_is_taken(tmp_path: Path) -> None:
    card = card_of("ResNet18", ending={"pooling": "gem"})
    state = trained(card).state_dict()
    del state["avgpool.p"]
    state |= {"a.p": torch.tensor([2.0]), "b.p": torch.tensor([3.0])}
    assert "1 missing: avgpool.p; 2 unexpected: a.p, b.p" in refused(card, state, tmp_path)


def pcam(count: int) -> ModelCard:
    return card_of("DenseNet", outputs=count, ending={"pooling": "pcam"}, **SMALL)


def as_published(network: nn.Module) -> Tensors:
    """As the winners of CheXpert in 2019 keep it: a backbone, and one convolution of 1 x 1 per finding."""
    state = torchvision(dict(network.state_dict()))
    weight, bias = state.pop("classifier.weight"), state.pop("classifier.bias")
    named = {f"backbone.{name}": value for name, value in state.items()}
    for number, (row, one) in enumerate(zip(weight, bias, strict=True)):
        named |= {f"fc_{number}.weight": row[None, :, None, None], f"fc_{number}.bias": one[None]}
    return named


def pooled_by_its_own_map(features: Tensor, tensors: Tensors, number: int) -> Tensor:
    """A finding's logit: its layer on the mean of the cells, which its own probabilities weight."""
    weight, bias = tensors[f"fc_{number}.weight"].double(), tensors[f"fc_{number}.bias"].double()
    probabilities = nn.functional.conv2d(features, weight, bias).sigmoid()
    shares = probabilities / probabilities.sum(dim=(2, 3), keepdim=True)
    mean = (features * shares).sum(dim=(2, 3), keepdim=True)
    return nn.functional.conv2d(mean, weight, bias).flatten()


@pytest.mark.parametrize("count", [1, 5, 11])
def test_one_layer_per_finding_is_the_head_in_the_order_of_the_numbers(tmp_path: Path, count: int) -> None:
    network = trained(pcam(count))
    tensors = as_published(network)
    found, weights = loaded(pcam(count), tensors, tmp_path)
    assert_same(found, network)
    assert f"The {count} layers fc_0" in said(weights)
    found.double()
    with torch.no_grad():
        features = found.features(IMAGES.double()).relu()
        wanted = torch.stack(
            [pooled_by_its_own_map(features, tensors, number) for number in range(count)], dim=1
        )
        torch.testing.assert_close(found(IMAGES.double()), wanted, rtol=1e-9, atol=1e-9)


def test_norms_that_such_a_file_has_without_using_them_are_named_on_the_card(tmp_path: Path) -> None:
    network = trained(pcam(2))
    tensors = as_published(network)
    for number in (0, 1):
        norm = nn.BatchNorm2d(network.class_layers.out.in_features)
        tensors |= {f"bn_{number}.{name}": value for name, value in norm.state_dict().items()}
    complaint = refused(pcam(2), tensors, tmp_path)
    assert "10 tensors are outside 'backbone.', the network's prefix: bn_0.bias" in complaint
    assert "name them in the model card (unused: [bn_0.bias])" in complaint
    found, weights = loaded(pcam(2), tensors, tmp_path, unused=("bn_0", "bn_1"))
    assert_same(found, network)
    assert "What the model card calls unused was not read from the weights file (10): bn_0.bias" in said(
        weights
    )


@pytest.mark.parametrize("layout", ["classifier.{}", "heads.{}.1", "classifiers.{}"])
def test_a_list_of_linear_layers_is_a_head(tmp_path: Path, layout: str) -> None:
    card = card_of("DenseNet", outputs=3, **SMALL)
    network = trained(card)
    state = torchvision(dict(network.state_dict()))
    weight, bias = state.pop("classifier.weight"), state.pop("classifier.bias")
    for number in range(3):
        name = layout.format(number)
        state |= {f"{name}.weight": weight[number : number + 1], f"{name}.bias": bias[number : number + 1]}
    found, weights = loaded(card, state, tmp_path)
    assert_same(found, network)
    assert "one per output, were taken for the network's head" in said(weights)


@pytest.mark.parametrize("wrong", ["fewer", "more", "wider", "beside its own"])
def test_layers_that_are_not_one_per_finding_are_refused(tmp_path: Path, wrong: str) -> None:
    network = trained(pcam(3))
    tensors = as_published(network)
    if wrong == "fewer":
        del tensors["fc_1.weight"], tensors["fc_1.bias"]
    if wrong == "more":
        tensors |= {"fc_3.weight": tensors["fc_0.weight"], "fc_3.bias": tensors["fc_0.bias"]}
    if wrong == "wider":
        tensors["fc_1.weight"] = torch.cat([tensors["fc_1.weight"]] * 2, dim=1)
    if wrong == "beside its own":
        tensors |= {
            "backbone.classifier.weight": torch.ones(3, 14),
            "backbone.classifier.bias": torch.ones(3),
        }
    assert refused(pcam(3), tensors, tmp_path)


def head_card(head: list[object] = HEAD) -> ModelCard:
    return card_of("ResNet18", ending={"head": head})


@pytest.mark.parametrize(
    "names",
    [
        {"fc.0": "head.0", "fc.3": "head.3"},
        {"fc.0": "model.mlp.layers.0", "fc.3": "model.mlp.layers.3"},
        {"fc.0": "fc1", "fc.3": "fc2"},
        {"fc.0": "hidden", "fc.3": "last_linear"},
    ],
    ids=["beginning", "outside the prefix", "numbers", "words"],
)
def test_layers_of_a_head_may_have_other_names(tmp_path: Path, names: dict[str, str]) -> None:
    network = trained(head_card())
    inside = "" if "fc1" in names.values() else "net."
    state = {
        (f"{names[layer]}.{part}" if layer in names else f"{inside}{key}"): value
        for key, value in network.state_dict().items()
        for layer, _, part in [key.rpartition(".")]
    }
    assert not OF_HEAD & state.keys()
    found, weights = loaded(head_card(), state, tmp_path)
    assert_same(found, network)
    assert f"The layers {', '.join(names.values())} of the weights file were taken" in said(weights)


@pytest.mark.parametrize("start", ["mlp", "backbone.top", "class_layers.out", "classifier"])
def test_so_may_those_of_a_densenet(tmp_path: Path, start: str) -> None:
    card = card_of("DenseNet", ending={"head": HEAD}, **SMALL)
    network = trained(card)
    state = {f"backbone.{key}": value for key, value in torchvision(dict(network.state_dict())).items()}
    assert {"backbone.classifier.0.weight", "backbone.classifier.3.bias"} <= state.keys()
    beginning = start if start in {"mlp", "backbone.top"} else f"backbone.{start}"
    renamed = {key.replace("backbone.classifier", beginning): value for key, value in state.items()}
    found, _ = loaded(card, renamed, tmp_path)
    assert_same(found, network)


def test_a_norm_in_a_head_comes_with_its_counter(tmp_path: Path) -> None:
    card = head_card([{"linear": 6}, "batch_norm", "relu", "linear"])
    network = trained(card)
    network.fc[1].num_batches_tracked += 7
    state = {re.sub(r"^fc\.", "top.", key): value for key, value in network.state_dict().items()}
    found, _ = loaded(card, state, tmp_path)
    assert_same(found, network)


def test_layers_of_one_shape_and_other_names_are_not_guessed(tmp_path: Path) -> None:
    card = head_card([{"linear": 512}, "relu", {"linear": 512}, "relu", "linear"])
    names = {"fc.0": "one", "fc.2": "two", "fc.4": "three"}
    state = trained(card).state_dict()
    for own, theirs in names.items():
        state |= {f"{theirs}.{part}": state.pop(f"{own}.{part}") for part in ("weight", "bias")}
    assert "6 missing: fc.0.weight, fc.0.bias, fc.2.weight" in refused(card, state, tmp_path)


def test_a_head_of_more_layers_than_the_card_states_is_refused(tmp_path: Path) -> None:
    state = {re.sub(r"^fc\.", "top.", key): value for key, value in trained(head_card()).state_dict().items()}
    state |= {"top.1.weight": torch.ones(6), "top.1.bias": torch.ones(6)}
    assert "2 unexpected: top.1.bias, top.1.weight" in refused(head_card(), state, tmp_path)


def two_heads() -> tuple[nn.Module, Tensors]:
    network = trained(card_of("ResNet18"))
    state = network.state_dict()
    return network, state | {"fc_view.weight": state["fc.weight"] + 1, "fc_view.bias": state["fc.bias"] + 1}


def test_of_two_heads_the_card_names_the_one_that_is_unused(tmp_path: Path) -> None:
    network, state = two_heads()
    complaint = refused(card_of("ResNet18"), state, tmp_path)
    assert "2 unexpected: fc_view.bias, fc_view.weight" in complaint
    assert "tensors without part in the logits in unused" in complaint
    found, _ = loaded(card_of("ResNet18"), state, tmp_path, unused=("fc_view",))
    assert_same(found, network)
    found, weights = loaded(card_of("ResNet18"), state, tmp_path, unused=("fc",))
    assert torch.equal(found.fc.weight, network.fc.weight + 1)
    assert "linear layer fc_view of the weights file was taken for the network's head" in said(weights)


def test_a_name_that_no_tensor_begins_with_is_refused(tmp_path: Path) -> None:
    _, state = two_heads()
    complaint = refused(card_of("ResNet18"), state, tmp_path, unused=("fc_vew",))
    assert "unused: no tensor's name is or begins with 'fc_vew', as the model card states" in complaint
    assert "did you mean 'fc_view'?" in complaint
    assert "'f'" in refused(card_of("ResNet18"), state, tmp_path, unused=("f",))


@pytest.mark.parametrize("entry", ["fc_view", "model.fc_view", "model.fc_view.", "fc_view.weight"])
def test_names_count_with_and_without_the_prefix(tmp_path: Path, entry: str) -> None:
    network, state = two_heads()
    prefixed = {f"model.{name}": value for name, value in state.items()}
    entries = (entry, "fc_view.bias") if entry.endswith("weight") else (entry,)
    found, _ = loaded(card_of("ResNet18"), prefixed, tmp_path, unused=entries)
    assert_same(found, network)


def test_convert_leaves_out_what_the_card_calls_unused(tmp_path: Path) -> None:
    network, state = two_heads()
    save_file({k: v.clone() for k, v in state.items()}, tmp_path / "w.safetensors")
    card = ModelCard.model_validate(card_of("ResNet18").model_dump(mode="json") | {"unused": ["fc_view"]})
    (tmp_path / "again.safetensors").write_bytes(converted(tmp_path / "w.safetensors", card=card).content)
    found = build_network(card).eval()
    load_weights(found, tmp_path / "again.safetensors", sha256=None, allow_pickle=False)
    assert_same(found, network)
