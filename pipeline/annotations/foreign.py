"""Foreign: recognise annotation files of other programs, and say what would work instead."""

from __future__ import annotations

import re
from os import SEEK_END
from pathlib import Path
from typing import Any

from pipeline.errors import CaseError
from pipeline.guards.json_files import LARGEST_BYTES, read_json
from pipeline.guards.reading import ANY_SIZE, open_file

HEAD_BYTES = 4096
YOLO_LINE = re.compile(r"\d+(?:\s+[01]?\.\d+(?:e-\d+)?|\s+[01]){4,}")
"""A class number, then a centre and a size (or corners), as shares of the image."""
AS_BOXES = "write a CSV with one row per box: image, finding, x, y, width, height in pixels"
AS_MASKS = "or masks as PNG, one per image and finding"
STATE = "to read it, list it in annotations.sources with format:"
FOREIGN = {
    "coco": f"COCO JSON; {STATE} coco",
    "coco_results": f"a list of COCO results, which is not read; write COCO JSON with images, annotations "
    f"and categories, {AS_MASKS}",
    "via": f"VIA (VGG Image Annotator) JSON, which is not read; {AS_BOXES}, {AS_MASKS}",
    "labelme": f"LabelMe JSON, which is not read; {AS_BOXES}, {AS_MASKS} (labelme_export_json)",
    "voc": f"Pascal VOC XML, which is not read; {AS_BOXES} (x_min, y_min, x_max, y_max work, too)",
    "yolo": f"YOLO text, which is not read; {AS_BOXES}, the shares multiplied by the image's size",
    "spreadsheet": "a spreadsheet, which is not read; save its sheet as CSV in UTF-8",
    "archive": "an archive, which is not read; unpack it",
    "picture": "a picture that is not PNG; save masks as PNG, because lossy formats change their values",
    "dicom": "a DICOM file that is not a segmentation; only DICOM SEG is read as annotation",
    "contours": "a DICOM RT Structure Set, which is not read; export it as DICOM SEG",
    "header": "a header with its values in another file; save both as one NIfTI, NRRD or MetaImage file",
}
"""Kind of file → what it is, and what would work."""
SUFFIXES = {
    ".xlsx": "spreadsheet", ".xls": "spreadsheet", ".ods": "spreadsheet", ".zip": "archive",
    ".tar": "archive", ".gz": "archive", ".7z": "archive", ".jpg": "picture", ".jpeg": "picture",
    ".bmp": "picture",
    ".tif": "picture", ".tiff": "picture", ".gif": "picture", ".mhd": "header", ".nhdr": "header",
    ".hdr": "header",
}  # fmt: skip
RT_STRUCTURE_SET = b"1.2.840.10008.5.1.4.1.1.481.3"


def kind_of_file(file: Path) -> str:
    """A key of `FOREIGN`; empty if the file is none of these."""
    suffix = file.suffix.lower()
    try:
        with open_file(file, most_bytes=ANY_SIZE) as stream:
            head = stream.read(HEAD_BYTES)
            size = stream.seek(0, SEEK_END)
        if suffix == ".json":
            return _json_kind(file, size)
    except CaseError:
        return ""
    if head[128:132] == b"DICM":
        return "contours" if RT_STRUCTURE_SET in head else "dicom"
    if suffix == ".xml" and b"<annotation" in head and b"<object" in head:
        return "voc"
    if suffix == ".txt" and _is_yolo(head):
        return "yolo"
    return SUFFIXES.get(suffix, "")


def _is_yolo(head: bytes) -> bool:
    lines = head.decode("utf-8", "replace").splitlines()
    whole = lines[:-1] if len(head) == HEAD_BYTES else lines
    return bool(whole) and all(YOLO_LINE.fullmatch(line.strip()) for line in whole if line.strip())


def _json_kind(file: Path, size: int) -> str:
    if size > LARGEST_BYTES:  # not parsed to find out what it is
        return ""
    content = read_json(file, most_values=None)
    if isinstance(content, list):
        return "coco_results" if content and isinstance(content[0], dict) and "image_id" in content[0] else ""
    return _kind_of_object(content) if isinstance(content, dict) else ""


def _kind_of_object(content: dict[str, Any]) -> str:
    lists = {key for key, value in content.items() if isinstance(value, list)}
    if "annotations" in lists and lists & {"images", "categories"}:
        return "coco"
    if "_via_img_metadata" in content or "_via_settings" in content:
        return "via"
    if "shapes" in content and ("imagePath" in content or "imageData" in content):
        return "labelme"
    first = next(iter(content.values()), None)
    return "via" if isinstance(first, dict) and {"regions", "filename"} <= first.keys() else ""
