"""Following: cells lie where a network of positive weights reads, measured by its gradient, and by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from monai.networks.nets import DenseNet121, SEResNet50
from torch import Tensor, nn
from torch.nn import functional

from pipeline.attribution.receptive_field.following import Following
from pipeline.attribution.receptive_field.layout import Lost, cells, token_cells
from pipeline.records import Cells


def followed(network: Callable[[Tensor], Tensor], inputs: Tensor) -> tuple[Cells, ...] | Lost | None:
    """Where the cells of the network's output (batch, channels, *grid) lie."""
    own = inputs.clone()
    with torch.no_grad(), Following(own) as following:
        output = network(own)
        layout = following.layout_of(output)
    return layout if isinstance(layout, Lost) else cells(layout, range(2, output.dim()))


def centres(network: Callable[[Tensor], Tensor], inputs: Tensor, *, axis: int, border: int) -> list[float]:
    """Centre of gravity along an axis of the gradient of each cell that is `border` cells from the edge.

    For a network that only adds with equal weights, it is the middle of the receptive field.
    """
    leaf = inputs.double().requires_grad_()
    output = network(leaf)
    grid = output.shape[2:]
    found = []
    for i in range(border, grid[axis] - border):
        index = [n // 2 for n in grid]
        index[axis] = i
        (gradient,) = torch.autograd.grad(output[(0, 0, *index)], leaf, retain_graph=True)
        others = [dim for dim in range(gradient.dim()) if dim != axis + 2]
        weight = gradient.sum(dim=others)
        found.append(float(weight @ torch.arange(len(weight)).double() / weight.sum()))
    return found


def adding(*layers: nn.Module) -> nn.Sequential:
    """The layers in double precision, with all weights 1."""
    network = nn.Sequential(*layers).double().eval()
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    return network


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "stride and padding": lambda: adding(nn.Conv2d(1, 2, 7, 2, 3), nn.Conv2d(2, 1, 3, 2, 1)),
    "no padding": lambda: adding(nn.Conv2d(1, 2, 5, 3), nn.Conv2d(2, 1, 2, 2)),
    "dilation": lambda: adding(nn.Conv2d(1, 1, 3, 2, dilation=3), nn.Conv2d(1, 1, 3, padding=2, dilation=2)),
    "pools that round down": lambda: adding(nn.Conv2d(1, 1, 7, 2, 3), nn.AvgPool2d(2), nn.AvgPool2d(2)),
    "another stride per axis": lambda: adding(nn.Conv2d(1, 1, (3, 5), (1, 4), (0, 2)), nn.AvgPool2d((3, 1))),
    "uneven padding": lambda: adding(nn.ZeroPad2d((3, 0, 1, 2)), nn.Conv2d(1, 1, 4, 2)),
    "transposed": lambda: adding(nn.Conv2d(1, 1, 4, 4), nn.ConvTranspose2d(1, 1, 4, 2, 1)),
    "odd transposed": lambda: adding(nn.Conv2d(1, 1, 3, 2, 1), nn.ConvTranspose2d(1, 1, 3, 1, 1)),
    "groups": lambda: adding(nn.Conv2d(1, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1, groups=4)),
    "ceil mode": lambda: adding(nn.AvgPool2d(3, 2, ceil_mode=True)),
    "enlarged": lambda: adding(nn.AvgPool2d(4), nn.Upsample(scale_factor=2, mode="bilinear")),
    "adaptive pool": lambda: adding(nn.AdaptiveAvgPool2d((6, 9))),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", [(72, 90), (79, 97)])
def test_cells_lie_in_the_middle_of_what_they_read(name: str, shape: tuple[int, int]) -> None:
    if name == "adaptive pool" and shape != (72, 90):
        pytest.skip("windows of an adaptive pool that does not divide the input are not all alike")
    network, inputs = NETWORKS[name](), torch.ones(1, 1, *shape).double()
    found = followed(network, inputs)
    assert isinstance(found, tuple)
    for axis, placed in enumerate(found):
        wanted = centres(network, inputs, axis=axis, border=2)
        places = [placed.start + placed.step * i for i in range(2, placed.size - 2)]
        # Cells of a transposed convolution read the one or the other neighbour, and lie between them.
        assert places == pytest.approx(wanted, abs=placed.step / 2 if name == "transposed" else 1e-9)
        assert len(wanted) >= 1


def test_a_volume_has_three_axes() -> None:
    network, inputs = (
        adding(nn.Conv3d(1, 1, 3, (1, 2, 2), 1), nn.AvgPool3d(2)),
        torch.ones(1, 1, 9, 20, 31).double(),
    )
    found = followed(network, inputs)
    assert isinstance(found, tuple)
    for axis, placed in enumerate(found):
        wanted = centres(network, inputs, axis=axis, border=1)
        assert [placed.start + placed.step * i for i in range(1, placed.size - 1)] == pytest.approx(wanted)


@pytest.mark.parametrize(("side", "size"), [(224, 7), (240, 7), (252, 7), (254, 8), (299, 9), (300, 9)])
def test_the_cells_of_densenet_121_by_hand(side: int, size: int) -> None:
    # Convolution 7 / 2 padded by 3: 0 + 2 i. Pool 3 / 2 padded by 1: 0 + 4 i. Each transition averages two
    # cells: 2 + 8 i, 6 + 16 i, 14 + 32 i.
    network = DenseNet121(2, 1, 2, init_features=8, growth_rate=4).eval()
    assert followed(network.features, torch.rand(1, 1, side, 64)) == (Cells(14, 32, size), Cells(14, 32, 2))


def test_gates_and_shortcuts_keep_the_place_of_a_residual_network() -> None:
    # Convolution 7 / 2 padded by 3, pool 3 / 2 from pixel 0 on (ceil mode), then 1 × 1 / 2: the first pixel.
    network = SEResNet50(spatial_dims=2, in_channels=1).eval()
    found = followed(nn.Sequential(*list(network.children())[:5]), torch.rand(1, 1, 96, 80))
    assert isinstance(found, tuple)
    assert {(axis.start, axis.step) for axis in found} == {(2.0, 32.0)}


class Tokens(nn.Module):
    """Patches of 8 pixels, a class token, attention; the patches' tokens as a grid."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patches = nn.Conv2d(1, 12, 8, 8)
        self.token = nn.Parameter(torch.rand(1, 1, 12))
        layer = nn.TransformerEncoderLayer(12, 2, 24, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, inputs: Tensor) -> Tensor:
        patches = self.patches(inputs)
        tokens = patches.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(tokens), -1, -1), tokens], dim=1)
        return self.encoder(tokens)[:, 1:].transpose(1, 2).reshape(patches.shape)


def test_a_grid_of_patch_tokens_lies_where_its_patches_do() -> None:
    assert followed(Tokens().eval(), torch.rand(2, 1, 40, 24)) == (Cells(3.5, 8, 5), Cells(3.5, 8, 3))


POINTWISE: dict[str, Callable[[Tensor], Any]] = {
    "gate": lambda x: x * x.mean(dim=(2, 3), keepdim=True).sigmoid(),
    "in place": lambda x: functional.relu_(x.clone()),
    "norms": lambda x: functional.instance_norm(functional.group_norm(x, 1)),
    "constant": lambda x: torch.where(x > 0.5, x, torch.zeros(())) + torch.arange(4),
    "crop": lambda x: x[:, :, 1:3, 2:],
    "every second": lambda x: x[:, :, 1::2],
    "mirrored": lambda x: x.flip(-1),
    "split": lambda x: torch.cat(torch.split(x, 1, dim=1)[::-1], dim=1),
    "halves": lambda x: x.chunk(2, dim=2)[1],
    "stacked": lambda x: torch.stack([x, x])[0],
    "there and back": lambda x: x.permute(0, 2, 3, 1).flatten(1, 2).unflatten(1, (4, 4)).permute(0, 3, 1, 2),
    "shuffled": lambda x: functional.pixel_unshuffle(functional.pixel_shuffle(x.repeat(1, 2, 1, 1), 2), 2),
}
FOUR = Cells(0, 1, 4)
PLACES = {
    "crop": (Cells(1, 1, 2), Cells(2, 1, 2)),
    "every second": (Cells(1, 2, 2), FOUR),
    "mirrored": (FOUR, Cells(3, -1, 4)),
    "halves": (Cells(2, 1, 2), FOUR),
}


@pytest.mark.parametrize("name", POINTWISE)
def test_everyday_operations_by_hand(name: str) -> None:
    inputs = torch.rand(1, 2, 4, 4)
    assert followed(POINTWISE[name], inputs) == PLACES.get(name, (FOUR, FOUR))


def in_patches(x: Tensor, side: int) -> Tensor:
    """(batch, rows, columns, features of a patch)."""
    batch, channels, height, width = x.shape
    cut = x.reshape(batch, channels, height // side, side, width // side, side)
    return cut.permute(0, 2, 4, 3, 5, 1).flatten(3)


def beside(x: Tensor) -> Tensor:
    """Columns moved by one into a tensor of zeros."""
    moved = torch.zeros_like(x)
    moved[..., 1:] = x[..., :-1]
    return moved


def spread(x: Tensor) -> Tensor:
    """Every cell copied to 2 × 2 cells."""
    whole = x.new_empty((*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3]))
    for row in (0, 1):
        for column in (0, 1):
            whole[..., row::2, column::2] = x
    return whole


def one_for(x: Tensor, side: int) -> Tensor:
    """A linear layer's weights with `side`² · 2 inputs."""
    return x.new_ones(3, 2 * side * side)


PATCHES_OF_4 = Cells(1.5, 4, 3)
MIXING: dict[str, tuple[Callable[[Tensor], Tensor], Cells]] = {
    "linear over patches": (
        lambda x: functional.linear(in_patches(x, 4), one_for(x, 4)).movedim(-1, 1), PATCHES_OF_4,
    ),
    "convolution over patches": (
        lambda x: functional.conv2d(in_patches(x, 4).movedim(-1, 1), torch.ones(1, 32, 3, 3), padding=1),
        PATCHES_OF_4,
    ),
    "patches as channels": (lambda x: in_patches(x, 4).movedim(-1, 1), PATCHES_OF_4),
    "pool by mean": (lambda x: x.reshape(1, 2, 3, 4, 3, 4).mean((3, 5)), PATCHES_OF_4),
    "pool by maximum": (lambda x: x.reshape(1, 2, 3, 4, 3, 4).amax((3, 5)), PATCHES_OF_4),
    "matrix product": (
        lambda x: (in_patches(x, 4).flatten(1, 2) @ torch.ones(32, 2)).transpose(1, 2).unflatten(2, (3, 3)),
        PATCHES_OF_4,
    ),
    "last pixel of each patch": (lambda x: x.reshape(1, 2, 3, 4, 3, 4)[:, :, :, 3, :, 3], Cells(3, 4, 3)),
    "unbound": (lambda x: x.reshape(1, 2, 3, 4, 3, 4).unbind(3)[3].unbind(4)[3], Cells(3, 4, 3)),
    "unfolded": (lambda x: x.unfold(2, 4, 4).unfold(3, 4, 4).amax((4, 5)), PATCHES_OF_4),
    "overlapping windows": (
        lambda x: functional.unfold(x, 3, stride=2, padding=1).unflatten(2, (6, 6)), Cells(0, 2, 6),
    ),
    "circular padding": (lambda x: functional.pad(x, (2, 2, 2, 2), mode="circular"), Cells(-2, 1, 16)),
    "copies side by side": (spread, Cells(-0.25, 0.5, 24)),
    "tokens through a convolution": (
        lambda x: functional.conv1d(x.flatten(2), torch.ones(1, 2, 1)).unflatten(2, (12, 12)),
        Cells(0, 1, 12),
    ),
}  # fmt: skip
"""What is done to a grid of 12 × 12 pixels; where the cells lie on both axes."""


@pytest.mark.parametrize("name", MIXING)
def test_positions_inside_a_patch_move_its_cell_to_their_middle(name: str) -> None:
    function, wanted = MIXING[name]
    assert followed(function, torch.rand(1, 2, 12, 12)) == (wanted, wanted)


def test_cells_move_with_what_is_written_beside_them() -> None:
    assert followed(beside, torch.rand(1, 2, 4, 4)) == (FOUR, Cells(-1, 1, 4))


@pytest.mark.parametrize(
    "mixes",
    [
        lambda x: x.reshape(1, 2, 2, 2, 2, 2).mean((2, 4)),
        lambda x: functional.linear(x.reshape(1, 2, 2, 2, 4).transpose(2, 4), torch.ones(2, 2))[:, 0],
    ],
    ids=["mean over far pixels", "linear over far pixels"],
)
def test_a_mixture_of_pixels_from_all_over_the_image_has_no_cells(mixes: Callable[[Tensor], Tensor]) -> None:
    assert followed(mixes, torch.rand(1, 2, 4, 4)) is None


@pytest.mark.parametrize(
    ("mode", "factor", "start", "step"),
    [
        ("bilinear", 0.3, 7 / 6, 10 / 3),  # 29 of 99 pixels: 96.7 pixels, not 99, are read
        ("bicubic", 0.125, 3.5, 8),
        ("nearest", 0.125, 0, 8),  # the first of 8 pixels
        ("nearest-exact", 0.125, 4, 8),
        ("nearest", 2, -0.25, 0.5),
    ],
)
def test_an_enlargement_by_a_factor_reads_as_far_as_the_factor_says(
    mode: str, factor: float, start: float, step: float
) -> None:
    found = followed(
        lambda x: functional.interpolate(x, scale_factor=factor, mode=mode), torch.rand(1, 1, 99, 99)
    )
    assert isinstance(found, tuple)
    assert [found[0].start, found[0].step] == pytest.approx([start, step])


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "hardswish": functional.hardswish,
    "prelu": lambda x: functional.prelu(x, torch.ones(2)),
    "logsigmoid": functional.logsigmoid,
    "rrelu": functional.rrelu,
    "glu": lambda x: functional.glu(x, dim=1),
    "channel shuffle": lambda x: functional.channel_shuffle(x, 2),
    "channels chosen": lambda x: x.index_select(1, torch.tensor([1, 0])),
    "zeros as channels": lambda x: torch.cat([x, torch.zeros_like(x)], dim=1),
    "padded in all dimensions": lambda x: functional.pad(x, (0, 0, 0, 0, 1, 1, 0, 0)),
    "class token cut off": lambda x: (
        torch.cat([x.new_zeros(1, 2, 1), x.flatten(2)], 2).split([1, 16], dim=2)[1].unflatten(2, (4, 4))
    ),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_orders_of_channels_keep_places(name: str) -> None:
    assert followed(ACTIVATIONS[name], torch.rand(1, 2, 4, 4)) == (FOUR, FOUR)


def test_uneven_parts_of_tokens_are_lost_without_an_error() -> None:
    tokens = followed(lambda x: x.flatten(2).split([3, 13], dim=2)[1][..., None], torch.rand(1, 2, 4, 4))
    assert isinstance(tokens, Lost)


def test_a_coarse_branch_enlarged_onto_a_fine_one_lies_where_the_fine_one_does() -> None:
    # Three strided convolutions: cells at 8 j. Enlarged by 8 they lie at -3.5 + i, within half a coarse cell.
    deep = adding(*[nn.Conv2d(1, 1, 3, 2, 1) for _ in range(3)])
    found = followed(
        lambda x: x + functional.interpolate(deep(x), scale_factor=8), torch.ones(1, 1, 32, 32).double()
    )
    assert found == (Cells(0, 1, 32), Cells(0, 1, 32))


def windows(x: Tensor, shift: int) -> Tensor:
    """Cells in windows of 2 x 2, moved on by `shift`, and back where they were."""
    moved = x.roll((-shift, -shift), dims=(2, 3))
    cut = moved.reshape(2, 3, 4, 2, 4, 2).permute(0, 2, 4, 3, 5, 1).reshape(-1, 4, 3)
    mixed = (cut @ cut.mT).softmax(dim=-1) @ cut
    back = mixed.reshape(2, 4, 4, 2, 2, 3).permute(0, 5, 1, 3, 2, 4).reshape(x.shape)
    return back.roll((shift, shift), dims=(2, 3))


@pytest.mark.parametrize("shift", [0, 1])
def test_cells_that_are_rolled_back_lie_where_they_did(shift: int) -> None:
    eight = Cells(0.0, 1.0, 8)
    assert followed(lambda x: windows(x, shift), torch.rand(2, 3, 8, 8)) == (eight, eight)


@pytest.mark.parametrize(
    "between",
    [
        lambda x: x[:, :, :, :7],
        lambda x: functional.avg_pool2d(x, 1, 2),
        lambda x: functional.pad(x, (1, 0)),
        lambda x: x.flip(3),
    ],
    ids=["cut", "strided", "padded", "mirrored"],
)
def test_what_happens_to_rolled_cells_loses_their_places(between: Callable[[Tensor], Tensor]) -> None:
    found = followed(lambda x: between(x.roll(1, dims=3)).roll(-1, dims=3), torch.rand(1, 2, 8, 8))
    assert found == Lost("roll")


def test_neighbours_merged_side_by_side_lie_in_their_middle() -> None:
    """In any order; the middle is the mean of all four, not that of the last and the mean of the others."""
    two = Cells(0.5, 2.0, 4)
    for order in itertools.permutations([(0, 0), (1, 0), (0, 1), (1, 1)]):
        joined = followed(
            lambda x, o=order: torch.cat([x[:, :, i::2, j::2] for i, j in o], dim=1), torch.rand(1, 2, 8, 8)
        )
        assert isinstance(joined, tuple)
        assert [(axis.start, axis.step, axis.size) for axis in joined] == [
            (pytest.approx(two.start), two.step, two.size)
        ] * 2


def tokens_of(network: Callable[[Tensor], Tensor]) -> tuple[Cells, ...] | Lost | None:
    """Where tokens (batch, tokens, channels) lie whose network gets three others and 16 of an image."""
    own = torch.rand(2, 3, 4, 4)
    with torch.no_grad(), Following(own) as following:
        tokens = torch.cat([own.new_zeros(2, 3, 3), own.flatten(2).mT], dim=1)
        layout = following.layout_of(network(tokens))
    return layout if isinstance(layout, Lost) else token_cells(layout, 2)


@pytest.mark.parametrize(
    "network",
    [
        lambda t: functional.linear(t, torch.rand(5, 3), torch.rand(5)),  # joins batch and tokens
        lambda t: t.reshape(38, 3).reshape(2, 19, 3),
        lambda t: functional.scaled_dot_product_attention(t, t, t),
        lambda t: t[:, 1:],
        lambda t: torch.cat([t, t.new_zeros(2, 1, 3)], dim=1),
    ],
    ids=["linear", "reshaped", "attention", "class token cut off", "one more at the end"],
)
def test_tokens_beside_the_grid_move_none_of_it(network: Callable[[Tensor], Tensor]) -> None:
    assert tokens_of(network) == (FOUR, FOUR)


@pytest.mark.parametrize(
    "network",
    [
        lambda t: t.reshape(1, 38, 3),  # two images as one
        lambda t: t.reshape(2, 57, 1),  # channels among tokens
        lambda t: t.mT,
        lambda t: t[:, ::2],
    ],
    ids=["images joined", "channels joined", "turned", "every second"],
)
def test_tokens_that_are_no_grid_have_no_cells(network: Callable[[Tensor], Tensor]) -> None:
    found = tokens_of(network)
    assert found is None or isinstance(found, Lost)


LOSING: dict[str, Callable[[Tensor], Tensor]] = {
    "roll": lambda x: x.roll(1, dims=3),
    "index_select": lambda x: x.index_select(3, torch.tensor([3, 0, 1, 2])),
    "sort": lambda x: x.sort(dim=3).values,
    "fft_r2c": lambda x: torch.fft.rfft(x).abs(),
    "add": lambda x: x[:, :, 1:] + x[:, :, :-1],
    "cat": lambda x: torch.cat([x, x], dim=3),
}


@pytest.mark.parametrize("name", LOSING)
def test_what_moves_or_mixes_places_loses_them_and_is_named(name: str) -> None:
    assert followed(LOSING[name], torch.rand(1, 2, 4, 4)) == Lost(name)


@pytest.mark.parametrize(
    "network",
    [
        lambda x: x.mean(dim=(2, 3), keepdim=True).expand(-1, -1, 4, 4),
        lambda x: x.permute(0, 3, 1, 2),
        lambda x: x.transpose(2, 3),
        lambda x: x.flatten(1)[:, :, None, None].expand(-1, -1, 2, 2),
    ],
    ids=["global", "rows as channels", "transposed", "flattened"],
)
def test_what_is_no_grid_over_the_input_has_no_cells(network: Callable[[Tensor], Tensor]) -> None:
    assert followed(network, torch.rand(1, 2, 4, 4)) is None
