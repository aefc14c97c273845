"""Measuring: how well the reference model tells findings apart, and how often its maps point at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from monai.networks.nets.densenet import DenseNet
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pipeline.phantoms.lesions import FINDINGS
from tests.reference_model.samples import Samples

BATCH = 50


@dataclass(frozen=True, slots=True)
class Pointing:
    """How often the maximum of a layer's map lies in a lesion of its finding."""

    layer: str
    stride: int
    overall: float
    """Of all findings that are present in an image, once each however many lesions it has."""
    findings: dict[str, float]
    """Without those that no film shows."""


def logits(network: DenseNet, inputs: NDArray[np.float16]) -> NDArray[np.float32]:
    """(films, findings)."""
    with torch.no_grad():
        answers = [network(_tensor(inputs[part])) for part in _batches(len(inputs))]
    result: NDArray[np.float32] = torch.cat(answers).numpy()
    return result


def auroc(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """The share of pairs of films, one with the finding, whose scores are in order; a tie is half of one."""
    present, absent = scores[labels], scores[~labels]
    difference = present[:, None] - absent[None, :]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


def youden_threshold(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """The score from which up calling a finding present has the largest sensitivity + specificity.

    Midway between the two neighbouring scores, so that rounding it moves no film across.
    """
    ordered = np.unique(scores)
    candidates = (ordered[1:] + ordered[:-1]) / 2
    positive = scores[None, :] >= candidates[:, None]
    gain = positive[:, labels].mean(axis=1) - positive[:, ~labels].mean(axis=1)
    best = candidates[gain == gain.max()]
    return float(best[len(best) // 2])


def pointing(network: DenseNet, films: Samples, layer: str) -> Pointing:
    """Grad-CAM's pointing game at a module's output: the map is enlarged to the masks' grid, bilinearly."""
    hits: list[list[bool]] = [[] for _ in FINDINGS]
    stride = 0
    for part in _batches(len(films.inputs)):
        maps = grad_cam(network, _tensor(films.inputs[part]), layer)
        stride = films.inputs.shape[-1] // maps.shape[-1]
        for image, bits, present in zip(maps, films.masks[part], films.labels[part], strict=True):
            on_film = functional.interpolate(image[None], size=bits.shape, mode="bilinear")[0]
            for number in np.flatnonzero(present):
                peak = int(on_film[number].argmax())
                inside = bool(bits.reshape(-1)[peak] >> number & 1)
                hits[number].append(inside and float(image[number].max()) > 0)
    return Pointing(
        layer=layer,
        stride=stride,
        overall=float(np.mean(list(chain(*hits)))),
        findings={finding: float(np.mean(own)) for finding, own in zip(FINDINGS, hits, strict=True) if own},
    )


def grad_cam(network: DenseNet, inputs: Tensor, layer: str) -> Tensor:
    """(films, findings, *grid): Σ over channels of activation × summed gradient of the logit, above 0."""
    kept: list[Tensor] = []
    module = network.get_submodule(layer)
    handle = module.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    try:
        answers = network(inputs.requires_grad_())
    finally:
        handle.remove()
    maps = []
    for number in range(len(FINDINGS)):
        (gradient,) = torch.autograd.grad(answers[:, number].sum(), kept[0], retain_graph=True)
        maps.append((gradient.sum(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1))
    return functional.relu(torch.stack(maps, dim=1).detach())


def _tensor(inputs: NDArray[np.float16]) -> Tensor:
    return torch.from_numpy(inputs.astype(np.float32)).unsqueeze(1)


def _batches(count: int) -> Iterator[slice]:
    return (slice(start, start + BATCH) for start in range(0, count, BATCH))
