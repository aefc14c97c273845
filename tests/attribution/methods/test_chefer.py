"""Chefer's relevance against attention and its gradients by hand in double precision."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pipeline.attribution.explainer import open_explainer
from tests.attribution.plain import assert_close, explained, random_inputs
from tests.attribution.transformers import STYLES, Style, ViT, by_hand, vit

INPUTS = random_inputs(2, 1, 21, 29)


def exact_maps(network: ViT, outputs: Tensor, attention: list[Tensor]) -> Tensor:
    """Equations 5 and 6 of the paper, image by image and finding by finding."""
    maps = torch.zeros(2, outputs.shape[1], 5, 7).double()
    for finding in range(outputs.shape[1]):
        gradients = torch.autograd.grad(outputs[:, finding].sum(), attention, retain_graph=True)
        for image in range(2):
            relevance = torch.eye(38).double()
            for block, gradient in zip(attention, gradients, strict=True):
                weighted = (block[image] * gradient[image]).detach().clamp(min=0).mean(dim=0)
                relevance = relevance + weighted @ relevance
            relevance -= torch.eye(38).double()
            rows = relevance[3:] if network.pooled else relevance[:1]
            maps[image, finding] = rows.mean(dim=0)[3:].reshape(5, 7)
    return maps


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_it_is_the_papers_update_of_attention_and_its_gradient(style: Style, *, pooled: bool) -> None:
    network = vit(style=style, registers=2, pooled=pooled)
    logits, attention, _ = by_hand(network, INPUTS)
    exact = exact_maps(network, logits, attention)
    assert exact.min() >= 0
    assert_close(explained(network, INPUTS, "chefer"), exact)


def test_of_a_softmax_the_log_odds_are_explained() -> None:
    network = vit(registers=2)
    logits, attention, _ = by_hand(network, INPUTS)
    odds = torch.stack(
        [logits[:, k] - logits[:, [j for j in range(3) if j != k]].logsumexp(1) for k in range(3)], 1
    )
    found = open_explainer(network, methods=["chefer"], example=INPUTS, activation="softmax").explain(INPUTS)
    assert_close(torch.from_numpy(found.maps["chefer"]), exact_maps(network, odds, attention))


def test_findings_have_maps_of_their_own() -> None:
    maps = explained(vit(), INPUTS, "chefer")
    assert not torch.allclose(maps[:, 0], maps[:, 1], rtol=0.1)
