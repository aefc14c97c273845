"""Eigen-CAM: what a layer's channels have most in common, whatever the finding."""

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward


def eigencam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), the same map for every finding, since no logit enters it.

    Muhammad and Yeasin, IJCNN 2020: the activations, as a matrix O of cells × channels that is not centred,
    projected on their first right singular vector, O·v₁.
    """
    activations = forward.activations(layer).float()
    relevance = _first_projection(activations.flatten(2).mT)
    shaped = relevance.reshape(-1, 1, *activations.shape[2:])
    return shaped.repeat(1, forward.logits.shape[1], *[1] * (activations.dim() - 2))


def _first_projection(matrices: Tensor) -> Tensor:
    """O·v₁ = σ₁·u₁, (batch, cells), of matrices O (batch, cells, channels).

    A singular vector has no sign of its own: the cell of largest magnitude is made positive, so that the map
    peaks where the channels are most active. For ReLU activations then no cell is negative. An image whose
    activations are not finite has a map of NaN: the decomposition would raise, and take the batch with it.
    """
    finite = matrices.isfinite().flatten(1).all(dim=1)[:, None]
    left, values, _ = torch.linalg.svd(torch.where(finite[..., None], matrices, 0), full_matrices=False)
    projection = left[:, :, 0] * values[:, :1]
    largest = projection.gather(1, projection.abs().argmax(dim=1, keepdim=True))
    return torch.where(finite, torch.where(largest < 0, -projection, projection), torch.nan)


METHOD = AttributionMethod(maps=eigencam, reads="layer", unit="relative")
