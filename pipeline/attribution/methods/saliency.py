"""Saliency: magnitude of the gradient of each logit at each pixel."""

from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward


def saliency(forward: Forward) -> Tensor:
    """Maximum over channels of |gradient|, (batch, findings, *grid), 0 or more.

    Simonyan et al., 2014 (arXiv 1312.6034), section 3.1.
    """
    return forward.input_gradients().abs().amax(dim=2).transpose(0, 1)


METHOD = AttributionMethod(maps=saliency, reads="input", unit="relative")
