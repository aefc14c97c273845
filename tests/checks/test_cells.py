"""Cells check: places that are off by more than half a cell are found, and only those."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.checks.cells import _pull, cells_lie_where_computed
from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError
from pipeline.records import Cells
from tests.attribution.transformers import swin, vit
from tests.checks.models import RECIPES, honest, loaded, shifted, with_cells


def found(sentence: str) -> float:
    return float(sentence.removeprefix("bright patches change the cells within ").partition(" ")[0])


@pytest.mark.parametrize("name", RECIPES)
def test_right_places_are_confirmed_with_the_distance_measured(name: str) -> None:
    assert found(cells_lie_where_computed(honest(name))) <= 0.5


def test_places_beside_the_right_ones_are_found() -> None:
    with pytest.raises(
        CheckError, match=r"cells of layer '.*' were computed to lie .* cells from where a bright"
    ):
        cells_lie_where_computed(with_cells(honest(), shifted))


class RoundsDown(nn.Module):
    """Brightness by cells of 8 pixels, of which only whole ones are read: at 31 pixels, 3 cells of 24."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.linear = nn.AvgPool2d(8), nn.Linear(1, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.pool(inputs).mean(dim=(2, 3)))
        return logits


@pytest.fixture
def rounding_down() -> LoadedModel:
    torch.manual_seed(0)
    return loaded(RoundsDown().eval(), torch.rand(2, 1, 31, 31), lambda _: None, layers=("last",))


def test_a_grid_that_ends_before_the_image_is_confirmed(rounding_down: LoadedModel) -> None:
    assert rounding_down.read(rounding_down.example).cells("last") == (Cells(3.5, 8, 3), Cells(3.5, 8, 3))
    assert found(cells_lie_where_computed(rounding_down)) <= 0.5


@pytest.mark.parametrize("cells", [Cells(7.6, 8, 3), Cells(3.5 + 16, -8, 3), Cells(0, 15, 3)])
def test_a_grid_that_is_moved_mirrored_or_stretched_is_found(
    rounding_down: LoadedModel, cells: Cells
) -> None:
    with pytest.raises(CheckError, match="layer 'last'"):
        cells_lie_where_computed(with_cells(rounding_down, lambda _: cells))


@pytest.mark.parametrize("seed", range(3))
def test_few_taps_far_apart_are_no_error(seed: int) -> None:
    torch.manual_seed(seed)
    layers = [nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU()]
    for dilation in (6, 12):
        layers += [nn.Conv2d(8, 8, 3, 1, dilation, dilation=dilation), nn.ReLU()]
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)).eval()
    model = loaded(network, torch.rand(2, 1, 128, 160), lambda _: None, layers=("last",))
    assert found(cells_lie_where_computed(model)) < 3


def test_a_layer_that_no_patch_changes_is_named() -> None:
    class Deaf:
        def __init__(self, reading: Any) -> None:
            self.cells = reading.cells
            self.activations = lambda layer: torch.ones_like(reading.activations(layer))

    model = honest()
    deaf = replace(model, read=lambda inputs: Deaf(model.read(inputs)), layers={"last": ("", 1)})
    assert cells_lie_where_computed(deaf).startswith("no patch changes layer last, so")


@pytest.mark.parametrize(
    ("place", "width", "size", "pull"),
    [
        (0.0, (2 / 3) ** 0.5, 3, 1.0),  # every cell changes alike: the centre is that of the grid
        (1.0, 0.5, 3, 0.0),
        (3.7, 0.0, 9, 0.0),
        (2.6, 0.0, 3, -0.6),  # beyond the last cell, which alone changes
    ],
)
def test_edges_move_the_centre_of_a_wide_change_to_the_middle(
    place: float, width: float, size: int, pull: float
) -> None:
    assert _pull(place, width, size) == pytest.approx(pull, abs=0.06)


def smooth(*shape: int) -> Tensor:
    coarse = torch.rand(2, 1, 6, 8, generator=torch.Generator().manual_seed(0))
    return nn.functional.interpolate(coarse, shape, mode="bilinear")


def transformer(kind: str) -> LoadedModel:
    network, side = (
        (swin(), (96, 128)) if kind == "swin" else (vit((97, 129), pooled=kind == "pooled"), (97, 129))
    )
    return loaded(network, smooth(*side), lambda _: None, layers=("last", "stride4"))


@pytest.mark.parametrize("kind", ["class token", "pooled", "swin"])
def test_tokens_of_transformers_lie_where_their_patches_do(kind: str) -> None:
    assert found(cells_lie_where_computed(transformer(kind))) <= 0.5


@pytest.mark.parametrize("kind", ["class token", "pooled", "swin"])
def test_tokens_that_lie_beside_their_patches_are_found(kind: str) -> None:
    with pytest.raises(CheckError, match="were computed to lie"):
        cells_lie_where_computed(with_cells(transformer(kind), shifted))
    turned = with_cells(transformer(kind), lambda c: Cells(c.start + c.step * (c.size - 1), -c.step, c.size))
    with pytest.raises(CheckError, match="were computed to lie"):
        cells_lie_where_computed(turned)
