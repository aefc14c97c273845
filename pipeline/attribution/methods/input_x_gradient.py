"""Input × gradient: first-order contribution of each pixel to each logit."""

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward


def input_x_gradient(forward: Forward) -> Tensor:
    """Sum over channels of input × gradient, (batch, findings, *grid), in logits.

    Shrikumar et al., 2016 (arXiv 1605.01713). In a ReLU network without biases the cells sum to the logit. A
    pixel of value 0 has no relevance, whatever its gradient.
    """
    return torch.einsum("kbc...,bc...->bk...", forward.input_gradients(), forward.inputs.float())


METHOD = AttributionMethod(maps=input_x_gradient, reads="input", unit="logit")
