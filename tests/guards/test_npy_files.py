"""Arrays are read as numpy writes them; whatever else a file holds is refused with a reason."""

from __future__ import annotations

import struct
import tracemalloc
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from pipeline.errors import CaseError
from pipeline.guards.npy_files import LARGEST_BYTES, read_npy, read_npz

MAP = np.arange(6, dtype=np.float32).reshape(2, 3)


def npy(header: str, data: bytes = MAP.tobytes()) -> bytes:
    text = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def header(shape: str = "(2, 3)", descr: str = "'<f4'", by_columns: str = "False") -> bytes:
    return npy(f"{{'descr': {descr}, 'fortran_order': {by_columns}, 'shape': {shape}}}")


def reason(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(CaseError) as refused:
        (read_npz if path.suffix == ".npz" else read_npy)(path)
    return refused.value.reason


@pytest.mark.parametrize(
    "values", [MAP, np.asfortranarray(MAP), MAP.astype(">i2"), MAP.astype(complex), MAP[:0], np.float16(3)]
)
def test_what_numpy_writes_is_read(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values)
    np.savez_compressed(tmp_path / "a.npz", values)
    for found in (read_npy(tmp_path / "a.npy"), read_npz(tmp_path / "a.npz")[0]):
        np.testing.assert_array_equal(found, values)
        assert found.dtype == np.asarray(values).dtype


@pytest.mark.parametrize(
    "content",
    [
        b"",
        header("(2, True)"),
        header("(2, -3)"),
        header("(2, 3"),
        header("(" * 200),
        header("(2, 'a')"),
        header("2"),
        header("(2, 4)"),
        header("(999999999999, 999999999999)"),
        header("(" + "1, " * 70 + ")"),
        header(descr="'|O'"),
        header(descr="'<f99999999999'"),
        header(descr="[('a', '<f4'"),
        header(descr="1"),
        header(by_columns="2"),
        npy("{}"),
        b"\x93NUMPY\x03\x00" + header()[8:],
        b"\x93NUMPY\x09\x09" + header()[8:],
    ],
)
def test_headers_that_numpy_does_not_write_are_refused(tmp_path: Path, content: bytes) -> None:
    assert reason(tmp_path / "a.npy", content) == "not_an_array"


def test_no_more_is_unpacked_than_an_entry_declares(tmp_path: Path) -> None:
    size = 2**25
    with ZipFile(tmp_path / "a.npz", "w", ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(size))
    whole = (tmp_path / "a.npz").read_bytes()
    assert whole.count(struct.pack("<L", size)) == 2
    tracemalloc.start()
    try:
        lying = whole.replace(struct.pack("<L", size), struct.pack("<L", 99))
        assert reason(tmp_path / "a.npz", lying) == "not_an_array"
        assert tracemalloc.get_traced_memory()[1] < size / 8
    finally:
        tracemalloc.stop()


def packed() -> bytearray:
    file = BytesIO()
    np.savez(file, MAP)
    return bytearray(file.getvalue())


def test_every_byte_of_an_archive_may_change(tmp_path: Path) -> None:
    whole = packed()
    for place in range(len(whole)):
        for value in (0, 1, 99, 255):
            content = whole.copy()
            content[place] = value
            (tmp_path / "a.npz").write_bytes(content)
            try:
                found = read_npz(tmp_path / "a.npz")
            except CaseError:
                continue
            for array in found:  # none, if the archive's list of members is damaged
                np.testing.assert_array_equal(array, MAP)


def test_an_archive_that_unpacks_beyond_the_limit_is_not_unpacked(tmp_path: Path) -> None:
    content = packed()
    entry = content.index(b"PK\1\2")
    content[entry + 24 : entry + 28] = struct.pack("<I", LARGEST_BYTES + 1)
    assert reason(tmp_path / "a.npz", content) == "too_large"


def test_an_archive_with_a_compression_without_limits_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.npz", "w", ZIP_BZIP2) as archive:
        archive.writestr("a.npy", header())
    assert reason(tmp_path / "a.npz", (tmp_path / "a.npz").read_bytes()) == "not_an_array"
