"""Tools: read the shapes of files of annotation tools, for their tests."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.annotations import read_annotation
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, Reference

SHAPE = (6, 8)
"""Rows and columns of the image."""
SQUARE = [[1, 1], [4, 1], [4, 3], [1, 3]]
"""Columns 1 to 3 and rows 1 to 2, counted from the image's corner."""


def pixels(rows: slice, columns: slice) -> np.ndarray:
    """A mask of the image's size."""
    mask = np.zeros(SHAPE, bool)
    mask[rows, columns] = True
    return mask


def read(item: AnnotationItem, shape: tuple[int, int] = SHAPE) -> Reference:
    """The item's reference on an image of `shape`."""
    return read_annotation(item, case_id="c", finding="mass", shape=shape)


def refusal(item: AnnotationItem, shape: tuple[int, int] = SHAPE) -> str:
    """The reason why the item cannot be read."""
    with pytest.raises(CaseError) as refused:
        read(item, shape)
    return refused.value.reason
