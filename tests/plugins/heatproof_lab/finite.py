"""Finite: every weight of the network is a number."""

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError


def weights_are_finite(model: LoadedModel) -> str:
    """How many weights were looked at."""
    weights = list(model.network.parameters())
    if not all(bool(weight.isfinite().all()) for weight in weights):
        raise CheckError("a weight is not finite")
    return f"{sum(weight.numel() for weight in weights):,} weights are finite"
