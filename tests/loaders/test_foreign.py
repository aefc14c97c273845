"""Foreign: formats are known by their first bytes."""

from __future__ import annotations

import gzip
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image

from pipeline.errors import CaseError
from pipeline.loaders import format_of_file, read_header
from tests.loaders.files import load_file

BLANK = np.zeros((3, 4, 5), np.uint8)


def picture(kind: str) -> bytes:
    stream = BytesIO()
    Image.fromarray(BLANK[0]).save(stream, kind)
    return stream.getvalue()


def tar() -> bytes:
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "name"),
    [("PNG", "PNG"), ("JPEG", "JPEG"), ("BMP", "BMP"), ("TIFF", "TIFF"), ("GIF", "GIF"), ("WEBP", "WebP"),
     ("JPEG2000", "JPEG 2000"), ("PPM", "PGM")],
)  # fmt: skip
def test_pictures(kind: str, name: str, tmp_path: Path) -> None:
    assert named(tmp_path, picture(kind)) == name


@pytest.mark.parametrize(
    ("suffix", "name"),
    [("nii", "NIfTI"), ("nii.gz", "NIfTI"), ("nrrd", "NRRD"), ("mha", "MetaImage")],
)
def test_volumes(suffix: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / f"made.{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(BLANK), str(path))
    assert named(tmp_path, path.read_bytes()) == name


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PK\x03\x04" + bytes(99), "ZIP"), (tar(), "tar"), (gzip.compress(tar(), mtime=0), "tar"),
        (gzip.compress(b"anything", mtime=0), "gzip"), (b"\x1f\x8b broken", "gzip"),
        (b"image,x\n1,2\n", "text"), ("Größe".encode("latin-1"), "text"), (b"%PDF-1.7", "PDF"),
        (b"\0\1\2\3" * 99, None), (b"", None),
    ],
)  # fmt: skip
def test_archives_texts_and_what_is_unknown(content: bytes, name: str | None, tmp_path: Path) -> None:
    assert named(tmp_path, content) == name


READ = {"PNG", "JPEG", "TIFF", "NIfTI", "NRRD", "MetaImage", "ZIP", "tar"}
"""Formats of images and archives that are read, which other tests cover."""


def named(folder: Path, content: bytes) -> str | None:
    """The format, which is also in the reason for skipping the file, under a name that says otherwise."""
    path = folder / "image.dcm"
    path.write_bytes(content)
    found = format_of_file(path)
    if found and found.name in READ:
        assert not found.remedy
        return found.name
    with pytest.raises(CaseError) as refusal:
        read_header(path, root=folder)
    assert refusal.value.reason == "not_dicom"
    if found:
        assert found.remedy
        assert refusal.value.message == f"the file is {found.name}, which is not read as an image"
    return found and found.name


def test_dicom_with_a_preamble_of_another_format_is_dicom(write) -> None:
    """PS3.10, 7.1: the preamble may make the file readable as TIFF, too."""
    path = write(BLANK[0])
    path.write_bytes(b"II*\0" + path.read_bytes()[4:])
    assert format_of_file(path) is None
    assert load_file(path).shape == BLANK[0].shape


def test_a_file_that_cannot_be_read_has_no_format(tmp_path: Path) -> None:
    assert format_of_file(tmp_path / "absent") is None
