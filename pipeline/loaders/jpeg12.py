"""12-bit JPEG extended, decoded by GDCM because pydicom's own plug-ins do not support it. PS3.5, 8.2.1."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import gdcm
from pydicom.pixels.decoders.base import DecodeRunner, JPEGExtended12BitDecoder
from pydicom.uid import UID, JPEGExtended12Bit

PLUGIN = "heatproof"
DECODER_DEPENDENCIES = {JPEGExtended12Bit: ("gdcm",)}
"""Transfer syntax → required packages; pydicom reads this name from a decoder plug-in."""


def register() -> None:
    """Register this decoder with pydicom."""
    if PLUGIN not in JPEGExtended12BitDecoder.available_plugins:
        JPEGExtended12BitDecoder.add_plugin(PLUGIN, (__name__, "decode_frame"))


def is_available(uid: UID) -> bool:
    """Whether this plug-in decodes the transfer syntax."""
    return uid == JPEGExtended12Bit


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """The samples of one greyscale frame as little-endian words. Raises ValueError for colour images."""
    if runner.samples_per_pixel != 1:
        raise ValueError("12-bit JPEG in colour is not supported")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(source)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = _image(runner)
    image.SetDataElement(element)
    with _silent_stderr():
        # GDCM returns the buffer as a str.
        return bytes(image.GetBuffer().encode("utf-8", "surrogateescape"))


def _image(runner: DecodeRunner) -> gdcm.Image:
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    interpretation = gdcm.PhotometricInterpretation.GetPIType(str(runner.photometric_interpretation))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(interpretation))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(runner.transfer_syntax))))
    bits = runner.bits_stored
    image.SetPixelFormat(
        gdcm.PixelFormat(1, runner.bits_allocated, bits, bits - 1, runner.pixel_representation)
    )
    return image


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discard stderr: GDCM first tries its 8-bit library, whose error output cannot be disabled."""
    sys.stderr.flush()
    saved, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(devnull)
