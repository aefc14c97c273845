"""Eigen-CAM: the first principal component of a layer's activations, independent of the finding."""

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward


def eigencam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), the same map for every finding, because it uses no logit.

    Muhammad and Yeasin, IJCNN 2020: the activations, as a matrix O (cells × channels, not centred), projected
    onto their first right singular vector, O·v₁.
    """
    activations = forward.activations(layer).float()
    relevance = _first_projection(activations.flatten(2).mT)
    shaped = relevance.reshape(-1, 1, *activations.shape[2:])
    return shaped.repeat(1, forward.logits.shape[1], *[1] * (activations.dim() - 2))


def _first_projection(matrices: Tensor) -> Tensor:
    """O·v₁ = σ₁·u₁, (batch, cells), of matrices O (batch, cells, channels).

    The sign of a singular vector is arbitrary: the cell with the largest magnitude is made positive, so that
    the map peaks where the channels are most active. After a ReLU no cell is negative then. The map of an
    image with non-finite activations is NaN, because the decomposition would fail for the whole batch.
    """
    finite = matrices.isfinite().flatten(1).all(dim=1)[:, None]
    left, values, _ = torch.linalg.svd(torch.where(finite[..., None], matrices, 0), full_matrices=False)
    projection = left[:, :, 0] * values[:, :1]
    largest = projection.gather(1, projection.abs().argmax(dim=1, keepdim=True))
    return torch.where(finite, torch.where(largest < 0, -projection, projection), torch.nan)


METHOD = AttributionMethod(maps=eigencam, reads="layer", unit="relative")
