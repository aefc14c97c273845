"""Annotations: damaged masks, boxes, run lengths and segmentations, and their outcomes."""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
from PIL import Image
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.annotations import read_annotation
from pipeline.cohort.pseudonyms import Pseudonyms
from pipeline.errors import CaseError, ConfigError
from pipeline.executors.here import Here
from pipeline.ground_truth.matching import gather_truth
from tests.annotations.segmentations import source_image, write_segmentation
from tests.cohort.cases import case
from tests.damage.examine import UNHANDLED, Outcome, measured
from tests.damage.streams import deflate_bomb_of

SHAPE = (12, 10)
FINDING = "nodule"
REFERENCE = "reference"
IMAGE = case("a", uid="1.2.3.4")
SOURCE_REFUSED = "source_refused"
"""Outcome of a ConfigError: the whole source is unusable."""


def mask() -> np.ndarray:
    """A mask with two lesions."""
    values = np.zeros(SHAPE, np.uint8)
    values[2:6, 3:7], values[8:11, 1:3] = 1, 2
    return values


@cache
def sound_annotations() -> dict[str, bytes]:
    """File name → bytes, one or more files per format."""
    picture = BytesIO()
    Image.fromarray(mask()).save(picture, "PNG")
    runs = {"size": SHAPE, "counts": [33, 4, 8, 4, 71]}
    files = {
        "a.png": picture.getvalue(),
        "a.json": json.dumps({"a": {FINDING: [runs]}}).encode(),
        "boxes.csv": b"image,finding,reader,x,y,width,height\na,nodule,r1,1,2,3,4\na,nodule,r2,2,2,5,5\n",
        "labels.csv": b"image,nodule\na,1\nb,0\n",
    }
    with TemporaryDirectory() as folder:
        for name in ("a.nii", "a.nii.gz", "a.nrrd", "a.mha"):
            place = Path(folder) / name
            sitk.WriteImage(sitk.GetImageFromArray(mask()), str(place))
            files[name] = place.read_bytes()
        place = Path(folder) / "a.dcm"
        planes = np.stack([mask() == 1, mask() == 2], axis=-1)[None].astype(np.uint8)
        write_segmentation(place, planes, [source_image("1.2.3.4", SHAPE)], [FINDING, "cyst"])
        files["a.dcm"] = place.read_bytes()
        data = dcmread(place)
        data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        data.save_as(place, enforce_file_format=True)
        files["a.deflated.dcm"] = place.read_bytes()
    return files


def cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data))]


def flipped(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 4, 32))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def flipped_early(random: Random, data: bytes) -> bytes:
    """Flip bits at the start of the file, where sizes and types are."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 3, 9))):
        changed[random.randrange(min(len(changed), 400))] = random.choice(
            (0, 1, 127, 255, random.randrange(256))
        )
    return bytes(changed)


def doubled(random: Random, data: bytes) -> bytes:
    start, end = sorted((random.randrange(len(data)), random.randrange(len(data))))
    return data[:end] + data[start:]


def noise(random: Random, data: bytes) -> bytes:
    return random.choice(
        (b"", b"\0", random.randbytes(len(data)), data[:8] + random.randbytes(99), b"{" * 9000)
    )


def other_text(random: Random, data: bytes) -> bytes:
    """Replace text: words for numbers, other encodings, infinite and negative numbers, formulas, nesting."""
    words = (
        b"NaN",
        b"-1",
        b"1e999",
        b"99999999999999999999",
        b"",
        b"null",
        b"[]",
        b"{}",
        b"=1+1",
        b"\xff\xfe",
        b'"',
        b"\r",
        b"[" * 900,
    )
    parts = (b"33", b"12", b"[", b",1,", b"width", b"image", b"nodule", b":", b"3,4", b"\n")
    for part in random.sample(parts, random.choice((1, 3))):
        data = data.replace(part, random.choice(words), random.choice((1, 99)))
    return random.choice((data, data.decode("latin-1").encode("utf-16")))


def bomb(random: Random, data: bytes) -> bytes:
    """A file that declares, or inflates to, a far larger size."""
    side = random.choice((60000, 2**31 - 1))
    if data.startswith(b"\x89PNG"):
        head = struct.pack(">4sIIBBBBB", b"IHDR", side, side, 8, 0, 0, 0, 0)
        zeros = random.choice(
            (data[33:], _png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**26))) + data[33:])
        )
        kept = (
            data[8:33]
            if random.random() < 0.5
            else struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
        )
        return data[:8] + kept + zeros
    if data.startswith(b"\x1f\x8b"):
        return gzip.compress(gzip.decompress(data) + bytes(2**26))
    if DeflatedExplicitVRLittleEndian.encode() in data[:400]:
        return deflate_bomb_of(data, random.choice((2**28, 2**32)))
    if data.startswith(b"{"):
        return json.dumps({"a": {FINDING: {"size": SHAPE, "counts": [0, side, side]}}}).encode()
    return data.replace(b"10 12", f"{side} {side}".encode()).replace(b"\x0a\0\x0c\0", b"\xff\x7f\xff\x7f")


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def surrogates(random: Random, data: bytes) -> bytes:
    """Lone surrogates, as JSON escapes and as invalid UTF-8."""
    half = random.choice((b"\\ud800", b"\\udcff\\ud800", b"\xed\xa0\x80"))
    word = random.choice((b'"a"', b"nodule", b"image", b"counts"))
    return data.replace(word, b'"' + half + b'"' if word == b'"a"' else half)


def giant(_: Random, data: bytes) -> bytes:
    """A valid file followed by zeros, as a sparse file."""
    return data


DAMAGE: Mapping[str, Callable[[Random, bytes], bytes]] = {
    damage.__name__: damage
    for damage in (cut, flipped, flipped_early, doubled, noise, other_text, bomb, surrogates, giant)
}
GIANT_BYTES = 200 << 30


def write_damaged_annotations(
    folder: Path, *, count: int, seed: int, first: int = 0
) -> Iterator[tuple[str, Path]]:
    """Kind and path of each file, cycling through all formats and kinds of damage; one folder per file."""
    kinds = [(name, damage) for damage in DAMAGE for name in sound_annotations()]
    for number, (name, damage) in enumerate(islice(cycle(kinds), first % len(kinds), None), start=first):
        if number == first + count:
            return
        random = Random(f"{seed} {number} {name} {damage}")
        path = folder / f"{number:06}" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(DAMAGE[damage](random, sound_annotations()[name]))
        if damage == giant.__name__:
            os.truncate(path, GIANT_BYTES)
        yield f"{name.partition('.')[2]}: {damage}" if name[0] == "a" else f"{name}: {damage}", path


def examine_annotation(path: Path) -> Outcome:
    """The outcome of a study set whose annotations are this file's folder."""
    return measured(lambda: (_result(path.parent), ""))


def _result(folder: Path) -> str:
    """The outcome in the main process, where a run reads annotations without memory limits."""
    try:
        truth = gather_truth(
            folder,
            sources=(),
            labels=None,
            names={},
            findings=[FINDING],
            cases=[IMAGE],
            pseudonym=Pseudonyms(bytes(32)).of,
            executor=Here(),
        )
    except ConfigError:
        return SOURCE_REFUSED
    except MemoryError:
        return UNHANDLED
    unjoined, results = {why.reason for why in truth.skipped}, set()
    json.dumps([asdict(why) for why in truth.skipped], ensure_ascii=False).encode()
    for item in (*truth.items.get(IMAGE.case_id, ()), *(item for item, _ in truth.unjoined)):
        try:
            reference = read_annotation(item, case_id="case-1", finding=FINDING, shape=SHAPE)
        except CaseError as error:
            results.add(UNHANDLED if str(folder) in error.message else error.reason)
            continue
        assert all(m.shape == SHAPE and m.dtype == np.bool_ and m.any() for m in reference.masks)
        assert all(np.isfinite([b.x, b.y, b.width, b.height]).all() and b.width > 0 for b in reference.boxes)
        results.add(REFERENCE)
    reasons = results or unjoined  # a mask is read here also where its name belongs to no finding
    return min(sorted(reasons), key=lambda name: name == REFERENCE) if reasons else "nothing_found"
