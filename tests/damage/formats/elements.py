"""Elements: DICOM SEG and Parametric Map files, element by element, at any depth of their sequences."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.annotations.dicom_graphics import (
    Graphic,
    Region,
    picture,
    write_presentation_state,
    write_report,
)
from tests.annotations.dicom_masks import write_mask, write_overlay
from tests.annotations.segmentations import source_image, write_segmentation
from tests.annotations.structure_sets import Contour, write_structure_set
from tests.damage.blunt import BLUNT, named
from tests.damage.formats.arrays import values
from tests.damage.headers import saved
from tests.damage.streams import deflate_bomb_of
from tests.damage.torn import REPRESENTATIONS
from tests.external_maps.formats.parametric_maps import write_parametric_map

SHAPE = (6, 5)
UID = "1.2.3.4"
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
CONTENTS = (
    b"",
    b"\0\0",
    b"-1",
    b"1e999 ",
    b"NaN ",
    b"1\\2\\3 ",
    b"\xff" * 8,
    b"9" * 40,
    b"text",
    bytes(4),
    b"\0\0\xf8\x7f",
)
WRITTEN_TWICE = {0x00080016, 0x00080018}
"""Elements that pydicom reads when it writes a file."""
COUNTS = (0, -1, 2, 7, 65536, 2**31 - 1)
LONG = 2**16 - 2
"""Bytes from which an element of numbers can only be written as UN (PS3.5, 6.2.2)."""
COORDINATES = {"ContourData", "GraphicData"}
PIXELS = {
    "PixelData": (0x7FE00010, "OW"),
    "FloatPixelData": (0x7FE00008, "OF"),
    "DoubleFloatPixelData": (0x7FE00009, "OD"),
}
"""Keyword → tag and value representation."""


@cache
def sound_segmentation() -> bytes:
    """A SEG with two segments on one image."""
    planes = np.zeros((1, *SHAPE, 2), np.uint8)
    planes[0, 1:4, 1:4, 0] = planes[0, 4:6, 0:2, 1] = 1
    return _written(
        lambda path: write_segmentation(path, planes, [source_image(UID, SHAPE)], ["nodule", "cyst"])
    )


@cache
def sound_parametric_map() -> bytes:
    """Two maps of float32, of two frames of one image."""
    maps = np.stack([values(), values()[::-1]])
    return _written(lambda path: write_parametric_map(path, maps, image=UID, finding="nodule", frames=(1, 2)))


@cache
def sound_scaled_map() -> bytes:
    """A map of whole numbers with a slope."""
    stored = (values()[None] * 1000).astype(np.uint16)
    return _written(lambda path: write_parametric_map(path, stored, image=UID, finding="nodule", slope=0.5))


@cache
def sound_structure_set() -> bytes:
    """Three contours of two ROIs, and a point, in mm."""
    square = np.array([[0, 0, 0], [3, 0, 0], [3, 3, 0], [0, 3, 0]], float)
    rois = {
        "nodule": [Contour(square, UID), Contour(square / 2, UID), Contour(square)],
        "cyst": [Contour(square[:1], UID, "POINT")],
    }
    return _written(lambda path: write_structure_set(path, rois, frame_of_reference="1.2.3.5"))


@cache
def sound_report() -> bytes:
    """A polyline, an ellipse and a point of a measurement report, and a region in mm."""
    image = picture(UID, SHAPE)
    corners = [[1, 1], [4, 1], [4, 5], [1, 1]]
    flat = [[*corner, 0] for corner in corners]
    regions = [
        Region("nodule", "POLYLINE", corners, image),
        Region("nodule", "ELLIPSE", [[1, 3], [4, 3], [2, 2], [2, 4]], image),
        Region("cyst", "POINT", [[1, 1]], image),
        Region("cyst", "POLYGON", flat),
    ]
    return _written(lambda path: write_report(path, *regions, system="1.2.3.5"))


@cache
def sound_presentation_state() -> bytes:
    """A circle and a polyline of a presentation state, and an overlay of two parts."""
    layers = {
        "NODULE": [Graphic("CIRCLE", [[2, 2], [2, 3]])],
        "CYST": [Graphic("POLYLINE", [[1, 1], [4, 1], [4, 5], [1, 1]], filled=True)],
    }
    state = dcmread(
        BytesIO(_written(lambda path: write_presentation_state(path, layers, picture(UID, SHAPE))))
    )
    for element in dcmread(BytesIO(sound_overlay())).group_dataset(0x6000):
        state.add(element)
    state.add_new(0x60001001, "CS", "SPOT")
    return saved(state)


@cache
def sound_mask() -> bytes:
    """A mask saved as a DICOM image."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:4, 1:4] = 255
    return _written(lambda path: write_mask(path, mask))


@cache
def sound_overlay() -> bytes:
    """An image with an overlay of two parts."""
    plane = np.zeros((3, 5), np.uint8)
    plane[0, 0] = plane[1:, 3:] = 1
    return _written(lambda path: write_overlay(path, plane, SHAPE, origin=(3, 1)))


@cache
def deflated(data: bytes) -> bytes:
    """The file in the deflated transfer syntax."""
    dataset = dcmread(BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return saved(dataset)


def element(random: Random, data: bytes) -> bytes:
    """One element anywhere: removed, emptied, with other bytes, or of another type."""
    dataset = dcmread(BytesIO(data))
    for place, tag in random.sample(list(_elements(dataset)), random.choice((1, 1, 3))):
        _change(random, place, tag)
    return saved(dataset)


def functional_group(random: Random, data: bytes) -> bytes:
    """One element of the functional groups."""
    dataset = dcmread(BytesIO(data))
    groups = [
        (place, tag) for keyword in GROUPS for item in dataset[keyword] for place, tag in _elements(item)
    ]
    for place, tag in random.sample(groups, random.choice((1, 1, 2))):
        _change(random, place, tag)
    return saved(dataset)


def items(random: Random, data: bytes) -> bytes:
    """A sequence with no items, or with one of them repeated twice, or a thousand times."""
    dataset = dcmread(BytesIO(data))
    sequences = [(place, tag) for place, tag in _elements(dataset) if place[tag].VR == "SQ"]
    place, tag = random.choice(sequences)
    found = list(place[tag].value)
    item = found[0] if found else Dataset()
    several = [found[:0], [Dataset()], found + found, [*found, Dataset()], [item] * 1000, found[::-1]]
    place[tag].value = Sequence(random.choice(several))
    return saved(dataset)


def counts(random: Random, data: bytes) -> bytes:
    """Rows, columns, bits, samples and frames that do not fit the pixels."""
    dataset = dcmread(BytesIO(data))
    for keyword in random.choice(
        (["NumberOfFrames"], ["Rows", "Columns"], ["BitsAllocated"], ["SamplesPerPixel"])
    ):
        if keyword == "NumberOfFrames":
            _raw(dataset, BaseTag(0x00280008), "IS", str(random.choice(COUNTS)).encode())
        else:
            setattr(dataset, keyword, random.choice((0, 1, 5, 8, 16, 32, 64, 255, 30000, 65535)))
    return saved(dataset)


def pixels(random: Random, data: bytes) -> bytes:
    """Pixel data missing, of another size, under another tag, or twice."""
    dataset = dcmread(BytesIO(data))
    keyword = next(name for name in PIXELS if name in dataset)
    content = bytes(dataset[keyword].value)
    del dataset[keyword]
    sizes = (
        b"",
        content[:2],
        content[:-2],
        content + bytes(2),
        content * 2,
        bytes(2**22),
        b"\xff" * len(content),
    )
    for other in random.choice(([], [keyword], [keyword], [random.choice(list(PIXELS))], list(PIXELS))):
        tag, kind = PIXELS[other]
        _raw(dataset, BaseTag(tag), kind, random.choice(sizes))
    return saved(dataset)


def deflate_bomb(random: Random, data: bytes) -> bytes:
    """The deflated file with gigabytes of zeros in one element."""
    return deflate_bomb_of(deflated(data), random.choice((2**26, 2**28, 2**32)))


def _change(random: Random, place: Dataset, tag: BaseTag) -> None:
    way = random.choice(("removed", "emptied", "content", "content", "type"))
    if way == "removed":
        if tag in place:
            del place[tag]
        return
    kind = str(place[tag].VR) if tag in place else "LO"
    if way == "type" and tag not in WRITTEN_TWICE:
        kind = random.choice([name.decode() for name in REPRESENTATIONS if name.isalpha()])
    _raw(place, tag, kind, b"" if way == "emptied" else random.choice(CONTENTS))


def _raw(place: Dataset, tag: BaseTag, kind: str, content: bytes) -> None:
    """Put bytes that nothing checks into an element."""
    content += b" " * (len(content) % 2)
    place[tag] = RawDataElement(tag, kind, len(content), content, 0, False, True)


def _elements(dataset: Dataset) -> Iterator[tuple[Dataset, BaseTag]]:
    """Every element with the data set that holds it."""
    for tag in list(dataset.keys()):
        yield dataset, tag
        entry = dataset[tag]
        if entry.VR == "SQ":
            for item in entry.value:
                yield from _elements(item)


def _written(write: Callable[[Path], object]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.dcm"
        write(path)
        dataset = dcmread(path)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.7"  # not of the path
        for keyword in ("ContentDate", "ContentTime", "InstanceCreationDate", "InstanceCreationTime"):
            if keyword in dataset:
                setattr(dataset, keyword, "20200101" if keyword.endswith("Date") else "120000")
        return saved(dataset)


def length_field(random: Random, data: bytes) -> bytes:
    """A length somewhere after the header that is too large or undefined."""
    changed = bytearray(data)
    place = random.randrange(200, len(data) - 8)
    struct.pack_into("<I", changed, place, random.choice((0, 2**31, 2**32 - 1, 2**32 - 2, 2**16)))
    return bytes(changed)


def coordinates(random: Random, data: bytes) -> bytes:
    """Numbers of contours and graphics that are none, infinite, too many or too long."""
    dataset = dcmread(BytesIO(data))
    found = [(place, tag) for place, tag in _elements(dataset) if place[tag].keyword in COORDINATES]
    place, tag = random.choice(found)
    kind = str(place[tag].VR)
    long = [
        b"1\\2\\3\\" * 2**18,
        b"1e300\\" * 9,
        b"9" * 2**20,
        b"nan\\inf\\-inf",
        b"\\\\\\",
        b"1 2 3",
        bytes(3),
    ]
    binary = [b"\xff" * 24, b"\0\0\x80\x7f" * 6, bytes(2**20), bytes(6), b""]
    content = random.choice(long if kind == "DS" else binary)
    _raw(place, tag, kind if len(content) < LONG else "UN", content)
    return saved(dataset)


SEG = {**BLUNT, **named(element, functional_group, items, counts, pixels, deflate_bomb, length_field)}
PICTURE = {**BLUNT, **named(element, counts, pixels, deflate_bomb, length_field)}
GRAPHICS = {**BLUNT, **named(element, items, coordinates, deflate_bomb, length_field)}
