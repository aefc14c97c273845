"""Headers: well-formed files with impossible values."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from random import Random

from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    HTJ2K,
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.damage.sound import PLAIN, sound_files

SIZES = (0, 1, 2, 35, 37, 39, 41, 400, 4096, 32768, 65535)
SYNTAXES = [
    ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
    JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless,
    HTJ2K, MPEG2MPML, "1.2.840.10008.1.2.4.999", "1.2.3", "", "no uid", "1.2.840.10008.1.2.1\0\0\0",
]  # fmt: skip
NUMBERS = (
    "NaN",
    "inf",
    "-inf",
    "1e308",
    "-1e308",
    "0",
    "1e-320",
    "abc",
    "",
    "1\\2\\3",
    "--1",
    "1,5",
    "9" * 40,
)
CHARACTER_SETS = (
    "ISO_IR 999", "ISO 2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 87", "GB18030", "ISO_IR 192", "latin", "\\",
    "ISO_IR 100\\ISO_IR 192\\GBK", "ISO 2022 IR 149\\\\ISO 2022 IR 58",
)  # fmt: skip


def sizes_that_do_not_fit(random: Random, path: Path) -> None:
    """Rows and Columns that do not match the pixel data."""
    data = read(random.choice([PLAIN, "colour", "palette", "frames", "rle", "jpeg", "jpeg_ls", "jpeg_2000"]))
    for keyword in random.choice((["Rows"], ["Columns"], ["Rows", "Columns"])):
        setattr(data, keyword, random.choice([size for size in SIZES if size]))
    write(data, path)


def sizes_of_zero(random: Random, path: Path) -> None:
    data = read(random.choice([PLAIN, "colour", "rle", "jpeg_2000"]))
    for keyword in random.choice((["Rows"], ["Columns"], ["Rows", "Columns"], ["SamplesPerPixel"])):
        setattr(data, keyword, 0)
    if random.random() < 0.3 and not data.file_meta.TransferSyntaxUID.is_encapsulated:
        data.PixelData = b""
    write(data, path)


def bits_that_do_not_fit(random: Random, path: Path) -> None:
    """BitsStored greater than BitsAllocated, and similar."""
    data = read(random.choice([PLAIN, "signed", "colour", "rle", "jpeg_2000", "jpeg_ls"]))
    data.BitsStored = random.choice((0, 1, 13, 16, 17, 32, 33, 255, 65535))
    if random.random() < 0.5:
        data.BitsAllocated = random.choice((0, 1, 7, 8, 12, 16, 24, 32, 64, 65535))
    if random.random() < 0.5:
        data.HighBit = random.choice((0, 7, 15, 16, 31, 65535))
    if random.random() < 0.3:
        data.PixelRepresentation = random.choice((1, 2, 65535))
    write(data, path)


def numbers_of_frames(random: Random, path: Path) -> None:
    data = read(random.choice([PLAIN, "frames", "jpeg_2000_frames", "rle", "jpeg"]))
    _put(
        data,
        "NumberOfFrames",
        random.choice(("0", "-1", "2", "7", "65536", "2147483647", "9" * 12, "1e9", "x")),
    )
    write(data, path)


def rescale_that_is_no_number(random: Random, path: Path) -> None:
    """NaN and infinite slopes, intercepts, windows, spacings and padding."""
    data = read(random.choice([PLAIN, "signed", "implicit"]))
    keywords = ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "PixelSpacing")
    for keyword in random.sample(keywords, random.choice((1, 2, 4))):
        _put(data, keyword, random.choice(NUMBERS))
    if random.random() < 0.3:
        data.add_new("PixelPaddingValue", "US", random.choice((0, 4095, 65535)))
        data.add_new("PixelPaddingRangeLimit", "US", random.choice((0, 65535)))
    write(data, path)


def look_up_tables(random: Random, path: Path) -> None:
    data = read(random.choice([PLAIN, "palette"]))
    table = Dataset()
    table.add_new(
        "LUTDescriptor", "US", random.choice(([0, 0, 16], [9, 0, 8], [4096, 0, 99], [2, 65535, 1], [1]))
    )
    table.add_new("LUTData", "OW", random.choice((b"", b"\1", b"\0\1" * 9, b"\0\1" * 65536)))
    setattr(
        data, random.choice(("VOILUTSequence", "ModalityLUTSequence")), random.choice(([table], [Dataset()]))
    )
    for colour in ("Red", "Blue"):
        name = f"{colour}PaletteColorLookupTable"
        if random.random() < 0.5:
            data.add_new(
                f"{name}Descriptor", "US", random.choice(([0, 0, 16], [256, 9, 8], [3, 0, 16], [1, 1, 99]))
            )
        if random.random() < 0.5:
            data.add_new(f"{name}Data", "OW", random.choice((b"", b"\0\1" * 3, b"\0\1" * 300)))
    write(data, path)


def photometric(random: Random, path: Path) -> None:
    data = read(random.choice([PLAIN, "colour", "palette", "jpeg", "rle"]))
    words = ("MONOCHROME1", "RGB", "PALETTE COLOR", "YBR_FULL_422", "YBR_ICT", "HSV", "CMYK", "", "x" * 300)
    _put(data, "PhotometricInterpretation", random.choice(words))
    if random.random() < 0.5:
        data.SamplesPerPixel = random.choice((1, 2, 3, 4, 65535))
    if random.random() < 0.3:
        data.PlanarConfiguration = random.choice((1, 7))
    write(data, path)


def transfer_syntax(random: Random, path: Path) -> None:
    """A wrong or unknown transfer syntax with unchanged data."""
    content = sound_files()[random.choice(list(sound_files()))]
    at = content.find(b"\x02\x00\x10\x00UI")
    (length,) = struct.unpack_from("<H", content, at + 6)
    syntax = random.choice(SYNTAXES).encode()
    syntax += b"\0" * (len(syntax) % 2)
    changed = content[: at + 6] + struct.pack("<H", len(syntax)) + syntax + content[at + 8 + length :]
    (meta,) = struct.unpack_from("<I", changed, 140)
    path.write_bytes(changed[:140] + struct.pack("<I", meta + len(syntax) - length) + changed[144:])


def instance_uid(random: Random, path: Path) -> None:
    """Empty, repeated, and no UIDs."""
    data = read(random.choice([PLAIN, "frames", "jpeg"]))
    words = ("", "1.2.3", "1.2.3", "../../../etc/passwd", "9" * 300, "=1+1", "<script>", "\0", "1.2\\1.3")
    for keyword in random.choice((["SOPInstanceUID"], ["SOPInstanceUID", "StudyInstanceUID", "PatientID"])):
        _put(data, keyword, random.choice(words))
    write(data, path)


def character_set(random: Random, path: Path) -> None:
    """Unknown and contradicting character sets, and text in none of them."""
    content = sound_files()[random.choice((PLAIN, "frames", "signed"))]
    words = random.choice(CHARACTER_SETS).encode()
    words += b" " * (len(words) % 2)
    at = content.find(b"\x08\x00\x16\x00UI")
    content = content[:at] + b"\x08\x00\x05\x00CS" + struct.pack("<H", len(words)) + words + content[at:]
    name = bytes(random.randrange(1, 256) for _ in range(8))
    content = content.replace(b"Roe^Ann ", name)
    path.write_bytes(
        content.replace(b"SIEMENS ", random.choice((b"\x1b$B0l@\x1b(", b"\xff\xfe\x80\x81 \\^=")))
    )


def deep_sequences(random: Random, path: Path) -> None:
    """A thousand nested sequences, with and without lengths."""
    depth = random.choice((50, 1000, 1000, 3000))
    item = b""
    undefined = random.random() < 0.5
    for _ in range(depth):
        if undefined:
            ends = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
            item = (
                b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
                + item
                + ends[0]
                + ends[1]
            )
        else:
            inner = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(item)) + item
            item = b"\x08\x00\x15\x11SQ\0\0" + struct.pack("<I", len(inner)) + inner
    content = sound_files()[PLAIN]
    at = content.find(b"\x10\x00\x10\x00PN")
    path.write_bytes(content[:at] + item + content[at:])


def enhanced(random: Random, path: Path) -> None:
    """Functional groups that are empty, too few or of the wrong type."""
    data = read("frames")
    group = Dataset()
    inner = Dataset()
    _put(inner, random.choice(("RescaleSlope", "WindowWidth", "PixelSpacing")), random.choice(NUMBERS))
    setattr(group, random.choice(("PixelValueTransformationSequence", "FrameVOILUTSequence")), [inner])
    data.SharedFunctionalGroupsSequence = random.choice(([], [group], [group, Dataset()], [Dataset()]))
    data.PerFrameFunctionalGroupsSequence = random.choice(([], [group], [group] * 9))
    write(data, path)


def read(name: str) -> Dataset:
    """The data set of an intact file."""
    return dcmread(BytesIO(sound_files()[name]))


def write(dataset: Dataset, path: Path) -> None:
    """Write the data set without validation."""
    path.write_bytes(saved(dataset))


def saved(dataset: Dataset) -> bytes:
    """The bytes of its file, without validation."""
    buffer = BytesIO()
    with disable_value_validation():
        dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _put(dataset: Dataset, keyword: str, text: str) -> None:
    """Put invalid text into an element as raw bytes, which bypasses validation."""
    tag = Tag(keyword)
    value = text.encode() + b" " * (len(text) % 2)
    dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)


KINDS: Mapping[str, Callable[[Random, Path], None]] = {
    kind.__name__: kind
    for kind in (
        sizes_that_do_not_fit,
        sizes_of_zero,
        bits_that_do_not_fit,
        numbers_of_frames,
        rescale_that_is_no_number,
        look_up_tables,
        photometric,
        transfer_syntax,
        instance_uid,
        character_set,
        deep_sequences,
        enhanced,
    )
}
