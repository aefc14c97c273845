"""Streams: pixel data with a false size, and decompression bombs."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random

from openjpeg.utils import encode_array
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.damage.headers import read, saved, write
from tests.damage.sound import COLUMNS, ROWS, jpeg, pixels, sound_files

BOMB_BYTES = 2**32
BLOCK = 2**24
ITEM, DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def stream_of_another_size(random: Random, path: Path) -> None:
    """JPEG and JPEG 2000 streams whose dimensions differ from the header."""
    rows, columns = random.choice(
        ((ROWS, COLUMNS + 1), (COLUMNS, ROWS), (33, 33), (200, 300), (ROWS - 1, COLUMNS))
    )
    data = read("jpeg_2000")
    if random.random() < 0.5:
        data.PixelData = encapsulate([bytes(encode_array(pixels(rows, columns)))])
    else:
        data = read("jpeg")
        data.PixelData = encapsulate([jpeg(rows, columns)])
    write(data, path)


def jpeg_2000_bomb(random: Random, path: Path) -> None:
    """A few bytes that declare a huge image, or the maximum number of tiles or components."""
    data = read("jpeg_2000")
    stream = bytearray(_codestream(data))
    side = random.choice((60000, 8192, 2**31, 2**32 - 1))
    way = random.choice(("image", "header_too", "tiles", "components", "offset"))
    if way in {"image", "header_too"}:
        struct.pack_into(">II", stream, 8, side, side)
    if way == "header_too":
        data.Rows = data.Columns = min(side, 65535)
        if random.random() < 0.5:
            data.Rows = data.Columns = 8192
            struct.pack_into(">IIIIII", stream, 8, 8192, 8192, 0, 0, 8192, 8192)
    if way == "tiles":
        struct.pack_into(">II", stream, 24, 1, 1)
    if way == "components":
        struct.pack_into(">H", stream, 40, 16384)
    if way == "offset":
        struct.pack_into(">IIII", stream, 8, side, side, max(side - COLUMNS, 0), max(side - ROWS, 0))
    data.PixelData = encapsulate([bytes(stream)])
    write(data, path)


def deflate_bomb(random: Random, path: Path) -> None:
    """A deflated data set that inflates to gigabytes of one element, or of nested empty sequences."""
    path.write_bytes(deflate_bomb_of(sound_files()["deflated"], random.choice((2**24, 2**28, BOMB_BYTES))))


@cache
def deflate_bomb_of(content: bytes, size: int) -> bytes:
    """A deflated file with `size` zeros in an element before the patient's name."""
    (meta,) = struct.unpack_from("<I", content, 140)
    start = 144 + meta
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    inflated = zlib.decompress(content[start:], -zlib.MAX_WBITS)
    at = inflated.find(b"\x10\x00\x10\x00PN")
    head = b"\x08\x00\x99\x99OB\0\0" + struct.pack("<I", min(size, 2**32 - 2))
    packed = deflater.compress(inflated[:at] + head) + deflater.flush(zlib.Z_FULL_FLUSH)
    zeros = deflater.compress(bytes(BLOCK)) + deflater.flush(zlib.Z_FULL_FLUSH)
    end = deflater.compress(inflated[at:]) + deflater.flush()
    return content[:start] + packed + zeros * (size // BLOCK) + end


def run_length_bomb(random: Random, path: Path) -> None:
    """RLE segments longer than the frame, and headers with wrong offsets."""
    data = read("rle")
    count = random.choice((0, 1, 2, 15, 16, 2**31))
    offsets = [random.choice((64, 0, 65, 2**31, 2**32 - 1, 100)) for _ in range(15)]
    body = random.choice((b"\x81\0" * 20000, b"", b"\x7f", bytes(999)))
    data.PixelData = encapsulate([struct.pack("<16I", count, *offsets) + body])
    if random.random() < 0.3:
        data.Rows = data.Columns = random.choice((8192, 65535))
    write(data, path)


def size_bomb(random: Random, path: Path) -> None:
    """A header that declares more pixels than fit into memory, with hardly any pixel data."""
    data = read(random.choice(("explicit", "colour", "palette", "frames")))
    data.Rows = data.Columns = random.choice((8192, 65535))
    data.BitsAllocated = random.choice((8, 16, 32, 64))
    data.NumberOfFrames = random.choice((1, 2, 1000, 65536))
    write(data, path)


def encapsulation(random: Random, path: Path) -> None:
    """Offset tables, items and delimiters that are missing, truncated or point beyond the end."""
    data = read(random.choice(("jpeg_2000", "jpeg_2000_frames", "jpeg", "jpeg_ls", "rle")))
    stream = _codestream(data)
    cut = random.randrange(1, len(stream))
    item = ITEM + struct.pack("<I", len(stream)) + stream
    ways = (
        b"",
        ITEM + b"\0\0\0\0" + DELIMITER,
        ITEM + b"\0\0\0\0" + item,
        item + DELIMITER,
        ITEM + struct.pack("<II", 4, 2**31) + item + DELIMITER,
        ITEM + struct.pack("<I", 2**31) + item + DELIMITER,
        ITEM + struct.pack("<III", 8, 0, 9) + item + item + DELIMITER,
        ITEM
        + b"\0\0\0\0"
        + ITEM
        + struct.pack("<I", cut)
        + stream[:cut]
        + ITEM
        + b"\xff\xff\xff\xff"
        + stream[cut:],
        ITEM + b"\0\0\0\0" + (ITEM + b"\0\0\0\0") * 5000 + item + DELIMITER,
        ITEM + b"\0\0\0\0" + item[:cut] + DELIMITER,
        b"\xff" * 64,
        stream,
    )
    data.PixelData = random.choice(ways)
    data["PixelData"].is_undefined_length = True
    path.write_bytes(_unchecked(data))


def damaged_stream(random: Random, path: Path) -> None:
    """Flipped bits and truncation within a compressed frame, mostly in its marker segments."""
    name = random.choice(("jpeg_2000", "jpeg", "jpeg_ls", "rle", "SC_rgb_jpeg_gdcm.dcm", "JPGExtended.dcm"))
    content = bytearray(sound_files()[name])
    start = content.find(b"\xe0\x7f\x10\x00") + 12
    far = random.choice((120, 400, len(content) - start))
    for _ in range(random.choice((1, 3, 10))):
        content[min(start + random.randrange(far), len(content) - 1)] = random.choice(
            (0, 255, random.randrange(256))
        )
    path.write_bytes(content)


def _codestream(data: Dataset) -> bytes:
    """The bytes of the first frame, which follow the offset table."""
    value = bytes(data.PixelData)
    (table,) = struct.unpack_from("<I", value, 4)
    (length,) = struct.unpack_from("<I", value, 12 + table)
    return value[16 + table : 16 + table + length]


def _unchecked(data: Dataset) -> bytes:
    """The data set's bytes, with pixel data that pydicom refuses to write."""
    value, data.PixelData = bytes(data.PixelData), encapsulate([b"HERE" * 4])
    content = saved(data)
    at = content.find(b"\xe0\x7f\x10\x00") + 12
    return content[:at] + value


KINDS: Mapping[str, Callable[[Random, Path], None]] = {
    kind.__name__: kind
    for kind in (
        stream_of_another_size,
        jpeg_2000_bomb,
        deflate_bomb,
        run_length_bomb,
        size_bomb,
        encapsulation,
        damaged_stream,
    )
}
