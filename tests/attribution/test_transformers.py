"""Transformers: tokens are read as the grid that they are, without class token and registers."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.attribution.attention import AttentionMode, alone
from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.errors import ConfigError
from pipeline.records import Cells
from tests.attribution.plain import assert_close, explained, random_inputs
from tests.attribution.transformers import PATCH, STRIDE, STYLES, Style, ViT, by_hand, swin, vit

GRID = (21, 29)
CELLS = (Cells(2.0, 4.0, 5), Cells(2.0, 4.0, 7))
INPUTS = random_inputs(2, 1, *GRID)


def opened(network: nn.Module, *methods: str, layer: str = "last", inputs: Tensor = INPUTS) -> Explainer:
    return open_explainer(network, methods=methods, default_layer=layer, example=inputs)


@pytest.mark.parametrize("registers", [0, 4])
@pytest.mark.parametrize("style", STYLES)
def test_last_is_the_norm_before_the_last_attention_if_the_class_token_alone_is_read(
    style: Style, registers: int
) -> None:
    call = opened(vit(style=style, registers=registers), "gradcam").targets["last"].call
    assert (call.module, call.tokens, call.cells) == ("blocks.2.norm1", (1 + registers, 0), CELLS)
    assert call.grid == (5, 7)


@pytest.mark.parametrize("style", STYLES)
def test_last_is_the_end_of_the_blocks_if_the_mean_of_the_patches_is_read(style: Style) -> None:
    target = opened(vit(style=style, pooled=True), "gradcam").targets["last"]
    assert (target.call.module, target.call.tokens) == ("norm", (1, 0))
    assert target.head is not None


def test_cells_of_tokens_lie_in_the_middle_of_their_patches() -> None:
    """A pixel reaches exactly the tokens whose patch covers it, if tokens attend to themselves alone."""
    explainer = opened(vit(), "gradcam")
    with AttentionMode(alone):
        before = explainer.read(INPUTS).activations("last")
        for row, column in ((0, 0), (4, 12), (20, 28), (9, 14)):
            inputs = INPUTS.clone()
            inputs[:, :, row, column] += 1
            difference = (explainer.read(inputs).activations("last") - before).abs()
            changed = difference.amax(dim=(0, 1)) > 1e-4
            for i, j in torch.cartesian_prod(torch.arange(5), torch.arange(7)).tolist():
                centre = CELLS[0].start + STRIDE * i, CELLS[1].start + STRIDE * j
                inside = max(abs(row - centre[0]), abs(column - centre[1])) <= PATCH // 2
                assert bool(changed[i, j]) == inside


CAMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "gradcam": lambda a, g: torch.einsum("kbc,bcn->bkn", g.sum(dim=3), a),
    "hirescam": lambda a, g: a.shape[2] * torch.einsum("kbcn,bcn->bkn", g, a),
    "layercam": lambda a, g: a.shape[2] * torch.einsum("kbcn,bcn->bkn", g.clamp_min(0), a),
}
"""Method → maps (batch, findings, cells) of activations (batch, channels, cells) and their gradients."""


@pytest.mark.parametrize("method", CAMS)
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_maps_of_tokens_are_those_of_plain_autograd_in_double_precision(
    method: str, style: Style, *, pooled: bool
) -> None:
    network = vit(style=style, registers=2, pooled=pooled)
    logits, _, normed = by_hand(network, INPUTS)
    read = normed[3 if pooled else 2]  # after the last norm, or before the last attention
    gradients = [torch.autograd.grad(logits[:, k].sum(), read, retain_graph=True)[0] for k in range(3)]
    exact = CAMS[method](read[:, 3:].mT.detach(), torch.stack(gradients)[:, :, 3:].mT)
    found = opened(network, method).explain(INPUTS)
    assert_close(torch.from_numpy(found.logits), logits.detach())
    assert_close(torch.from_numpy(found.maps[method]).flatten(2), exact)
    assert found.cells[method] == CELLS


@pytest.mark.parametrize("method", ["ablationcam", "scorecam", "eigencam", "xgradcam", "gradcam++"])
@pytest.mark.parametrize("pooled", [False, True])
def test_every_method_of_a_layer_reads_tokens_as_the_same_values_on_a_map(
    method: str, *, pooled: bool
) -> None:
    """The network below turns its patches to a map and back before the last attention."""
    network = vit(registers=2, pooled=pooled)
    tokens = opened(network, method, layer="blocks.2.norm1").explain(INPUTS).maps[method]
    norm = network.blocks[2].norm1
    network.blocks[2].norm1 = turned = Turned(norm, before=3, grid=(5, 7)).eval()
    on_map = opened(network, method, layer="blocks.2.norm1.map").explain(INPUTS).maps[method]
    assert turned.norm is norm
    assert_close(torch.from_numpy(tokens), torch.from_numpy(on_map), 1e-4)
    assert abs(tokens).max() > 0


class Turned(nn.Module):
    def __init__(self, norm: nn.Module, before: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.norm, self.before, self.grid, self.map = norm, before, grid, nn.Identity()

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.norm(tokens)
        on_map = self.map(tokens[:, self.before :].mT.unflatten(2, self.grid))
        return torch.cat([tokens[:, : self.before], on_map.flatten(2).mT], dim=1)


def test_a_volume_has_tokens_in_rows_columns_and_slices() -> None:
    inputs = random_inputs(2, 1, 21, 13, 17)
    explainer = opened(vit((21, 13, 17)), "gradcam", "rollout", inputs=inputs)
    assert explainer.targets["last"].call.grid == (5, 3, 4)
    assert explainer.explain(inputs).maps["rollout"].shape == (2, 3, 5, 3, 4)


def test_a_layer_whose_patches_no_logit_reads_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"layer 'blocks\.2': no output depends on its tokens on the grid"):
        opened(vit(), "gradcam@blocks.2")


class Pruning(ViT):
    """Keeps the patches that the second block finds brightest, so that no grid is left."""

    def forward(self, inputs: Tensor) -> Tensor:
        patches = (self.features(inputs) + self.positions).flatten(2).transpose(1, 2)
        kept = patches.norm(dim=2).topk(20, dim=1).indices
        patches = patches.gather(1, kept[..., None].expand(-1, -1, patches.shape[2]))
        tokens = torch.cat([self.beside.expand(len(inputs), -1, -1), patches], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.class_layers(self.norm(tokens)[:, 0])


class Turning(ViT):
    """Numbers its patches column by column."""

    def forward(self, inputs: Tensor) -> Tensor:
        patches = (self.features(inputs) + self.positions).mT.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.beside.expand(len(inputs), -1, -1), patches], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.class_layers(self.norm(tokens)[:, 0])


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Pruning, r"where the cells of .* lie on the image is unknown after the operation topk"),
        (Turning, r"unknown after a step that orders tokens other than row by row; name a layer before it"),
    ],
)
def test_tokens_that_are_no_grid_of_rows_and_columns_are_refused(kind: type[ViT], complaint: str) -> None:
    torch.manual_seed(0)
    network = kind(GRID, style="fused", registers=0, pooled=False).eval()
    for layer in ("last", "blocks.0.norm1"):
        with pytest.raises(ConfigError, match=complaint):
            opened(network, "gradcam", layer=layer)


def test_windows_that_are_shifted_and_cells_that_are_merged_keep_their_places() -> None:
    """Odd sides, so that windows are padded."""
    inputs = random_inputs(2, 1, 64, 48)
    explainer = opened(swin(), "gradcam", "gradcam@stride4", inputs=inputs)
    last, fine = explainer.targets["last"], explainer.targets["stride4"]
    assert (last.call.module, last.call.cells) == ("norm", (Cells(3.5, 8, 8), Cells(3.5, 8, 6)))
    assert fine.call.cells == (Cells(1.5, 4, 16), Cells(1.5, 4, 12))
    assert last.head is not None


def test_the_map_of_a_swin_is_that_of_plain_autograd_in_double_precision() -> None:
    inputs, network = random_inputs(2, 1, 64, 48), swin()
    exact, kept = deepcopy(network).double(), []
    exact.norm.register_forward_hook(lambda _m, _i, output: kept.append(output))
    logits = exact(inputs.double().requires_grad_())
    gradients = [torch.autograd.grad(logits[:, k].sum(), kept[0], retain_graph=True)[0] for k in range(3)]
    maps = torch.einsum("kbrsc,bijc->bkij", torch.stack(gradients), kept[0]).detach()
    assert_close(
        torch.from_numpy(opened(network, "gradcam", inputs=inputs).explain(inputs).maps["gradcam"]), maps
    )


class NoNorm(nn.Identity):
    """Where the norm of a block is."""


class CornerReader(nn.Module):
    """A transformer whose class token reads one corner only, with the same weight for every patch there."""

    def __init__(self, corner: Tensor) -> None:
        """`corner` (rows, columns) of patches: true where it is read."""
        super().__init__()
        torch.manual_seed(0)
        self.patch, self.tokens, self.head = nn.Conv2d(1, 3, 2, 2), NoNorm(), nn.Linear(3, 2)
        for layer in (self.patch, self.head):
            layer.weight.data.abs_()
        seen = torch.cat([torch.tensor([True]), corner.flatten()])
        self.register_buffer("seen", seen.expand(len(seen), -1))

    def forward(self, inputs: Tensor) -> Tensor:
        patches = self.patch(inputs).flatten(2).mT
        tokens = self.tokens(torch.cat([torch.zeros_like(patches[:, :1]), patches], dim=1))[:, None]
        attended = functional.scaled_dot_product_attention(tokens, tokens, tokens, attn_mask=self.seen)
        return self.head((tokens + attended)[:, 0, 0])


@pytest.mark.parametrize("method", ["rollout", "chefer"])
@pytest.mark.parametrize("mirrored", [(), (0,), (1,)])
def test_a_transformer_that_reads_one_corner_lights_that_corner(
    method: str, mirrored: tuple[int, ...]
) -> None:
    corner = torch.zeros(6, 5, dtype=torch.bool)
    corner[:2, :2] = True
    corner = corner.flip(mirrored)
    inputs = 0.5 + random_inputs(2, 1, 12, 10).abs()
    maps = explained(CornerReader(corner).eval(), inputs, method)
    assert (maps[..., ~corner] == 0).all()
    assert (maps[..., corner] > 0).all()
