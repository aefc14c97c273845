"""Findings: the maximum of a method's maps over all findings."""

from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward, Maps


def findings(forward: Forward, *, of: Maps) -> Tensor:
    """Maximum over findings in each cell, (batch, findings, *grid), the same map for every finding."""
    maps = of(forward)
    repeats = [1, maps.shape[1], *[1] * (maps.dim() - 2)]
    return maps.amax(dim=1, keepdim=True).repeat(repeats)


METHOD = AttributionMethod(maps=findings, reads="method", unit="logit_at_head")
