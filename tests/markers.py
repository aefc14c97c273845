"""Markers: unique words, put wherever a study could name somebody, and the search for them in outputs."""

from __future__ import annotations

import base64
import json
import re
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.datadict import DicomDictionary, dictionary_keyword
from pydicom.dataset import Dataset

FORMS = {
    "PN": "Zq{n}Fam^Zq{n}Giv^Zq{n}Mid=\u7530{n}\u592a\u90ce=\u3084{n}\u307e",
    "LO": "Zq{n}lo", "SH": "Zq{n}sh", "ST": "Zq{n}st",
    "LT": "Zq{n}lt", "UT": "Zq{n}ut", "UC": "Zq{n}uc", "CS": "ZQ{n}CS", "AE": "Zq{n}ae", "UR": "http://Zq{n}.example",
    "UI": "1.2.826.99.{n}.77", "DA": "19{n:06d}",
    "TM": "23{n:04d}.77{n}", "DT": "19{n:06d}", "AS": "ZQ{n}", "IS": "77{n}77",
}  # fmt: skip
"""Text of each value representation with a number in it that no other element has."""
NEEDED = {
    "SOPClassUID", "TransferSyntaxUID", "PhotometricInterpretation", "SpecificCharacterSet", "NumberOfFrames",
    "VOILUTFunction", "PresentationLUTShape", "RescaleType", "PixelAspectRatio", "PatientAge",
    "FileSetID", "SmallestImagePixelValue", "DirectoryRecordType",
}  # fmt: skip
"""Elements without whose true value there is no image. Ages are tested by themselves."""


class Markers:
    """Unique words, and all that were given out."""

    def __init__(self) -> None:
        self.count = 1000
        self.all: list[str] = []

    def new(self, representation: str) -> str:
        self.count += 1
        word = FORMS[representation].format(n=self.count)
        self.all += [part for part in re.split(r"[\^=\\]", word) if part]
        return word


def marked(path: Path, markers: Markers) -> None:
    """Puts a marker into every text element of the dictionary, at the top, in items and in private tags."""
    data = dcmread(path)
    data.SpecificCharacterSet = "ISO_IR 192"
    with disable_value_validation():
        for tag, (representation, *_) in DicomDictionary.items():
            keyword = dictionary_keyword(tag)
            group = tag >> 16
            if representation in FORMS and keyword not in NEEDED and group not in {0, 2, 4, 0x28, 0x7FE0}:
                data.add_new(tag, representation, markers.new(representation))
        inner, outer = Dataset(), Dataset()
        inner.PatientName, inner.CodeMeaning = markers.new("PN"), markers.new("LO")
        outer.OtherPatientIDsSequence, outer.InstitutionName = [inner], markers.new("LO")
        data.RequestAttributesSequence = [outer]
        for block in (
            data.private_block(0x11, "ZQ MAKER", create=True),
            inner.private_block(0x13, "ZQ", create=True),
        ):
            for number, representation in enumerate(("LO", "PN", "UT", "DA", "UI"), start=1):
                block.add_new(number, representation, markers.new(representation))
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.file_meta.SourceApplicationEntityTitle = markers.new("AE")
        data.save_as(path)


def contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and of all that is packed in it."""
    content = path.read_bytes()
    yield content
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                yield entry.filename.encode() + entry.comment + entry.extra + archive.read(entry)
    if path.suffix in {".jpg", ".png"}:
        picture = Image.open(BytesIO(content))
        yield repr((picture.info, picture.getexif())).encode()
    for packed in re.findall(rb'"([A-Za-z0-9+/]{24,}={0,2})"', content):
        inside = base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=False)
        yield inside
        try:
            yield zlib.decompress(inside)
        except zlib.error:
            continue


def leaks(folder: Path, words: Iterable[str], *, but: Collection[str] = ()) -> dict[str, list[str]]:
    """File → the words in it or in its name, in any encoding, and JSON's escapes undone.

    Files with the names `but` are left out. No word has fewer than START bytes.
    """
    forms = {
        form.lower(): word
        for word in words
        for form in (word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode())
    }
    starts = np.unique([_number(form[:START]) for form in forms])
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in but:
            whole = b"\n".join([str(path.relative_to(folder)).encode(), *contents(path)]).lower()
            there = _starts_in(whole, starts)
            met = {word for form, word in forms.items() if _number(form[:START]) in there and form in whole}
            if met:
                found[path.name] = sorted(met)
    return found


START = 4
"""Bytes by which most forms are ruled out at once; no form is shorter."""


def _starts_in(whole: bytes, starts: np.ndarray) -> set[int]:
    """Those of the starts that occur anywhere: all runs of START bytes are compared, read as numbers."""
    read = [
        np.frombuffer(whole[shift:], "<u4", count=(len(whole) - shift) // START) for shift in range(START)
    ]
    return set(np.intersect1d(starts, np.concatenate(read)).tolist())


def _number(start: bytes) -> int:
    return int.from_bytes(start, "little")
