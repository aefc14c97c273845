"""Grids: the size of a DenseNet's last feature map, and the smallest input that gives one."""

from __future__ import annotations

from pipeline.records import Shape

BLOCKS = 4
"""Dense blocks of a network whose card states no block_config."""


def last_grid(shape: Shape, *, blocks: int) -> Shape:
    """(rows, columns) of the last feature map for an input of `shape`; 0 where nothing is left.

    The first convolution and pool round halves up, the pool of each transition rounds them down.
    """
    rows, columns = (-(-side // 4) >> (blocks - 1) for side in shape)
    return rows, columns


def smallest_side(cells: int, *, blocks: int) -> int:
    """The smallest side of an input, in pixels, whose last feature map has `cells` cells along it."""
    return 4 * (cells << (blocks - 1)) - 3
