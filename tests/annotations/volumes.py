"""Files of 3D Slicer for tests, written byte by byte."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

HEADER = """NRRD0004
type: unsigned char
dimension: 3
space: left-posterior-superior
sizes: {columns} {rows} 1
space directions: (0.5,0,0) (0,0.5,0) (0,0,1)
kinds: domain domain domain
encoding: raw
space origin: (0,0,0)
"""


def write_segments(path: Path, segments: Mapping[str, np.ndarray], *, entries: str = "") -> None:
    """A .seg.nrrd file of masks that do not overlap, with the values 1, 2, … in one layer."""
    values = sum(mask.astype(np.uint8) * value for value, mask in enumerate(segments.values(), 1))
    rows, columns = np.shape(values)
    text = HEADER.format(rows=rows, columns=columns) + entries
    for number, name in enumerate(segments):
        text += f"Segment{number}_ID:=Segment_{number}\nSegment{number}_Name:={name}\n"
        text += f"Segment{number}_LabelValue:={number + 1}\nSegment{number}_Layer:=0\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() + b"\n" + np.asarray(values, np.uint8).tobytes())
