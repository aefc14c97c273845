"""8-bit JPEG, decoded by Pillow without any colour transform. PS3.5, 8.2.1.

pydicom's own plug-in leaves the transform to what libjpeg guesses from markers and component numbers, so it
is unknown which colour model its samples have.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image
from pydicom.pixels.decoders.base import (
    DecodeRunner,
    JPEGBaseline8BitDecoder,
    JPEGExtended12BitDecoder,
)
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit

from pipeline.loaders.codestream import without_colour_transform

PLUGIN: Final = "heatproof-8-bit"
DECODER_DEPENDENCIES = {JPEGBaseline8Bit: ("pillow",), JPEGExtended12Bit: ("pillow",)}
"""Transfer syntax → required packages; pydicom reads this name from a decoder plug-in."""


def register() -> None:
    """Register this decoder with pydicom."""
    for decoder in (JPEGBaseline8BitDecoder, JPEGExtended12BitDecoder):
        if PLUGIN not in decoder.available_plugins:
            decoder.add_plugin(PLUGIN, (__name__, "decode_frame"))


def is_available(uid: UID) -> bool:
    """Whether this plug-in decodes the transfer syntax."""
    return uid in DECODER_DEPENDENCIES


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """The components of one frame as bytes, by pixel; chroma is at the size of the image."""
    if runner.samples_per_pixel != 1:
        source = without_colour_transform(source)
    runner.set_option("planar_configuration", 0)
    with Image.open(BytesIO(source), formats=("JPEG",)) as image:
        return image.tobytes()
