"""Pixels: the image of a case, read from the script that its page loads."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from pipeline.guards.deflate import inflated
from pipeline.records import Display
from pipeline.run_files.damage import as_damage, damaged
from pipeline.run_files.objects import check_object
from pipeline.run_files.scripts import arguments
from pipeline.run_files.shapes import Number, Side

LARGEST_BYTES = 2**30
"""Of an inflated image."""
LEAST_LIMIT = 2**20
"""Bytes up to which a wrong number of them is said, not that they are too many."""
BYTE_BITS = 8


class PixelsEntry(TypedDict):
    """What pixels.js passes to the page."""

    rows: Side
    columns: Side
    bits: Literal[8, 16]
    low: Number
    high: Number
    slope: Number | None
    intercept: Number
    unit: str
    data: str


def read_pixels(path: Path) -> Display:
    """The image in a pixels.js with the window that is set at first. Raises ConfigError if it is damaged."""
    listed = json.loads(arguments(path))
    if len(listed) != 1 or not isinstance(listed[0], dict):
        raise damaged(path, "contains no image")
    content = listed[0]
    check_object(path, content, PixelsEntry)
    rows, columns, planes = content["rows"], content["columns"], content["bits"] // BYTE_BITS
    size = rows * columns * planes
    if size > LARGEST_BYTES:
        raise damaged(path, f"rows, columns: an image of more than {LARGEST_BYTES >> 20} MiB")
    try:
        deflated = base64.b64decode(content["data"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise damaged(path, "data: is not base64") from error
    with as_damage(path):
        data = inflated(deflated, most_bytes=max(size, LEAST_LIMIT), what="data")
    if len(data) != size:
        raise damaged(path, f"data: {len(data):,} bytes, wanted {size:,}")
    filtered = np.frombuffer(data, np.uint8).reshape(planes, rows, columns)
    return Display(
        values=_unfiltered(filtered),
        low=content["low"],
        high=content["high"],
        slope=content["slope"],
        intercept=content["intercept"],
        unit=content["unit"],
    )


def _unfiltered(planes: NDArray[np.uint8]) -> NDArray[np.uint8 | np.uint16]:
    """The values (rows, columns) of byte planes, high bytes first, each byte less the byte above it."""
    found: NDArray[np.uint8] = np.add.accumulate(planes, axis=1, dtype=np.uint8)
    if len(found) == 1:
        plane: NDArray[np.uint8] = found[0]
        return plane
    values: NDArray[np.uint16] = (found[0].astype(np.uint16) << BYTE_BITS) | found[1]
    return values
