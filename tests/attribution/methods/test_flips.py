"""Test-time flips, worked by hand, and as what they make equivariant."""

from typing import Any

import pytest
import torch

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.networks import FlatHead
from tests.attribution.plain import CORNER, CROSS, assert_close, densenet, explained, random_inputs

ARROW = CROSS.clone()
ARROW[1, 1], ARROW[3, 1] = 1, 1
"""The cross with a head on its left: twice the same upside down, but not from the other side."""


def flipped(*axes: str) -> dict[str, Any]:
    return {"method": "flips", "of": "hirescam@features", "axes": list(axes)}


def test_the_map_of_a_mirrored_copy_is_mirrored_back_by_hand() -> None:
    # HiResCAM is 25 · gradient · input here. The mirrored arrow keeps the gradient where it was, on the left.
    gradient = torch.zeros(5, 5)
    gradient[1, 1], gradient[2, 0] = 2.0, 6.0
    network = FlatHead(gradient[None, None])
    relevance = explained(network, ARROW[None, None], flipped("width"))[0, 0].div(25)
    # As it is: 2 at (1, 1) and 6 at (2, 0). Mirrored: (1, 1) is dark, and 6 at (2, 0), which is (2, 4).
    wanted = torch.zeros(5, 5)
    wanted[1, 1], wanted[2, 0], wanted[2, 4] = 1.0, 3.0, 3.0
    assert torch.equal(relevance, wanted)


def test_two_axes_are_four_images_by_hand() -> None:
    # Only where the corner has been brought to the top left does the network read it: in one image of four.
    network = FlatHead(CORNER[None, None])
    for axes in [(), ("width",), ("height",), ("width", "height")]:
        dims = [{"width": -1, "height": -2}[axis] for axis in axes]
        picture = CORNER.flip(dims)
        relevance = explained(network, picture[None, None], flipped("height", "width"))
        assert_close(relevance[0, 0], 25 * 4 * picture / 4)


@pytest.mark.parametrize(
    ("grid", "axes"),
    [((48, 32), ["width"]), ((48, 32), ["height", "width"]), ((32, 24, 16), ["depth", "height"])],
)
def test_any_network_has_the_mirrored_map_for_the_mirrored_image(
    grid: tuple[int, ...], axes: list[str]
) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    spec = {"method": "flips", "of": "gradcam", "axes": axes}
    relevance = explained(network, inputs, spec)
    for axis in axes:
        dim = {"width": -1, "height": -2, "depth": -3}[axis]
        assert_close(explained(network, inputs.flip(dim), spec), relevance.flip(dim))
    alone = explained(network, inputs, "gradcam")
    assert (explained(network, inputs.flip(-2), "gradcam").flip(-2) - alone).abs().max() > 1e-2


def test_a_tight_memory_bound_changes_nothing() -> None:
    network, inputs = densenet(), random_inputs(5, 1, 48, 32)
    spec = {"method": "flips", "of": "gradcam"}
    bounded = open_explainer(network, methods=[spec], example=inputs, memory_mb=0.5)
    assert bounded.read(inputs).rows < 5
    (maps,) = bounded.explain(inputs).maps.values()
    assert_close(torch.tensor(maps), explained(network, inputs, spec))


@pytest.mark.parametrize("axes", [[], ["depth"], ["width", "depth"]])
def test_axes_that_an_image_does_not_have_are_refused(axes: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"wanted at least one of \['width', 'height'\]; set for"):
        explained(FlatHead(torch.ones(1, 1, 5, 5)), CROSS[None, None], flipped(*axes))
