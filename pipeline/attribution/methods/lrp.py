"""LRP: layer-wise relevance propagation, which distributes each logit back to the pixels, layer by layer.

A composite sets the rule for each kind of layer. There are three: "epsilon" (epsilon for all layers), "gamma"
and "zplus" (gamma or z-plus for convolutions, epsilon for linear layers). `lrp/rules.py` defines the rules
and cites the papers; `lrp/operations.py` assigns them to operations such as batch norm, additions and gates.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pipeline.attribution.lrp.mode import RelevanceMode, operations_without_rule
from pipeline.attribution.lrp.rules import Composite, CompositeName
from pipeline.attribution.readout import readout_of, without_readout
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError

LAYER_NORM = "NativeLayerNorm"
"""Operation that tells a transformer."""
GRAPHS = 5
"""Memory of a relevance graph divided by that of a gradient graph; 4 was measured on DenseNet-121."""


def lrp(
    forward: Forward, *, rule: CompositeName = "zplus", epsilon: float = 1e-9, gamma: float = 0.25
) -> Tensor:
    """Sum over channels of the relevance, (batch, findings, *grid), in logits.

    Bach et al., PLoS ONE 2015; Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019. The
    cells sum to the logit minus the shares of biases and batch norm shifts. `epsilon` absorbs the relevance
    of units whose sum is about as small as epsilon; `gamma` is the extra weight of positive terms. Log-odds
    are propagated as their first-order part, slope × logit for each logit; of two outputs, that is their
    difference. Raises ConfigError if the network uses an operation that has no rule.
    """
    if epsilon < 0 or gamma < 0:
        raise ConfigError(f"method 'lrp': found epsilon {epsilon}, gamma {gamma}; set both to 0 or more")
    composite = Composite(rule, epsilon, gamma)
    parts = forward.inputs.split(max(1, forward.rows // GRAPHS))
    return torch.cat([_relevance(forward.network, part, composite) for part in parts])


@torch.enable_grad()
def _relevance(network: nn.Module, inputs: Tensor, composite: Composite) -> Tensor:
    """Maps (batch, findings, *grid), computed per finding from one graph."""
    leaf = inputs.detach().clone().requires_grad_()
    with _frozen(network), RelevanceMode(composite):
        logits = without_readout(network)(leaf.clone())
    if operations := operations_without_rule(logits):
        of_transformers = ", as transformers do" if LAYER_NORM in operations else ""
        raise ConfigError(
            f"method 'lrp': there is no rule for {', '.join(operations)}, which the network "
            f"uses{of_transformers}; use 'integrated_gradients' or 'input_x_gradient'"
        )
    shares = readout_of(network).slopes(logits.detach())
    maps = [_map_of_finding(logits, share * logits.detach(), leaf) for share in shares.unbind(dim=1)]
    return torch.stack(maps, dim=1)


def _map_of_finding(logits: Tensor, relevance_of_logits: Tensor, leaf: Tensor) -> Tensor:
    """Map (batch, *grid) of one finding: the relevance of the logits propagated back to the image."""
    (relevance,) = torch.autograd.grad(logits, leaf, relevance_of_logits, retain_graph=True)
    return relevance.float().sum(dim=1)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Switch off gradients of the network's parameters inside `with`."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    try:
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


METHOD = AttributionMethod(maps=lrp, reads="input", unit="logit")
