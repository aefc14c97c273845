"""LRP: layer-wise relevance propagation, each logit handed back layer by layer until it lies on the pixels.

Three composites, a rule for each kind of layer: "epsilon" (epsilon throughout), "gamma" and "zplus" (gamma or
z-plus for convolutions, epsilon for linear layers). The rules and their sources are in `lrp_rules.py`; which
operation gets which, batch norm, residual additions and gates included, in `lrp_operations.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pipeline.attribution.lrp_mode import RelevanceMode, unruled
from pipeline.attribution.lrp_rules import Composite, CompositeName
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError

GRAPHS = 5
"""How many times the memory of a gradient's graph that of relevance takes (measured: 4 on DenseNet-121)."""


def lrp(
    forward: Forward, *, rule: CompositeName = "zplus", epsilon: float = 1e-9, gamma: float = 0.25
) -> Tensor:
    """Σ over channels of the relevance, (batch, findings, *grid), in logits.

    Bach et al., PLoS ONE 2015; Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019. The
    cells sum to the logit, less what biases and the shifts of batch norm keep. `epsilon` absorbs the
    relevance of sums about as small as itself; `gamma` is how much more positive terms count. A network
    with an operation that has no rule is a ConfigError.
    """
    if epsilon < 0 or gamma < 0:
        raise ConfigError(f"method 'lrp': found epsilon {epsilon}, gamma {gamma}; wanted 0 or more")
    composite = Composite(rule, epsilon, gamma)
    parts = forward.inputs.split(max(1, forward.rows // GRAPHS))
    return torch.cat([_relevance(forward.network, part, composite) for part in parts])


@torch.enable_grad()
def _relevance(network: nn.Module, inputs: Tensor, composite: Composite) -> Tensor:
    """(batch, findings, *grid), finding by finding over one graph."""
    leaf = inputs.detach().clone().requires_grad_()
    with _constant(network), RelevanceMode(composite):
        logits = network(leaf.clone())
    if operations := unruled(logits):
        raise ConfigError(
            f"method 'lrp': there is no rule for {', '.join(operations)}, which the network uses; "
            "use 'integrated_gradients' or 'input_x_gradient'"
        )
    maps = [_of_finding(logits, finding, leaf) for finding in range(logits.shape[1])]
    return torch.stack(maps, dim=1)


def _of_finding(logits: Tensor, finding: int, leaf: Tensor) -> Tensor:
    """(batch, *grid): the finding's logit handed back to the image."""
    only = torch.zeros_like(logits)
    only[:, finding] = logits[:, finding].detach()
    (relevance,) = torch.autograd.grad(logits, leaf, only, retain_graph=True)
    return relevance.float().sum(dim=1)


@contextmanager
def _constant(network: nn.Module) -> Iterator[None]:
    """Inside, only what depends on the image requires a gradient."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    try:
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


METHOD = AttributionMethod(maps=lrp, reads="input", unit="logit")
