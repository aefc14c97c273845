"""Input × gradient: what each pixel adds to each logit, to first order."""

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward


def input_x_gradient(forward: Forward) -> Tensor:
    """Σ over channels of input × gradient, (batch, findings, *grid), in logits.

    Shrikumar et al., 2016 (arXiv 1605.01713). In a network of ReLUs without biases the cells
    sum to the logit. A pixel whose value is 0 has no relevance, whatever the gradient.
    """
    return torch.einsum("kbc...,bc...->bk...", forward.input_gradients(), forward.inputs.float())


METHOD = AttributionMethod(maps=input_x_gradient, reads="input", unit="logit")
