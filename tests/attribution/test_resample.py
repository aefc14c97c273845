"""Grids brought to other grids, worked by hand."""

import torch

from pipeline.attribution.resample import resampled


def test_two_cells_as_four_by_hand() -> None:
    # The middles of two cells lie at 1/4 and 3/4, those of four at 1/8, 3/8, 5/8, 7/8.
    assert resampled(torch.tensor([[[0.0, 1.0]]]), [4]).tolist() == [[[0, 0.25, 0.75, 1]]]


def test_each_axis_by_itself() -> None:
    maps = torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]])
    assert resampled(maps, [2, 4])[0, 0].tolist() == [[0, 1, 3, 4], [8, 9, 11, 12]]


def test_a_volume_constant_along_an_axis_is_its_slice() -> None:
    slices = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    volume = slices[:, :, None].repeat(1, 1, 3, 1, 1)
    finer = resampled(volume, [6, 8, 15])
    assert finer.shape == (2, 3, 6, 8, 15)
    assert torch.allclose(finer[:, :, 4], resampled(slices, [8, 15]), atol=1e-6)


def test_a_map_on_its_own_grid_is_itself() -> None:
    maps = torch.rand(1, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    assert resampled(maps, [5, 5]) is maps
