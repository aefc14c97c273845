"""Arrays: types of the arrays of a run, indexed (row, column)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Intensity: TypeAlias = NDArray[np.float32]
"""Real values on a grid, (rows, columns)."""


Mask: TypeAlias = NDArray[np.bool_]
"""True inside, (rows, columns)."""


Outline: TypeAlias = NDArray[np.float32]
"""A closed polygon, (points, 2) as (x, y) in image coordinates; the first point is not repeated."""


Shape: TypeAlias = tuple[int, int]
"""(rows, columns)."""


Values: TypeAlias = NDArray[np.float64]
"""Numbers in double precision, of any shape."""
