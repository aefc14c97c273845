"""Reading: what a network makes of a few images inside: the features below its head, and its normalisation.

Neither needs a label. Batch normalisation (Ioffe & Szegedy 2015) holds mean and variance of each channel in
training, so the first layer in which the audited images differ says where network and training part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
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
LARGEST = float(np.finfo(np.float16).max)
GRID = 3
"""Axes of activations with a grid, at least: images, channels, cells."""
MEAN = 1e-2
"""Difference between a feature and the mean of its grid, as a share, that bfloat16 rounds off."""


@torch.no_grad()
def read_network(
    versions: Iterable[tuple[str, ModelInput]],
    classifier: Classifier,
    *,
    batch_size: int,
    most_grids: int = 0,
) -> NetworkReading:
    """Features and statistics of inputs with the name of their variant ("": the image as it is).

    The features of an image as it is are what the last linear layer reads, pooled over its grid if it has
    one. There are none if that layer does not give one value per output, or if a feature is not finite.
    Layers that read parts of images, so that their rows are not those of the batch, are left out. Of the
    first `most_grids` images there are also the activations whose means the features are.
    """
    items = iter(versions)
    case_ids: list[str] = []
    with _listening(classifier.network) as heard:
        heard.most_grids = most_grids
        while part := list(islice(items, batch_size)):
            heard.variants = [variant for variant, _ in part]
            heard.rows = batch_size
            case_ids += [one.case_id for variant, one in part if not variant]
            classifier.network(classifier.tensor([one for _, one in part], batch_size=batch_size))
            heard.end_batch(outputs=len(classifier.card.outputs))
    values = np.concatenate(heard.features) if heard.features else np.zeros((len(case_ids), 0), np.float32)
    if len(values) != len(case_ids) or not np.isfinite(values).all():
        values = np.zeros((len(case_ids), 0), np.float32)
    layers = tuple(
        _statistics(variant, name, module, heard.sums[variant, name], n=count)
        for variant, count in heard.counts.items()
        for name, module in _normalisations(classifier.network)
        if (variant, name) in heard.sums
    )
    features = Features(tuple(case_ids), values)
    if heard.grids and len(heard.grids) == min(most_grids, len(case_ids)):
        grids = np.stack(heard.grids).clip(-LARGEST, LARGEST).astype(np.float16)
        features = replace(features, grids=grids, head=_head(heard.weights, classifier))
    return NetworkReading(features, layers)


def _head(weights: Tensor, classifier: Classifier) -> NDArray[np.float32]:
    """The weights (findings, features) of log-odds: in a softmax those of a class less the others' mean."""
    rows = weights.detach().double().cpu().numpy()
    if classifier.card.activation == "softmax":
        rows = (rows - rows.mean(axis=0)) * len(rows) / max(len(rows) - 1, 1)
    outputs = list(classifier.card.outputs)
    found: NDArray[np.float32] = rows[[outputs.index(name) for name in classifier.card.findings]]
    return found.astype(np.float32)


@dataclass(slots=True)
class _Sums:
    """Number, sum and sum of squares of each channel's values."""

    count: int = 0
    total: Any = 0.0
    squares: Any = 0.0


@dataclass(slots=True)
class _Heard:
    """What hooks hear during forward passes."""

    variants: Sequence[str] = ()
    """Of the images of the batch, without its padding."""
    rows: int = 0
    """Of the batch, with its padding."""
    counts: Counter[str] = field(default_factory=Counter)
    """Variant → number of images."""
    sums: dict[tuple[str, str], _Sums] = field(default_factory=dict)
    """By variant and normalisation."""
    features: list[NDArray[np.float32]] = field(default_factory=list)
    last: tuple[Tensor, int] | None = None
    """Input and number of output values of the last linear layer that ran."""
    most_grids: int = 0
    grid: Tensor | None = None
    """The latest activations (batch, channels, *grid) of more than one cell."""
    below: Tensor | None = None
    """The latest before the last linear layer."""
    weights: Tensor = field(default_factory=lambda: torch.zeros(0, 0))
    """(outputs, features) of the last linear layer that ran."""
    grids: list[NDArray[np.float32]] = field(default_factory=list)
    """(features, cells) of each image."""

    def of_channels(self, name: str, values: Tensor) -> None:
        """Add the values (batch, channels, *grid) that a normalisation reads, image by image for memory."""
        if len(values) != self.rows:
            return
        for variant, of_image in zip(self.variants, values, strict=False):
            channels = of_image.double().reshape(len(of_image), -1)
            sums = self.sums.setdefault((variant, name), _Sums())
            sums.count += channels.shape[1]
            sums.total += channels.sum(1).cpu().numpy()
            sums.squares += (channels * channels).sum(1).cpu().numpy()

    def of_linear(self, module: nn.Module, values: Tensor, outputs: Tensor) -> None:
        """Keep what a linear layer or a convolution reads, pooled over its grid."""
        if len(values) != self.rows:
            self.last = None
        elif isinstance(module, nn.Linear):
            self.last = values.reshape(len(values), -1, values.shape[-1]).mean(1), outputs.shape[-1]
            self.below, self.weights = self.grid, module.weight
        elif isinstance(module.weight, Tensor):
            self.last = values.flatten(2).mean(2), outputs.shape[1]
            self.below, self.weights = values, module.weight.flatten(1)

    def of_any(self, outputs: Any) -> None:
        """Keep the activations that a module gives, if they have a grid."""
        if (
            self.most_grids
            and isinstance(outputs, Tensor)
            and outputs.ndim >= GRID
            and len(outputs) == self.rows
            and outputs[0, 0].numel() > 1
        ):
            self.grid = outputs

    def end_batch(self, *, outputs: int) -> None:
        """Keep the features of the images as they are."""
        self.counts.update(self.variants)
        if self.last is not None and self.last[1] == outputs:
            own = [row for row, variant in enumerate(self.variants) if not variant]
            self.features.append(self.last[0][own].float().cpu().numpy())
            self._keep_grids(own[: self.most_grids - len(self.grids)])
        self.last = self.grid = self.below = None

    def _keep_grids(self, own: Sequence[int]) -> None:
        """Keep the grids of these rows of the batch, if the features are their means."""
        assert self.last is not None
        if self.below is None or not own:
            return
        cells = self.below[own].flatten(2).float()
        features = self.last[0][own].float()
        if cells.shape[:2] != features.shape or self.weights.shape[1] != features.shape[1]:
            return
        if torch.allclose(cells.mean(2), features, rtol=MEAN, atol=MEAN * float(features.abs().max())):
            self.grids += list(cells.cpu().numpy())


@contextmanager
def _listening(network: nn.Module) -> Iterator[_Heard]:
    """What the forward passes inside `with` hear; the hooks are removed on every way out."""
    heard = _Heard()

    def of_normalisation(name: str) -> Any:
        return lambda _module, given, named: heard.of_channels(name, _first(given, named))

    handles = [
        module.register_forward_hook(
            lambda one, given, named, outputs: heard.of_linear(one, _first(given, named), outputs),
            with_kwargs=True,
        )
        for module in network.modules()
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
    ]
    handles += [
        module.register_forward_hook(lambda _module, _given, outputs: heard.of_any(outputs))
        for module in network.modules()
    ]
    handles += [
        module.register_forward_pre_hook(of_normalisation(name), with_kwargs=True)
        for name, module in _normalisations(network)
    ]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def _first(given: Sequence[Tensor], named: Mapping[str, Tensor]) -> Tensor:
    """What a layer reads, which a network may give by its name: layer(input=values)."""
    return given[0] if given else next(iter(named.values()))


def _normalisations(network: nn.Module) -> Iterator[tuple[str, _BatchNorm]]:
    """Layers that hold the mean and variance of their channels in training."""
    for name, module in network.named_modules():
        if isinstance(module, _BatchNorm) and module.running_mean is not None:
            yield name, module


def _statistics(variant: str, name: str, module: _BatchNorm, sums: _Sums, *, n: int) -> LayerStatistics:
    mean = sums.total / sums.count
    variance = np.maximum(sums.squares / sums.count - mean**2, 0) + module.eps
    assert module.running_mean is not None
    assert module.running_var is not None
    of_training = module.running_var.double().cpu().numpy() + module.eps
    with np.errstate(divide="ignore", invalid="ignore"):  # a variance of 0, or one that is no number
        distance = np.abs(mean - module.running_mean.double().cpu().numpy()) / np.sqrt(of_training)
        factor = np.maximum(variance / of_training, of_training / variance)
    near = (distance <= FAR_MEAN) & (factor <= FAR_SPREAD)
    return LayerStatistics(
        variant,
        name,
        n=n,
        channels=len(distance),
        distance=_finite(np.median(distance)),
        factor=_finite(np.median(factor)),
        far=float((~near).mean()),
        is_trained=bool((module.running_mean != 0).any() or (module.running_var != 1).any()),
    )


def _finite(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None
