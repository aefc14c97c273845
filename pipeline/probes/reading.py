"""Reading: what a network makes of a few images inside: the features below its head, and its normalisation.

Neither needs a label. Batch normalisation (Ioffe & Szegedy 2015) holds mean and variance of each channel in
training, so the first layer in which the audited images differ says where network and training part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pipeline.classifiers.classifier import Classifier
from pipeline.records import Features, LayerStatistics, ModelInput, NetworkReading

FAR_MEAN = 2.0
"""Standard deviations of training by which the mean of a channel is another one."""
FAR_SPREAD = 10.0
"""Factor by which the variance of a channel is another one."""


@torch.no_grad()
def read_network(inputs: Sequence[ModelInput], classifier: Classifier, *, batch_size: int) -> NetworkReading:
    """Features and statistics of the inputs, from one forward pass of each.

    The features of an image are what the last linear layer reads, pooled over its grid if it has one. There
    are none if that layer does not give one value per output, or if a feature is not finite.
    """
    with _listening(classifier.network) as heard:
        for start in range(0, len(inputs), batch_size):
            part = inputs[start : start + batch_size]
            heard.images = len(part)
            classifier.network(classifier.tensor(part, batch_size=batch_size))
            heard.end_batch(outputs=len(classifier.card.outputs))
    values = np.concatenate(heard.features) if heard.features else np.zeros((len(inputs), 0), np.float32)
    if not np.isfinite(values).all():
        values = values[:, :0]
    case_ids = tuple(one.case_id for one in inputs)
    layers = tuple(
        _statistics(name, module, heard.sums[name], images=len(inputs))
        for name, module in _normalisations(classifier.network)
        if name in heard.sums
    )
    return NetworkReading(Features(case_ids, values), layers)


@dataclass(slots=True)
class _Sums:
    """Number, sum and sum of squares of each channel's values."""

    count: int = 0
    total: Any = 0.0
    squares: Any = 0.0


@dataclass(slots=True)
class _Heard:
    """What hooks hear during forward passes."""

    images: int = 0
    """Of the batch, without its padding."""
    sums: dict[str, _Sums] = field(default_factory=dict)
    features: list[NDArray[np.float32]] = field(default_factory=list)
    last: tuple[Tensor, int] | None = None
    """Input and number of output values of the last linear layer that ran."""

    def of_channels(self, name: str, values: Tensor) -> None:
        """Add the values (batch, channels, *grid) that a normalisation reads."""
        of_images = values[: self.images].double().transpose(0, 1).flatten(1)
        sums = self.sums.setdefault(name, _Sums())
        sums.count += of_images.shape[1]
        sums.total += of_images.sum(1).cpu().numpy()
        sums.squares += (of_images * of_images).sum(1).cpu().numpy()

    def end_batch(self, *, outputs: int) -> None:
        """Keep the features of the batch."""
        if self.last is not None and self.last[1] == outputs:
            self.features.append(self.last[0][: self.images].float().cpu().numpy())
        self.last = None


@contextmanager
def _listening(network: nn.Module) -> Iterator[_Heard]:
    """What the forward passes inside `with` hear; the hooks are removed on every way out."""
    heard = _Heard()

    def of_linear(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        features = inputs[0]
        if isinstance(module, nn.Linear):
            heard.last = features.reshape(len(features), -1, features.shape[-1]).mean(1), output.shape[-1]
        else:
            heard.last = features.flatten(2).mean(2), output.shape[1]

    def of_normalisation(name: str) -> Any:
        return lambda _module, inputs: heard.of_channels(name, inputs[0])

    handles = [
        module.register_forward_hook(of_linear)
        for module in network.modules()
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
    ]
    handles += [
        module.register_forward_pre_hook(of_normalisation(name)) for name, module in _normalisations(network)
    ]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def _normalisations(network: nn.Module) -> Iterator[tuple[str, _BatchNorm]]:
    """Layers that hold the mean and variance of their channels in training."""
    for name, module in network.named_modules():
        if isinstance(module, _BatchNorm) and module.running_mean is not None:
            yield name, module


def _statistics(name: str, module: _BatchNorm, sums: _Sums, *, images: int) -> LayerStatistics:
    mean = sums.total / sums.count
    variance = np.maximum(sums.squares / sums.count - mean**2, 0) + module.eps
    assert module.running_mean is not None
    assert module.running_var is not None
    of_training = module.running_var.double().cpu().numpy() + module.eps
    distance = np.abs(mean - module.running_mean.double().cpu().numpy()) / np.sqrt(of_training)
    factor = np.maximum(variance / of_training, of_training / variance)
    near = (distance <= FAR_MEAN) & (factor <= FAR_SPREAD)
    return LayerStatistics(
        name,
        n=images,
        channels=len(distance),
        distance=_finite(np.median(distance)),
        factor=_finite(np.median(factor)),
        far=float((~near).mean()),
    )


def _finite(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None
