"""Offsets: a table that is added to encapsulated pixel data gives the same frames as counting fragments."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended, get_frame
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from pipeline.loaders.offsets import add_offsets, pixel_bytes

FRAMES = [b"one ", b"second", b"the third!"]


def dataset(pixels: object, syntax: UID = RLELossless) -> Dataset:
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = syntax
    if pixels is not None:
        found.PixelData = pixels
    return found


def test_each_frame_is_found_by_the_table() -> None:
    data = dataset(encapsulate(FRAMES, has_bot=False))
    add_offsets(data, 3)
    offsets, lengths = data.ExtendedOffsetTable, data.ExtendedOffsetTableLengths
    assert np.frombuffer(offsets, "<u8").tolist() == [0, 8 + 4, 8 + 4 + 8 + 6]
    assert np.frombuffer(lengths, "<u8").tolist() == [4, 6, 10]
    found = [get_frame(data.PixelData, frame, extended_offsets=(offsets, lengths)) for frame in range(3)]
    assert found == FRAMES


@pytest.mark.parametrize(
    ("pixels", "frames"),
    [
        (encapsulate(FRAMES, has_bot=True), 3),
        (encapsulate(FRAMES, fragments_per_frame=2, has_bot=False), 3),
        (encapsulate(FRAMES, has_bot=False), 2),
        (encapsulate(FRAMES, has_bot=False)[:12], 3),
        (b"no items", 3),
        (b"", 1),
        (None, 1),
    ],
    ids=["a table", "fragments", "fewer frames", "cut", "no items", "empty", "none"],
)
def test_no_table_is_added_where_there_is_one_or_frames_are_not_single_fragments(
    pixels: object, frames: int
) -> None:
    data = dataset(pixels)
    add_offsets(data, frames)
    assert "ExtendedOffsetTable" not in data
    assert pixel_bytes(data) == (pixels or b"")


def test_a_table_of_the_file_is_kept() -> None:
    pixels, offsets, lengths = encapsulate_extended(FRAMES)
    data = dataset(pixels)
    data.ExtendedOffsetTable, data.ExtendedOffsetTableLengths = offsets, lengths[:8]
    add_offsets(data, 3)
    assert data.ExtendedOffsetTableLengths == lengths[:8]


def test_pixels_that_are_not_encapsulated_have_no_table() -> None:
    data = dataset(encapsulate(FRAMES, has_bot=False), ExplicitVRLittleEndian)
    add_offsets(data, 3)
    assert "ExtendedOffsetTable" not in data


def test_a_value_that_is_not_bytes_is_no_pixel_data() -> None:
    data = dataset(None)
    data.add_new(0x7FE00010, "SQ", [Dataset()])
    assert pixel_bytes(data) == b""
