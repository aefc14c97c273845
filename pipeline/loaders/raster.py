"""Raster: PNG, JPEG and TIFF pictures → image sources and displayed images, read by Pillow.

Their values are what a screen shows, without unit. Resolutions (pHYs, JFIF, XResolution) are those of prints
and not of the patient, so they are no spacing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.TiffImagePlugin import TiffImageFile

from pipeline.errors import CaseError
from pipeline.guards.png_files import AS_STORED, is_intact
from pipeline.guards.reading import guarded
from pipeline.loaders.codestream import Codestream
from pipeline.loaders.deep_jpeg import HEAD_BYTES, deep_orientation, deep_samples, deep_stream
from pipeline.loaders.display import Decoded, brightness_display, stored_display
from pipeline.loaders.elements import Warn
from pipeline.loaders.exif import TRANSPOSED, exif_of_png, orientation_of, tags_of
from pipeline.loaders.greyscale import Greyscale, Rescale, View, Window, presentation_values
from pipeline.loaders.image_files import ImageFile
from pipeline.loaders.luminance import luminance
from pipeline.loaders.pixels import LARGEST_FRAME
from pipeline.loaders.plausibility import warn_of_masks, warn_of_range
from pipeline.loaders.samples import grey_if_equal, samples_of
from pipeline.records import Caution, ImageSource

TURNED: Final = "orientation_applied"
"""Reason of a caution: the file says that its picture is to be turned."""
BITS_PER_SAMPLE: Final = 258
PHOTOMETRIC: Final = 262
WHITE_IS_ZERO: Final = 0
SAMPLE_FORMAT: Final = 339
UNSIGNED: Final = frozenset({1, 4})
"""Whole numbers from 0 on, and those of which the file does not say what they are."""
PLANAR: Final = 284
IN_PLANES: Final = 2
BYTE_BITS: Final = 8
WIDE: Final = ("I;16", "I;16B")
READ_MODES: Final = frozenset({"L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", *WIDE})
LABELS: Final = {"P": "PALETTE COLOR", "PA": "PALETTE COLOR", "RGB": "RGB", "RGBA": "RGB", "RGBX": "RGB"}
"""Pillow's mode → Photometric Interpretation; other modes are grey."""
UNREAD: Final = {
    "1": (
        "not_an_image",
        "the picture has one bit per pixel, as masks and scanned text have; give one with 8",
    ),
    "CMYK": (
        "unsupported_photometric",
        "the picture has the colours of a print (CMYK); export it as RGB or grey",
    ),
    "F": ("float_pixels", "the pixels are floating point numbers; export the image with 8 or 16 bits"),
    "I": (
        "unsupported_depth",
        "the pixels are signed, or have 32 bits; export the image with 8 or 16 unsigned bits",
    ),
}
"""Pillow's mode → reason and message."""


def read_picture(opened: ImageFile, kind: str) -> tuple[ImageSource, ...]:
    """The image of a picture file; `kind` is the name of its format in Pillow.

    Raises CaseError: "decode_failed", "several_pictures", "too_large", "not_an_image", "float_pixels",
    "unsupported_photometric", "unsupported_depth".
    """
    if kind == "JPEG" and (stream := deep_stream(opened.file)):
        return (_deep_source(opened, stream),)
    with _picture(opened.file, kind) as picture:
        inverted = _is_white_zero(picture)
        found = {
            "photometric": LABELS.get(picture.mode, "MONOCHROME1" if inverted else "MONOCHROME2"),
            "bits_stored": str(_bits(picture)),
            "file_format": kind,
        }
        turn = _orientation(picture, opened.file)
        swapped = turn >= TRANSPOSED and kind != "TIFF"  # Pillow gives the size of a turned TIFF
        shape = (picture.width, picture.height) if swapped else (picture.height, picture.width)
        return (opened.source(shape=shape, attributes=found),)


def _deep_source(opened: ImageFile, stream: Codestream) -> ImageSource:
    """The image of a JPEG file that Pillow cannot read."""
    opened.file.seek(0)
    rows, columns, samples = stream.extent
    found = {
        "photometric": "MONOCHROME2" if samples == 1 else "RGB",
        "bits_stored": str(stream.bits),
        "file_format": "JPEG",
    }
    swapped = deep_orientation(opened.file.read(HEAD_BYTES)) >= TRANSPOSED
    return opened.source(shape=(columns, rows) if swapped else (rows, columns), attributes=found)


def decode_picture(data: bytes, _source: ImageSource, *, window: View, warn: Warn, kind: str) -> Decoded:
    """The displayed picture. Raises CaseError as `read_picture` does."""
    model, inverted = "RGB", False
    if kind == "JPEG" and (stream := deep_stream(BytesIO(data))):
        turn = deep_orientation(data)
        stored, model, bits = deep_samples(data, stream, warn=warn)
        stored = grey_if_equal(stored)
    else:
        with _picture(BytesIO(data), kind) as picture:
            if kind == "PNG" and not is_intact(data):
                raise ValueError("a chunk is damaged or incomplete")
            turn, inverted = _orientation(picture, BytesIO(data)), _is_white_zero(picture)
            stored, bits = samples_of(picture, data, bits=_bits(picture), warn=warn)
    if turn != AS_STORED:
        what = "turned or mirrored as the file says (EXIF or TIFF orientation), as photo viewers show it"
        warn(Caution(TURNED, f"the picture was {what}; a network fed by other programs may see it as stored"))
        stored = stored if kind == "TIFF" else _turned(stored, turn)  # Pillow turns TIFF files itself
    if stored.ndim == len(("row", "column", "sample")):
        pixels = luminance(stored, model, bits=bits)
        return Decoded(pixels, None, brightness_display(pixels, bits=bits))
    return _grey(stored, bits=bits, inverted=inverted, window=window, warn=warn)


def _grey(stored: NDArray[np.integer], *, bits: int, inverted: bool, window: View, warn: Warn) -> Decoded:
    voi = Window(*window) if isinstance(window, tuple) else None
    scale = Greyscale(bits, False, Rescale(), voi, inverted, None)
    warn_of_masks(stored, warn)
    pixels = presentation_values(stored, scale)
    warn_of_range(stored, pixels, scale, warn)
    return Decoded(pixels, None, stored_display(stored, scale) or brightness_display(pixels, bits=bits))


@contextmanager
def _picture(file: BinaryIO, kind: str) -> Iterator[Pillow.Image]:
    """The picture, not yet decoded; whatever is raised inside the block becomes "decode_failed"."""
    message = f"the file begins like {kind}, but cannot be decoded; export it again"
    file.seek(0)
    with guarded("decode_failed", message), Pillow.open(file, formats=[kind]) as picture:
        if picture.width * picture.height > LARGEST_FRAME:
            limit = f"{LARGEST_FRAME >> 20} Mi pixels"
            raise CaseError("too_large", f"the image has more than {limit}; export it at a smaller size")
        if getattr(picture, "n_frames", 1) > 1:
            raise CaseError(
                "several_pictures",
                "the file holds several pictures, of which it is unknown which one counts; save each one as "
                "a file of its own",
            )
        if picture.mode not in READ_MODES:
            other = ("unsupported_photometric", "the picture has unusual colours; export it as RGB or grey")
            raise CaseError(*UNREAD.get(picture.mode, other))
        if isinstance(picture, TiffImageFile):
            _refuse_unread(picture)
        yield picture


def _refuse_unread(picture: TiffImageFile) -> None:
    """Raise CaseError for a TIFF whose pixels would be decoded as other ones without an error."""
    tags = picture.tag_v2
    if not UNSIGNED.issuperset(tags.get(SAMPLE_FORMAT, ())):
        raise CaseError(*UNREAD["I"])
    if tags.get(PLANAR) == IN_PLANES and _bits(picture) > BYTE_BITS and picture.mode not in WIDE:
        raise CaseError(
            "unsupported_depth",
            "the colours lie in planes of more than 8 bits; export the image with 8 bits, or grey",
        )


def _orientation(picture: Pillow.Image, file: BinaryIO) -> int:
    """1 … 8 of the tag Orientation; 1 if it is absent or unreadable."""
    if isinstance(picture, TiffImageFile):
        tags = picture.tag_v2
        return orientation_of(lambda: tags)
    if picture.format == "PNG" and "exif" not in picture.info:
        behind = exif_of_png(file)  # Pillow would decode all pixels to search behind them
        return orientation_of(lambda: tags_of(behind))
    return orientation_of(picture.getexif)


def _turned(stored: NDArray[np.integer], orientation: int) -> NDArray[np.integer]:
    """The picture as it is to be shown, EXIF 2.3, 4.6.4, Orientation."""
    half = stored[::-1, ::-1]
    across = np.swapaxes(stored, 0, 1)
    return {
        2: stored[:, ::-1], 3: half, 4: stored[::-1], 5: across, 6: across[:, ::-1],
        7: np.swapaxes(half, 0, 1), 8: across[::-1],
    }[orientation]  # fmt: skip


def _bits(picture: Pillow.Image) -> int:
    """Bits per sample, of which depths below 8 are widened to 8 when they are decoded."""
    if isinstance(picture, TiffImageFile):
        stated = picture.tag_v2.get(BITS_PER_SAMPLE, (8,))
        return max(8, int(stated[0]))
    if picture.mode in WIDE:
        return 16
    return 16 if picture.format == "PNG" and _is_wide_png(picture) else 8


def _is_wide_png(picture: Pillow.Image) -> bool:
    """Whether a PNG has colours of 16 bits, of which Pillow keeps 8."""
    tiles = getattr(picture, "tile", None) or []
    return any(";16" in str(tile.args) for tile in tiles)


def _is_white_zero(picture: Pillow.Image) -> bool:
    """Whether the lowest value is white; Pillow inverts 8 bits itself."""
    if not isinstance(picture, TiffImageFile) or picture.mode not in WIDE:
        return False
    return bool(picture.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO)
