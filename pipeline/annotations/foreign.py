"""Foreign: recognise annotation files of other programs, and say what would work instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.annotations.dicom_kinds import kind_in
from pipeline.annotations.json_kinds import is_coco, json_format
from pipeline.annotations.tool_kinds import (
    first_bytes,
    is_cvat,
    is_labelme,
    is_supervisely,
    is_voc,
    is_yolo,
)
from pipeline.errors import CaseError
from pipeline.guards.json_files import read_json

AS_BOXES = "write a CSV with one row per box: image, finding, x, y, width, height in pixels"
AS_MASKS = "or masks as PNG, one per image and finding"
TITLES = {
    "coco": "COCO JSON",
    "rle_json": "run lengths in JSON",
    "chexlocalize": "polygons as in CheXlocalize",
    "labelme": "LabelMe JSON",
    "pascal_voc": "Pascal VOC XML",
    "yolo": "YOLO text",
    "cvat": "CVAT XML",
    "label_studio": "an export of Label Studio",
    "supervisely": "Supervisely JSON",
    "padchest_gr": "grounded reports of PadChest-GR",
    "via": "VIA (VGG Image Annotator) JSON",
    "dicom_seg": "a DICOM segmentation",
    "rtstruct": "a DICOM RT Structure Set",
    "dicom_sr": "a DICOM structured report",
    "gsps": "a DICOM presentation state",
}
"""Format that is read, unless the sources in the config leave it out → what its files are."""
FOREIGN = {
    **{
        name: f"{title}; to read it, list it in annotations.sources with format: {name}"
        for name, title in TITLES.items()
    },
    "coco_results": f"a list of COCO results, which is not read; write COCO JSON with images, annotations "
    f"and categories, {AS_MASKS}",
    "spreadsheet": "a spreadsheet, which is not read; save its sheet as CSV in UTF-8",
    "archive": "an archive, which is not read; unpack it",
    "jpg": "a JPEG picture, which is read as a mask only in a folder called like a finding or masks, without "
    "masks in another format; if it is a mask, list it in annotations.sources with format: jpg",
    "picture": "a picture that is neither PNG nor JPEG; save masks as PNG",
    "dicom": "a DICOM file of another kind than those that hold annotations; if it is a mask, or has "
    "overlays, list it in annotations.sources with format: dicom_mask or overlay",
    "header": "a header with its values in another file; save both as one NIfTI, NRRD or MetaImage file",
}
"""Kind of file → what it is, and what would work."""
SUFFIXES = {
    ".xlsx": "spreadsheet", ".xls": "spreadsheet", ".ods": "spreadsheet", ".zip": "archive",
    ".tar": "archive", ".gz": "archive", ".7z": "archive", ".jpg": "jpg", ".jpeg": "jpg",
    ".bmp": "picture",
    ".tif": "picture", ".tiff": "picture", ".gif": "picture", ".mhd": "header", ".nhdr": "header",
    ".hdr": "header",
}  # fmt: skip


def kind_of_file(file: Path) -> str:
    """A key of `FOREIGN`; empty if the file is none of these."""
    suffix = file.suffix.lower()
    head = first_bytes(file)
    if suffix == ".json":
        return _json_kind(file, head)
    if head[128:132] == b"DICM":
        return kind_in(head) or "dicom"
    if suffix == ".xml":
        return "pascal_voc" if is_voc(head) else "cvat" if is_cvat(head) else ""
    if suffix == ".txt" and is_yolo(head):
        return "yolo"
    return SUFFIXES.get(suffix, "")


def _json_kind(file: Path, head: bytes) -> str:
    known = "labelme" if is_labelme(head) else "supervisely" if is_supervisely(head) else json_format(file)
    if known:
        return known
    try:
        content = read_json(file, most_values=None)
    except CaseError:
        return ""
    if isinstance(content, list):
        return "coco_results" if content and isinstance(content[0], dict) and "image_id" in content[0] else ""
    return _kind_of_object(content) if isinstance(content, dict) else ""


def _kind_of_object(content: dict[str, Any]) -> str:
    return "coco" if is_coco(content) else ""
