"""Log-odds: what the probabilities of a softmax depend on.

A softmax stays the same if a constant is added to all logits, so no logit alone says why a probability is
high. The log-odds of a class, its logit less the log-sum-exp of the other logits, are ln(p / (1 - p)) of
its probability p. For two classes they are the difference of the logits.
"""

from __future__ import annotations

import torch
from torch import Tensor


def log_odds(logits: Tensor) -> Tensor:
    """Log-odds (batch, classes) of the softmax of logits (batch, classes); their sigmoid is the softmax."""
    return logits - _others(logits).logsumexp(dim=2)


def slopes(logits: Tensor) -> Tensor:
    """Derivative of each class's log-odds with respect to each logit, (batch, classes, logits).

    1 for the class's own logit; for another, less its share in the softmax of all but the class's.
    """
    own = torch.eye(logits.shape[1], dtype=logits.dtype, device=logits.device)
    return own - _others(logits).softmax(dim=2)


def _others(logits: Tensor) -> Tensor:
    """Logits of the other classes, (batch, classes, logits), and -∞ for the class's own."""
    own = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
    return logits[:, None].masked_fill(own, -torch.inf)
