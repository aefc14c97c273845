"""Log-odds: what the probabilities of a softmax depend on, and a network that returns them.

A softmax stays the same if a constant is added to all logits, so no logit alone says why a probability is
high. The log-odds of a finding, its logit less the log-sum-exp of the other logits, are ln(p / (1 - p)) of
its probability p. For two findings they are the difference of the logits.
"""

from __future__ import annotations

import copy
from collections import OrderedDict

import torch
from torch import Tensor, nn


def log_odds(logits: Tensor) -> Tensor:
    """Log-odds (batch, findings) of the softmax of logits (batch, findings); their sigmoid is the softmax."""
    return logits - _others(logits).logsumexp(dim=2)


def slopes(logits: Tensor) -> Tensor:
    """Derivative of each finding's log-odds with respect to each logit, (batch, findings, logits).

    1 for the finding's own logit; for another, less its share in the softmax of all but the finding's.
    """
    own = torch.eye(logits.shape[1], dtype=logits.dtype, device=logits.device)
    return own - _others(logits).softmax(dim=2)


def with_log_odds(network: nn.Module) -> nn.Module:
    """The network with log-odds in place of its logits; it shares all modules with `network`."""
    explained = copy.copy(network)
    vars(explained)["_forward_hooks"] = OrderedDict(_hooks(network))
    explained.register_forward_hook(_replace_logits)
    return explained


def without_log_odds(network: nn.Module) -> nn.Module:
    """The network with its logits, if `network` is the result of `with_log_odds`; any other as it is."""
    if not gives_log_odds(network):
        return network
    plain = copy.copy(network)
    hooks = {key: hook for key, hook in _hooks(network).items() if hook is not _replace_logits}
    vars(plain)["_forward_hooks"] = OrderedDict(hooks)
    return plain


def gives_log_odds(network: nn.Module) -> bool:
    """Whether `network` is the result of `with_log_odds`."""
    return _replace_logits in _hooks(network).values()


def _others(logits: Tensor) -> Tensor:
    """Logits of the other findings, (batch, findings, logits), and -∞ for the finding's own."""
    own = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
    return logits[:, None].masked_fill(own, -torch.inf)


def _hooks(network: nn.Module) -> OrderedDict[int, object]:
    hooks: OrderedDict[int, object] = vars(network)["_forward_hooks"]
    return hooks


def _replace_logits(_network: nn.Module, _inputs: object, logits: object) -> object:
    """Log-odds of an output that is (batch, logits); any other is left for the engine to refuse."""
    return log_odds(logits) if isinstance(logits, Tensor) and logits.dim() == 2 else logits  # noqa: PLR2004
