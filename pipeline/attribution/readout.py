"""Readout: what is explained of a network's outputs, and a network that returns it.

A softmax is explained by its log-odds, and an output that is no finding is left out after it has counted in
the softmax. So everything behind the readout sees one number per finding, in the order of the findings.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.attribution.log_odds import log_odds, slopes
from pipeline.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Readout:
    """Outputs (batch, outputs) → [log-odds →] those that are findings, (batch, findings)."""

    odds: bool = False
    """Whether the outputs become log-odds."""
    explained: tuple[bool, ...] = ()
    """Of each output, whether it is a finding; empty: all are."""

    def __call__(self, outputs: Tensor) -> Tensor:
        """The logits that are explained, (batch, findings)."""
        return self.chosen(log_odds(outputs) if self.odds else outputs)

    def slopes(self, outputs: Tensor) -> Tensor:
        """Derivative of each explained logit with respect to each output, (batch, findings, outputs)."""
        if self.odds:
            return self.chosen(slopes(outputs))
        own = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)
        return self.chosen(own, dim=0).expand(len(outputs), -1, -1)

    def chosen(self, values: Tensor, *, dim: int = 1) -> Tensor:
        """Of values per output along `dim`, those of findings. Raises ConfigError for another number."""
        if not self.explained:
            return values
        if values.shape[dim] != len(self.explained):
            raise ConfigError(
                f"findings: {len(self.explained)} listed for {values.shape[dim]} outputs of the network; "
                "list one per output, in their order, and null for one that was never trained"
            )
        if all(self.explained):
            return values
        return values.index_select(dim, torch.tensor(self.explained, device=values.device).nonzero()[:, 0])


ALL = Readout()


def with_readout(network: nn.Module, readout: Readout) -> nn.Module:
    """The network with what `readout` makes of its outputs; it shares all modules with `network`."""
    if readout == ALL:
        return network
    explained = copy.copy(network)
    vars(explained)["_forward_hooks"] = OrderedDict(_hooks(network))
    explained.register_forward_hook(_Replacing(readout))
    return explained


def without_readout(network: nn.Module) -> nn.Module:
    """The network with its own outputs, if `network` is the result of `with_readout`; any other as it is."""
    if readout_of(network) == ALL:
        return network
    plain = copy.copy(network)
    hooks = {key: hook for key, hook in _hooks(network).items() if not isinstance(hook, _Replacing)}
    vars(plain)["_forward_hooks"] = OrderedDict(hooks)
    return plain


def readout_of(network: nn.Module) -> Readout:
    """The readout of the result of `with_readout`; of any other network, all its outputs."""
    return next((hook.readout for hook in _hooks(network).values() if isinstance(hook, _Replacing)), ALL)


@dataclass(frozen=True, slots=True)
class _Replacing:
    """A forward hook that replaces an output (batch, outputs); any other is left for the engine to refuse."""

    readout: Readout

    def __call__(self, _network: nn.Module, _inputs: object, outputs: object) -> object:
        is_plain = isinstance(outputs, Tensor) and outputs.dim() == 2  # noqa: PLR2004  # (batch, outputs)
        return self.readout(outputs) if is_plain else outputs  # type: ignore[arg-type]  # a tensor by now


def _hooks(network: nn.Module) -> OrderedDict[int, object]:
    hooks: OrderedDict[int, object] = vars(network)["_forward_hooks"]
    return hooks
