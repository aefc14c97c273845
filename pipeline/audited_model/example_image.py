"""Example image: a DICOM, PNG or NumPy file → the network's input, by the card's own preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.classifiers import Preprocessing, prepare
from pipeline.errors import CaseError, ConfigError
from pipeline.geometry import whole
from pipeline.guards.npy_files import read_npy
from pipeline.guards.png_files import opened_png, refuse_turned
from pipeline.guards.reading import named
from pipeline.loaders import decode, read_header
from pipeline.records import Image, ModelInput

LARGEST_VALUES: Final = 2**25
"""Values of a PNG or .npy, which the main process reads: 4096 x 8192 grey pixels are some 200 MiB."""
KINDS: Final = "wanted DICOM, a grey PNG, or .npy (a grey image of 0 … 1, or the network's input)"
GREY_MODES: Final = frozenset({"1", "L", "I", "I;16", "I;16B"})
PLANE: Final = 2
"""Axes of a grey image; more are the network's input, whose preprocessing is done."""


def is_model_input(path: Path) -> bool:
    """Whether the file holds the network's input, so that the example does not cover preprocessing."""
    return path.suffix.lower() == ".npy" and _array(path).ndim > PLANE


def read_input(path: Path, preprocessing: Preprocessing) -> ModelInput:
    """The network's input for the file. Raises ConfigError if it is not an image that can be read."""
    if not path.is_file():
        raise ConfigError(
            f"example.image: {path} is not a file; put the image beside the card, or correct it"
        )
    suffix = path.suffix.lower()
    if suffix == ".npy" and _array(path).ndim > PLANE:
        return _model_input(path, preprocessing)
    try:
        if suffix == ".npy":
            return prepare(_image(_unit_range(_array(path), path)), preprocessing)
        if suffix == ".png":
            return prepare(_image(_png(path, preprocessing)), preprocessing)
        (source,) = read_header(path, root=path.parent)[:1]
        return prepare(decode(source, case_id="example", window=preprocessing.window), preprocessing)
    except CaseError as error:
        raise ConfigError(f"example.image: {path}: {error.message.rstrip('.')}; {KINDS}") from error


def _image(pixels: NDArray[np.float32]) -> Image:
    return Image(case_id="example", pixels=pixels, spacing_mm=None)


def _array(path: Path) -> NDArray[np.generic]:
    """The array in a .npy file, without pickles."""
    with named(f"example.image: {path}"):
        return read_npy(path)


def _unit_range(values: NDArray[Any], path: Path) -> NDArray[np.float32]:
    """Grey values as 0 … 1: whole numbers by the range of their type, others as they are."""
    if values.ndim != PLANE or values.dtype.kind not in "uf" or not values.size:
        shape = " x ".join(map(str, values.shape))
        raise ConfigError(f"example.image: {path}: is {shape} of {values.dtype}; {KINDS}")
    _refuse_large(values.size, path)
    if values.dtype.kind == "u":
        return (values / float(2 ** (8 * values.dtype.itemsize) - 1)).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= 1:
        raise ConfigError(f"example.image: {path}: has values {low:g} … {high:g}, wanted 0 … 1; scale them")
    return np.asarray(values, np.float32)


def _png(path: Path, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Grey values of a PNG as 0 … 1; it has no window, so its whole range is used."""
    if isinstance(preprocessing.window, tuple):
        raise ConfigError(
            f"example.image: {path}: a PNG has no unit for preprocessing.window, which is [centre, width]; "
            "give a DICOM file, or the network's input as .npy"
        )
    with opened_png(path, what="the picture", reason="example_unreadable") as raster:
        _refuse_large(raster.width * raster.height * len(raster.getbands()), path)
        raster.load()
        refuse_turned(raster, what="the picture", reason="example_unreadable")
        values, mode = np.array(raster), raster.mode
    if mode == "RGB" and (values == values[..., :1]).all():
        values, mode = values[..., 0], "L"
    if mode not in GREY_MODES:
        raise ConfigError(f"example.image: {path}: has colours or transparency; {KINDS}")
    largest = {"1": 1, "L": 255}.get(mode, 65535)
    return values.astype(np.float32) / np.float32(largest)


def _refuse_large(count: int, path: Path) -> None:
    if count > LARGEST_VALUES:
        raise ConfigError(
            f"example.image: {path}: has {count:,} values, wanted {LARGEST_VALUES:,} or fewer; give a "
            "smaller image, a DICOM file, or the network's input as .npy"
        )


def _model_input(path: Path, preprocessing: Preprocessing) -> ModelInput:
    values = _array(path)
    values = values[0] if values.ndim == PLANE + 2 and len(values) == 1 else values
    wanted = (preprocessing.channels, *preprocessing.shape)
    if values.shape != wanted or values.dtype.kind not in "uif" or not np.isfinite(values).all():
        found = " x ".join(map(str, values.shape))
        raise ConfigError(
            f"example.image: {path}: is {found} of {values.dtype}, wanted {' x '.join(map(str, wanted))} "
            "(channels x rows x columns) finite numbers; save the network's input"
        )
    return ModelInput("example", np.asarray(values, np.float32), whole(preprocessing.shape))
