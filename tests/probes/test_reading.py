"""Tests of what is read inside a network: the features below its head, and its batch normalisations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.classifiers import load_card
from pipeline.classifiers.classifier import Classifier, classifier_of
from pipeline.probes.reading import read_network
from pipeline.records import ModelInput, NetworkReading, Placement
from pipeline.store.readings import is_reading_of, read_reading, remove_reading, write_reading
from tests.study import FINDINGS, write_model

COUNT, CHANNELS, SIDE = 7, 3, 5
PLACEMENT = Placement((SIDE, SIDE), (SIDE, SIDE), (1.0, 1.0), (0.0, 0.0))
TENSORS = np.random.default_rng(0).random((COUNT, 1, SIDE, SIDE)).astype(np.float32)


class Small(nn.Module):
    """Two normalised convolutions, global average pooling and a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(1, CHANNELS, 3)
        self.norm0 = nn.BatchNorm2d(CHANNELS)
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.norm1 = nn.BatchNorm2d(CHANNELS)
        self.head = nn.Linear(CHANNELS, len(FINDINGS))

    def pooled(self, inputs: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.norm1(self.second(self.norm0(self.first(inputs)).relu())).mean((2, 3))
        return pooled

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.head(self.pooled(inputs))
        return outputs


class ByName(Small):
    """The same network, which calls layers with the names of their arguments."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        first = self.norm0(input=self.first(input=inputs)).relu()
        outputs: torch.Tensor = self.head(input=self.norm1(input=self.second(input=first)).mean((2, 3)))
        return outputs


def trained() -> Small:
    """The network with the statistics of the images, as one batch of training with momentum 1 leaves them."""
    network = Small()
    for module in (network.norm0, network.norm1):
        module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.from_numpy(TENSORS))
    return network.eval()


def classifier(network: nn.Module, tmp_path: Path) -> Classifier:
    card = load_card(write_model(tmp_path))
    return classifier_of(network, card, device="cpu", precision="float32")


def reading(
    network: nn.Module, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray] = lambda t: t
) -> NetworkReading:
    inputs = [
        ("", ModelInput(f"case-{n}", change(tensor).astype(np.float32), PLACEMENT))
        for n, tensor in enumerate(TENSORS)
    ]
    return read_network(inputs, classifier(network, tmp_path), batch_size=3)


def test_features_are_what_the_head_reads_of_each_image_whatever_the_batch(tmp_path: Path) -> None:
    network = trained()
    found = reading(network, tmp_path).features
    assert found.case_ids == tuple(f"case-{n}" for n in range(COUNT))
    with torch.no_grad():
        expected = network.pooled(torch.from_numpy(TENSORS)).numpy()
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)


def test_layers_that_are_called_by_name_are_heard_as_well(tmp_path: Path) -> None:
    network, by_name = trained(), ByName()
    by_name.load_state_dict(network.state_dict())
    found, expected = reading(by_name.eval(), tmp_path), reading(network, tmp_path)
    np.testing.assert_array_equal(found.features.values, expected.features.values)
    assert found.layers == expected.layers


def test_images_of_the_training_are_near_it_in_every_layer(tmp_path: Path) -> None:
    layers = reading(trained(), tmp_path).layers
    assert [layer.layer for layer in layers] == ["norm0", "norm1"]
    for layer in layers:
        assert (layer.n, layer.channels) == (COUNT, CHANNELS)
        # torch keeps variances divided by one less than the number of values, here 63.
        assert layer.distance == pytest.approx(0, abs=1 / 63)
        assert layer.factor == pytest.approx(1, abs=3 / 63)
        assert layer.far == 0


def test_images_on_another_scale_are_far_from_the_first_layer_on(tmp_path: Path) -> None:
    first, _ = reading(trained(), tmp_path, lambda tensor: 10 * tensor).layers
    assert first.factor == pytest.approx(100, rel=0.05)
    assert first.far == 1


def test_a_changed_convolution_is_first_seen_in_the_normalisation_behind_it(tmp_path: Path) -> None:
    network = trained()
    network.second.weight.data *= 20
    first, second = reading(network, tmp_path).layers
    assert first.far == 0
    assert second.far == 1


def test_values_that_overflow_have_neither_features_nor_a_distance(tmp_path: Path) -> None:
    network = trained()
    network.second.weight.data.fill_(torch.inf)
    found = reading(network, tmp_path)
    assert found.features.values.shape == (COUNT, 0)
    assert found.layers[1].distance is None
    assert found.layers[1].far == 1


def test_a_network_without_normalisation_and_without_a_linear_end_has_neither(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Softplus())
    found = reading(network, tmp_path)
    assert found.layers == ()
    assert found.features.values.shape == (COUNT, 0)


def test_a_head_that_is_a_convolution_has_features_too(tmp_path: Path) -> None:
    network = nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3),
        nn.Conv2d(CHANNELS, len(FINDINGS), 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    found = reading(network, tmp_path).features.values
    with torch.no_grad():
        expected = network[0](torch.from_numpy(TENSORS)).mean((2, 3)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_normalisation_of_pooled_features_is_read_as_one_of_grids(tmp_path: Path) -> None:
    """As in heads of fastai: BatchNorm1d (batch, channels) behind the pooling."""
    head = nn.BatchNorm1d(CHANNELS)
    head.running_mean, head.running_var = torch.full((CHANNELS,), 3.0), torch.full((CHANNELS,), 4.0)
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    first = nn.Conv2d(1, CHANNELS, 1, bias=False)
    nn.init.zeros_(first.weight)
    layers = nn.Sequential(first, pool, head, nn.Linear(CHANNELS, len(FINDINGS)))
    found = reading(layers.eval(), tmp_path)
    (layer,) = found.layers
    assert (layer.layer, layer.n, layer.channels) == ("2", COUNT, CHANNELS)
    assert layer.distance == pytest.approx(3 / 2, rel=1e-3)
    assert found.features.values.shape == (COUNT, CHANNELS)


class OfParts(nn.Module):
    """Each image is cut into parts, which a normalised layer reads one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(SIDE)
        self.of_part = nn.Linear(SIDE, len(FINDINGS))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        parts: torch.Tensor = self.of_part(self.norm(inputs.reshape(-1, SIDE)))
        return parts.reshape(len(inputs), -1, len(FINDINGS)).mean(1)


def test_layers_that_read_parts_of_images_are_left_out(tmp_path: Path) -> None:
    found = reading(OfParts().eval(), tmp_path)
    assert found.layers == ()
    assert found.features.values.shape == (COUNT, 0)


def test_variants_have_rows_of_their_own_and_no_features(tmp_path: Path) -> None:
    """Each image beside itself times ten, in batches that mix them."""
    model = classifier(trained(), tmp_path)
    versions = [
        (variant, ModelInput(f"case-{n}", tensor * scale, PLACEMENT))
        for n, tensor in enumerate(TENSORS)
        for variant, scale in (("", np.float32(1)), ("brighter", np.float32(10)))
    ]
    mixed = read_network(versions, model, batch_size=4)
    plain = read_network(versions[::2], model, batch_size=4)
    assert mixed.features.case_ids == plain.features.case_ids
    np.testing.assert_allclose(mixed.features.values, plain.features.values, rtol=1e-4, atol=1e-5)
    assert [(layer.variant, layer.layer) for layer in mixed.layers] == [
        ("", "norm0"), ("", "norm1"), ("brighter", "norm0"), ("brighter", "norm1"),
    ]  # fmt: skip
    assert mixed.layers[0].factor == pytest.approx(plain.layers[0].factor, rel=1e-3)
    assert mixed.layers[2].factor == pytest.approx(100, rel=0.05)


def test_no_hook_is_left(tmp_path: Path) -> None:
    model = classifier(trained(), tmp_path)
    read_network([("", ModelInput("case-0", TENSORS[0], PLACEMENT))], model, batch_size=2)
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.network.modules())


def test_a_reading_comes_back_from_its_file(tmp_path: Path) -> None:
    found = reading(trained(), tmp_path)
    write_reading(tmp_path, found)
    back = read_reading(tmp_path)
    assert back is not None
    assert back.layers == found.layers
    np.testing.assert_array_equal(back.features.values, found.features.values)
    assert is_reading_of(tmp_path, found.features.case_ids)
    assert not is_reading_of(tmp_path, found.features.case_ids[1:])
    (tmp_path / "reading.npz").write_bytes(b"PK")
    assert read_reading(tmp_path) is None
    remove_reading(tmp_path)
    remove_reading(tmp_path)
    assert not (tmp_path / "reading.npz").exists()


def test_a_network_before_its_training_is_told_by_its_normalisations(tmp_path: Path) -> None:
    assert [layer.is_trained for layer in reading(Small().eval(), tmp_path).layers] == [False, False]
    assert [layer.is_trained for layer in reading(trained(), tmp_path).layers] == [True, True]


def test_a_network_before_its_training_comes_back_as_such_from_its_file(tmp_path: Path) -> None:
    write_reading(tmp_path, reading(Small().eval(), tmp_path))
    back = read_reading(tmp_path)
    assert back is not None
    assert [layer.is_trained for layer in back.layers] == [False, False]


def test_grids_are_the_activations_whose_means_the_features_are(tmp_path: Path) -> None:
    network = trained()
    inputs = [("", ModelInput(f"case-{n}", tensor, PLACEMENT)) for n, tensor in enumerate(TENSORS)]
    found = read_network(inputs, classifier(network, tmp_path), batch_size=3, most_grids=5).features
    assert found.grids.shape == (5, CHANNELS, (SIDE - 2) ** 2)
    # Float16 keeps 11 bits of each activation.
    np.testing.assert_allclose(found.grids.astype(float).mean(2), found.values[:5], rtol=1e-2, atol=2e-3)
    np.testing.assert_array_equal(found.head, network.head.weight.detach().numpy())
    write_reading(tmp_path, NetworkReading(found))
    stored = read_reading(tmp_path)
    assert stored is not None
    np.testing.assert_array_equal(stored.features.grids, found.grids)
    np.testing.assert_array_equal(stored.features.head, found.head)


def test_features_that_are_no_means_have_no_grids(tmp_path: Path) -> None:
    network = nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(CHANNELS, len(FINDINGS))
    )
    inputs = [("", ModelInput(f"case-{n}", tensor, PLACEMENT)) for n, tensor in enumerate(TENSORS)]
    found = read_network(inputs, classifier(network, tmp_path), batch_size=3, most_grids=5).features
    assert found.values.shape == (COUNT, CHANNELS)
    assert found.grids.size == found.head.size == 0
