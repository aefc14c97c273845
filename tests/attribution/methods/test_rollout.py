"""Attention rollout against attention computed by hand in double precision, and its refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.plain import assert_close, densenet, explained, random_inputs
from tests.attribution.transformers import STYLES, Style, by_hand, swin, vit

INPUTS = random_inputs(2, 1, 21, 29)


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_it_is_the_product_of_the_blocks_attention_with_shortcuts(style: Style, *, pooled: bool) -> None:
    network = vit(style=style, registers=2, pooled=pooled)
    _, attention, _ = by_hand(network, INPUTS)
    first, second, third = (block.detach().mean(dim=1) for block in attention)
    half = torch.eye(38).double() / 2
    flow = (half + third / 2) @ (half + second / 2) @ (half + first / 2)
    rows = flow[:, 3:] if pooled else flow[:, :1]  # the patches, or the class token
    exact = rows.mean(dim=1)[:, 3:].reshape(2, 1, 5, 7).expand(-1, 3, -1, -1)
    assert_close(explained(network, INPUTS, "rollout"), exact)


def test_one_block_by_hand() -> None:
    """Four patches and a class token that attends to them with 0.1, 0.2, 0.3, 0.4: half of it remains."""
    maps = explained(Counting(), random_inputs(2, 1, 4, 4), "rollout")
    assert_close(maps, torch.tensor([[0.05, 0.1], [0.15, 0.2]]).expand(2, 2, 2, 2))


class Counting(nn.Module):
    """Attention that depends on the place alone."""

    def __init__(self, **options: object) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patch, self.norm, self.head = nn.Conv2d(1, 3, 2, 2), nn.LayerNorm(3), nn.Linear(3, 2)
        self.options = options
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        patches = self.patch(inputs).flatten(2).mT
        tokens = self.norm(torch.cat([patches.new_ones(len(inputs), 1, 3), patches], dim=1))[:, None]
        mask = torch.tensor([1e-9, 0.1, 0.2, 0.3, 0.4]).log().expand(1, 1, 5, 5)
        nothing = torch.zeros_like(tokens)
        if "is_causal" in self.options:
            attended = functional.scaled_dot_product_attention(tokens, tokens, tokens, **self.options)
        else:
            attended = functional.scaled_dot_product_attention(nothing, nothing, tokens, attn_mask=mask)
        return self.head((tokens + attended)[:, 0, 0])


def test_a_true_mask_hides_what_is_false() -> None:
    class Hiding(Counting):
        def forward(self, inputs: Tensor) -> Tensor:
            patches = self.patch(inputs).flatten(2).mT
            tokens = self.norm(torch.cat([patches.new_ones(len(inputs), 1, 3), patches], dim=1))[:, None]
            seen = torch.tensor([[False, False, True, True, False]])
            nothing = torch.zeros_like(tokens)
            attended = functional.scaled_dot_product_attention(nothing, nothing, tokens, attn_mask=seen)
            return self.head((tokens + attended)[:, 0, 0])

    maps = explained(Hiding(), random_inputs(2, 1, 4, 4), "rollout")
    assert_close(maps, torch.tensor([[0.0, 0.25], [0.25, 0.0]]).expand(2, 2, 2, 2))


@pytest.mark.parametrize("method", ["rollout", "chefer"])
@pytest.mark.parametrize(
    ("network", "inputs", "complaint"),
    [
        (densenet(), random_inputs(2, 1, 36, 28), "is a map of rows and columns, as of convolutions or"),
        (swin(), random_inputs(2, 1, 64, 48), "or of attention in windows; use 'gradcam'"),
        (Counting(is_causal=True), random_inputs(2, 1, 4, 4), "the network has attention that is causal"),
    ],
    ids=["densenet", "swin", "causal"],
)
def test_networks_without_attention_of_all_tokens_are_refused(
    method: str, network: nn.Module, inputs: Tensor, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        open_explainer(network, methods=[method], example=inputs)


class Windowed(nn.Module):
    """Tokens that attend within halves of the image, and no more than that."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patch, self.norm, self.head = nn.Conv2d(1, 4, 4, 4), nn.LayerNorm(4), nn.Linear(4, 2)
        self.parts = parts

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.norm(self.patch(inputs).flatten(2).mT)
        if self.parts:
            windows = tokens.reshape(-1, 1, tokens.shape[1] // self.parts, 4)
            attended = functional.scaled_dot_product_attention(windows, windows, windows)
            tokens = tokens + attended.reshape(tokens.shape)
        return self.head(tokens.mean(dim=1))


@pytest.mark.parametrize(("parts", "found"), [(2, r"probabilities \(2, 1, 8, 8\)"), (0, "none")])
def test_attention_that_is_not_of_all_tokens_is_named(parts: int, found: str) -> None:
    with pytest.raises(ConfigError, match=rf"wanted attention of all 16 tokens .*, found {found}"):
        open_explainer(Windowed(parts).eval(), methods=["rollout"], example=random_inputs(2, 1, 16, 16))
