"""Occlusion, worked by hand, and against Captum."""

from typing import Any

import pytest
import torch
from captum.attr import Occlusion

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.families import GRIDS, family
from tests.attribution.networks import FlatHead
from tests.attribution.plain import assert_close, explained, random_inputs

SUM = FlatHead(torch.ones(1, 1, 1, 4))
"""The logit is the sum of four pixels."""
PIXELS = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])


def spec(**options: Any) -> dict[str, Any]:
    return {"method": "occlusion", **options}


def test_patches_that_overlap_are_averaged_by_hand() -> None:
    # Hiding 1 2, 2 3 and 3 4 costs 3, 5 and 7; the inner pixels lie under two patches.
    assert explained(SUM, PIXELS, spec(patch=2, step=1)).tolist() == [[[[3, 4, 6, 7]]]]


def test_what_is_hidden_becomes_the_fill() -> None:
    assert explained(SUM, PIXELS, spec(patch=2, step=1, fill=1.0)).tolist() == [[[[1, 2, 4, 5]]]]
    assert explained(SUM, PIXELS + 1, spec(patch=2, step=2, fill="minimum")).tolist() == [[[[1, 1, 5, 5]]]]


def test_a_share_of_the_side_and_half_a_patch_are_what_the_pixels_say() -> None:
    overlapping = explained(SUM, PIXELS, spec(patch=2, step=1))
    assert torch.equal(explained(SUM, PIXELS, spec(patch=0.5)), overlapping)
    assert torch.equal(explained(SUM, PIXELS, spec(patch=[0.9, 2], step=[1, 0.3])), overlapping)


def test_the_last_patch_is_clipped_at_the_edge() -> None:
    # 1 2 3 and 4: a patch that began at 2 to end at the edge would cost 9.
    assert explained(SUM, PIXELS, spec(patch=3, step=3)).tolist() == [[[[6, 6, 6, 4]]]]


@pytest.mark.parametrize(
    ("dimensions", "patch", "step"), [(2, (7, 5), (4, 5)), (2, (6, 6), (5, 3)), (3, (7, 6, 5), (6, 5, 5))]
)
def test_occlusion_equals_captums(dimensions: int, patch: tuple[int, ...], step: tuple[int, ...]) -> None:
    network, inputs = family("vgg", dimensions), random_inputs(2, 1, *GRIDS[dimensions])
    ours = explained(network, inputs, spec(patch=patch, step=step, fill=-0.5))
    captum, options = Occlusion(network), {"strides": (1, *step), "baselines": -0.5}
    theirs = [captum.attribute(inputs, (1, *patch), target=finding, **options)[:, 0] for finding in range(3)]
    assert_close(ours, torch.stack(theirs, dim=1))


def test_every_channel_is_hidden_at_once() -> None:
    network = FlatHead(torch.tensor([[[[1.0, 1.0]], [[10.0, 10.0]]]]))
    assert explained(network, torch.ones(2, 2, 1, 2), spec(patch=1)).tolist() == [[[[11, 11]]]] * 2


def test_a_bound_on_memory_changes_nothing() -> None:
    network, inputs = family("resnet"), random_inputs(2, 1, *GRIDS[2])
    explainer = open_explainer(network, methods=[spec(patch=9)], example=inputs, memory_mb=1)
    assert explainer.read(inputs).rows < 10
    (few,) = explainer.explain(inputs).maps.values()
    assert_close(torch.tensor(few), explained(network, inputs, spec(patch=9)), tolerance=1e-4)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"patch": 2, "step": 3},
            r"step: found \[1, 3\] pixels, wanted at most the patch's \[1, 2\]; set a smaller",
        ),
        ({"patch": 0}, "patch: found 0, wanted pixels"),
        ({"patch": 1.5}, r"patch: found 1\.5, wanted pixels"),
        ({"patch": [2]}, r"patch: found \(2,\), wanted pixels .* or 2 in a list; set for example"),
        ({"patch": 2, "step": -1}, "step: found -1, wanted pixels"),
    ],
)
def test_patches_that_would_not_cover_the_image_are_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        explained(SUM, PIXELS, spec(**options))
