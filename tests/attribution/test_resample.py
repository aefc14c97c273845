"""Resampling of grids, worked by hand."""

from collections.abc import Sequence

import pytest
import torch

from pipeline.attribution.resample import pixels, resampled
from pipeline.geometry import edge_to_edge
from pipeline.records import Cells


def over(side: int, grid: Sequence[int]) -> list[Cells]:
    """Cells that cover an input with all sides of `side` pixels."""
    return [edge_to_edge(side, size) for size in grid]


def test_two_cells_as_four_by_hand() -> None:
    # The middles of two cells lie at 1/4 and 3/4, those of four at 1/8, 3/8, 5/8, 7/8.
    maps = torch.tensor([[[0.0, 1.0]]])
    assert resampled(maps, over(8, [2]), over(8, [4])).tolist() == [[[0, 0.25, 0.75, 1]]]


def test_cells_that_are_off_the_middle_by_hand() -> None:
    # Cells at 1 and 5: the pixels 0 and 1 have the first value, 5 to 7 the second.
    found = resampled(torch.tensor([[[0.0, 4.0]]]), [Cells(1, 4, 2)], pixels([8]))
    assert found.tolist() == [[[0, 0, 1, 2, 3, 4, 4, 4]]]


def test_each_axis_by_itself() -> None:
    maps = torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]])
    found = resampled(maps, over(8, [2, 2]), over(8, [2, 4]))
    assert found[0, 0].tolist() == [[0, 1, 3, 4], [8, 9, 11, 12]]


@pytest.mark.parametrize("grid", [(3, 4), (7, 9), (40, 31)])
def test_from_edge_to_edge_it_is_the_interpolation_of_torch(grid: tuple[int, ...]) -> None:
    maps = torch.rand(2, 3, 7, 5, generator=torch.Generator().manual_seed(0))
    wanted = torch.nn.functional.interpolate(maps.double(), grid, mode="bilinear")
    found = resampled(maps, over(64, [7, 5]), over(64, grid))
    assert torch.allclose(found.double(), wanted, atol=1e-6)


def test_a_volume_constant_along_an_axis_is_its_slice() -> None:
    slices = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    volume = slices[:, :, None].repeat(1, 1, 3, 1, 1)
    finer = resampled(volume, over(60, [3, 4, 5]), over(60, [6, 8, 15]))
    assert finer.shape == (2, 3, 6, 8, 15)
    assert torch.allclose(finer[:, :, 4], resampled(slices, over(60, [4, 5]), over(60, [8, 15])), atol=1e-6)


def test_a_map_on_its_own_grid_is_itself() -> None:
    maps = torch.rand(1, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    assert resampled(maps, over(10, [5, 5]), over(10, [5, 5])) is maps
