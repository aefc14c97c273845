"""Syntaxes: one film of 2,500 × 2,048 and 12 bits in each transfer syntax, by every decoder installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import compress
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from rich.table import Table
from scipy.ndimage import gaussian_filter

from pipeline.loaders.pixels import stored_values, values_by_step
from tests.study import write_image

SHAPE = (2500, 2048)
SYNTAXES = (
    ExplicitVRLittleEndian, RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, JPEG2000
)  # fmt: skip
STEPS = (2, 4, 8)
TRIALS = 3


def syntaxes(folder: Path) -> Table:
    """Milliseconds of a core, by syntax and decoder; the decoder in use is marked."""
    table = Table("transfer syntax", "decoder", "ms an image", "pixels", box=None, pad_edge=False)
    table.title = f"A film of {SHAPE[0]} × {SHAPE[1]} with 12 bits; * is the decoder that audits use"
    plain = write_film(folder)
    wanted = stored_values(dcmread(plain), 0)[0]
    for syntax in SYNTAXES:
        dataset = dcmread(written(plain, syntax))
        for decoder, milliseconds, values in _decoded(dataset, syntax):
            same = "the same" if np.array_equal(values, wanted) else "others (it loses some)"
            table.add_row(syntax.name, decoder, f"{milliseconds:.0f}", same)
        for step in STEPS if syntax in (JPEG2000Lossless, JPEG2000) else ():
            milliseconds = _best(lambda: values_by_step(dataset, 0, coarsest=step))  # noqa: B023
            table.add_row(syntax.name, f"pillow, 1/{step}", f"{milliseconds:.0f}", "decode.resolution: auto")
    return table


def write_film(folder: Path) -> Path:
    """A film as noisy as a radiograph, uncompressed."""
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.standard_normal(SHAPE), 40)
    grey = (smooth - smooth.min()) / np.ptp(smooth) * 3600 + random.normal(100, 12, SHAPE)
    path = write_image(folder, 1, np.zeros(SHAPE, np.uint8), BitsAllocated=16)
    dataset = dcmread(path)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.PixelData = np.clip(grey, 0, 4095).astype(np.uint16).tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path)
    return path


def written(plain: Path, syntax: UID) -> Path:
    """The film in a transfer syntax."""
    path = plain.with_name(f"{syntax}.dcm")
    if syntax == JPEGLosslessSV1:
        return _by_gdcm(plain, path)
    dataset = dcmread(plain)
    if syntax.is_encapsulated:
        options = {"j2k_cr": [10]} if syntax == JPEG2000 else {}
        encoder = {"encoding_plugin": "pylibjpeg"} if syntax == RLELossless else {}
        compress(dataset, syntax, generate_instance_uid=False, **options, **encoder)
    dataset.save_as(path)
    return path


def _by_gdcm(plain: Path, path: Path) -> Path:
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(plain))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return path


def _decoded(dataset: Dataset, syntax: UID) -> Iterator[tuple[str, float, NDArray[np.integer]]]:
    """(decoder, milliseconds of a core at best, stored values)."""
    names = get_decoder(syntax).available_plugins if syntax.is_encapsulated else ()
    for name in (None, *names):
        found: list[NDArray[np.integer]] = []
        best = _best(lambda: found.append(stored_values(dataset, 0, plugin=name)[0]))  # noqa: B023
        yield name or "*", best, found[0]


def _best(decode: Callable[[], object]) -> float:
    times = []
    for _ in range(TRIALS):
        start = time.process_time()
        decode()
        times.append(1000 * (time.process_time() - start))
    return min(times)
