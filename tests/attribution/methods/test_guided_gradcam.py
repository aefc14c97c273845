"""Guided Grad-CAM, worked by hand, and against Captum."""

from copy import deepcopy

import pytest
import torch
from captum.attr import GuidedGradCam
from torch import nn

from tests.attribution.families import GRIDS, family
from tests.attribution.networks import GapHead
from tests.attribution.plain import (
    assert_close,
    cells_of,
    explained,
    interpolated,
    module_of,
    random_inputs,
)


def test_the_guided_gradient_is_weighted_by_what_gradcam_shows_by_hand() -> None:
    # The head's ReLU sees the pixels 1, 2, 3, -4. For weight 2 Grad-CAM is 2, 4, 6, 0, and the guided
    # gradient 2/4 where a pixel is positive; for weight -2 nothing is left of either.
    network = GapHead(weights=[[2.0], [-2.0]], bias=[0.0, 0.0])
    inputs = torch.tensor([[[[1.0, 2.0], [3.0, -4.0]]]])
    positive, negative = explained(network, inputs, "guided_gradcam", "relu")[0]
    assert positive.tolist() == [[1, 2], [3, 0]]
    assert negative.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(("name", "dimensions", "layer"), [("vgg", 2, "4"), ("vgg", 3, "4")])
def test_guided_gradcam_is_captums_times_the_number_of_cells(name: str, dimensions: int, layer: str) -> None:
    network, inputs = family(name, dimensions), random_inputs(2, 1, *GRIDS[dimensions])
    ours = explained(network, inputs, "guided_gradcam", layer)
    cells = explained(network, inputs, "gradcam", layer).shape[2:].numel()
    theirs = deepcopy(network)
    for module in theirs.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # its hooks refuse what is overwritten
    captum = GuidedGradCam(theirs, theirs.get_submodule(module_of(network, inputs, layer)))
    leaf, mode = inputs.requires_grad_(), {2: "bilinear", 3: "trilinear"}[dimensions]
    with pytest.warns(UserWarning, match="backward hooks on ReLU"):
        maps = [captum.attribute(leaf, target=k, interpolate_mode=mode)[:, 0].detach() for k in range(3)]
    assert ours.abs().max() > 0
    assert_close(ours, torch.stack(maps, dim=1) * cells)


def test_gradcam_lies_where_the_receptive_fields_do() -> None:
    network, inputs = family("densenet", 2), random_inputs(2, 1, *GRIDS[2])
    layer = "features.transition1.conv"
    ours = explained(network, inputs, "guided_gradcam", layer)
    coarse = explained(network, inputs, "gradcam", layer).relu()
    fine = interpolated(coarse, cells_of(network, inputs, "gradcam", layer), inputs.shape[2:])
    assert_close(ours, explained(network, inputs, "guided_backprop") * fine)
