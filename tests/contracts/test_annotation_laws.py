"""Laws of annotation formats: the same lesion, written in every format, is read back pixel for pixel.

The lesion is L-shaped and the image not square, so that a flip or a transposition is detected.
"""

from __future__ import annotations

import base64
import csv
import json
import pickle
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
from PIL import Image
from pycocotools import mask as coco

from pipeline.annotations import FORMATS, find_annotations, read_annotation
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, Box, ImagePlane, Point
from tests.annotations.dicom_graphics import Graphic, Region, picture, write_presentation_state, write_report
from tests.annotations.dicom_masks import write_mask, write_overlay
from tests.annotations.segmentations import source_image, write_segmentation
from tests.annotations.structure_sets import Contour, in_mm, write_structure_set

SHAPE = (4, 6)
LESION = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
    ],
    bool,
)
LESION_BOX = Box(x=0.5, y=0.5, width=3, height=3)
IMAGE = "1.2.826.0.1.3680043.8.498.7"
FINDING = "Mass"


def write_png(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    Image.fromarray(lesion.astype(np.uint8) * 255).save(folder / f"{IMAGE}.png")
    return {"finding": FINDING}


def write_jpg(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    Image.fromarray(lesion.astype(np.uint8) * 255).save(folder / f"{IMAGE}.jpg", quality=95)
    return {"finding": FINDING}


def write_dicom_mask(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    write_mask(folder / f"{IMAGE}.dcm", lesion.astype(np.uint8) * 255)
    return {"finding": FINDING}


def write_volume(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    sitk.WriteImage(sitk.GetImageFromArray(lesion[None].astype(np.uint8)), folder / f"{IMAGE}.nii.gz")
    return {"finding": FINDING}


def write_rle_json(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    coded = coco.encode(np.asfortranarray(lesion.astype(np.uint8)))
    entry = {"size": coded["size"], "counts": coded["counts"].decode()}
    (folder / "masks.json").write_text(json.dumps({IMAGE: {FINDING: entry}}))
    return {"file": "masks.json"}


def write_boxes(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    rows, columns = np.nonzero(lesion)
    row = [IMAGE, FINDING, columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    with (folder / "boxes.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["image", "finding", "x", "y", "width", "height"], row])
    return {"file": "boxes.csv"}


def write_dicom_seg(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    write_segmentation(folder / "any name", lesion[None, ..., None], [source_image(IMAGE, SHAPE)], [FINDING])
    return {}


CORNERS = [[1, 1], [2, 1], [2, 3], [4, 3], [4, 4], [1, 4]]
"""The lesion's outline, counted from the image's corner."""
PLANE = ImagePlane((0.6, 0.8, 0), (0, 0, -1), (20.5, -7, 33), (0.5, 0.75), "1.2.3.9")
"""Where the image of formats in mm lies: oblique, off the centre, with pixels that are not square."""


def outline_of(lesion: np.ndarray) -> list[list[int]]:
    """The outline of the lesion of these laws."""
    assert np.array_equal(lesion, LESION)
    return CORNERS


def write_rtstruct(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    contour = Contour(in_mm([(x - 0.5, y - 0.5) for x, y in outline_of(lesion)], PLANE), IMAGE)
    write_structure_set(folder / "any name", {FINDING: [contour]}, frame_of_reference="1.2.3.9")
    return {}


def write_dicom_sr(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    outline = outline_of(lesion)
    write_report(
        folder / "any name",
        Region(FINDING, "POLYLINE", [*outline, outline[0]], picture(IMAGE, lesion.shape)),
    )
    return {}


def write_gsps(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    outline = outline_of(lesion)
    graphic = Graphic("POLYLINE", [*outline, outline[0]], filled=True)
    write_presentation_state(folder / "any name", {"LAYER": [graphic]}, picture(IMAGE, lesion.shape))
    return {"finding": FINDING}


def write_overlays(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    write_overlay(folder / "any name", lesion[1:], lesion.shape, origin=(2, 1), SOPInstanceUID=IMAGE)
    return {"finding": FINDING}


def write_coco(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    rows, columns = lesion.shape
    image = {"id": 5, "file_name": f"{IMAGE}.dcm", "height": rows, "width": columns}
    outline = {"id": 1, "image_id": 5, "category_id": 2, "segmentation": [[n for xy in CORNERS for n in xy]]}
    content = {
        "images": [image],
        "annotations": [outline],
        "categories": [{"id": 2, "name": FINDING}],
    }
    (folder / "coco.json").write_text(json.dumps(content))
    return {"file": "coco.json"}


def write_chexlocalize(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    content = {IMAGE: {"img_size": [*lesion.shape], FINDING: [CORNERS]}}
    (folder / "polygons.json").write_text(json.dumps(content))
    return {"file": "polygons.json"}


def write_labelme(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    rows, columns = lesion.shape
    shape = {"label": FINDING, "shape_type": "polygon", "points": CORNERS}
    content = {"imagePath": f"{IMAGE}.png", "shapes": [shape], "imageHeight": rows, "imageWidth": columns}
    (folder / "1.json").write_text(json.dumps(content))
    return {}


def write_pascal_voc(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    box = "<xmin>2</xmin><ymin>2</ymin><xmax>4</xmax><ymax>4</ymax>"
    size = f"<size><width>{lesion.shape[1]}</width><height>{lesion.shape[0]}</height></size>"
    entry = f"<object><name>{FINDING}</name><bndbox>{box}</bndbox></object>"
    text = f"<annotation><filename>{IMAGE}.png</filename>{size}{entry}</annotation>"
    (folder / "1.xml").write_text(text)
    return {}


def write_yolo(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    shares = [n / side for xy in CORNERS for n, side in zip(xy, lesion.shape[::-1], strict=True)]
    (folder / f"{IMAGE}.txt").write_text(" ".join(map(str, (1, *shares))) + "\n")
    return {"names": ["Cyst", FINDING]}


def write_cvat(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    points = ";".join(f"{x}.00,{y}.00" for x, y in CORNERS)
    image = f'<image name="{IMAGE}.png" width="{lesion.shape[1]}" height="{lesion.shape[0]}">'
    shape = f'<polygon label="{FINDING}" points="{points}"/>'
    (folder / "annotations.xml").write_text(f"<annotations>{image}{shape}</image></annotations>")
    return {"file": "annotations.xml"}


def write_label_studio(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    rows, columns = lesion.shape
    points = [[100 * x / columns, 100 * y / rows] for x, y in CORNERS]
    value = {"points": points, "polygonlabels": [FINDING]}
    result = {"type": "polygonlabels", "original_width": columns, "original_height": rows, "value": value}
    task = {"data": {"image": f"/data/upload/1/0a1b2c3d-{IMAGE}.png"}, "annotations": [{"result": [result]}]}
    (folder / "export.json").write_text(json.dumps([task]))
    return {"file": "export.json"}


def write_supervisely(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    data = BytesIO()
    Image.fromarray(lesion[1:4, 1:4].astype(np.uint8) * 255).save(data, "PNG")
    bitmap = {"data": base64.b64encode(zlib.compress(data.getvalue())).decode(), "origin": [1, 1]}
    entry = {"classTitle": FINDING, "geometryType": "bitmap", "bitmap": bitmap}
    size = {"height": lesion.shape[0], "width": lesion.shape[1]}
    (folder / f"{IMAGE}.png.json").write_text(json.dumps({"size": size, "objects": [entry]}))
    return {}


def write_padchest_gr(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    rows, columns = lesion.shape
    box = [LESION_BOX.x + 0.5, LESION_BOX.y + 0.5, LESION_BOX.x + 3.5, LESION_BOX.y + 3.5]
    shares = [edge / side for edge, side in zip(box, (columns, rows) * 2, strict=True)]
    sentence = {"sentence_en": "A mass.", "abnormal": True, "boxes": [shares], "labels": [FINDING]}
    study = {"StudyID": "1", "ImageID": f"{IMAGE}.png", "findings": [sentence]}
    (folder / "grounded_reports.json").write_text(json.dumps([study]))
    return {"file": "grounded_reports.json", "reader": "reader"}


def write_via(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    xs, ys = zip(*outline_of(lesion), strict=True)
    shape = {"name": "polygon", "all_points_x": xs, "all_points_y": ys}
    region = {"shape_attributes": shape, "region_attributes": {"label": FINDING}}
    image = {"filename": f"{IMAGE}.png", "size": 7, "regions": [region], "file_attributes": {}}
    (folder / "via.json").write_text(json.dumps({f"{IMAGE}.png7": image}))
    return {"file": "via.json"}


def write_siim_acr(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    (folder / "rle.csv").write_text(f"ImageId, EncodedPixels\n{IMAGE}, 5 3 3 1 3 1\n")
    return {"file": "rle.csv", "finding": FINDING, "size": [*lesion.shape]}


def write_points(folder: Path, lesion: np.ndarray) -> Mapping[str, object]:
    row, column = np.argwhere(lesion)[-1]
    text = f"image,finding,x,y\n{IMAGE},{FINDING},{column + 0.5},{row + 0.5}\n"
    (folder / "points.csv").write_text(text)
    return {"file": "points.csv"}


WRITERS: Mapping[str, Callable[[Path, np.ndarray], Mapping[str, object]]] = {
    "png": write_png,
    "jpg": write_jpg,
    "dicom_mask": write_dicom_mask,
    "dicom_seg": write_dicom_seg,
    "rtstruct": write_rtstruct,
    "dicom_sr": write_dicom_sr,
    "gsps": write_gsps,
    "overlay": write_overlays,
    "boxes": write_boxes,
    "rle_json": write_rle_json,
    "volume": write_volume,
    "coco": write_coco,
    "chexlocalize": write_chexlocalize,
    "labelme": write_labelme,
    "pascal_voc": write_pascal_voc,
    "yolo": write_yolo,
    "cvat": write_cvat,
    "label_studio": write_label_studio,
    "supervisely": write_supervisely,
    "via": write_via,
    "padchest_gr": write_padchest_gr,
    "siim_acr": write_siim_acr,
    "points": write_points,
}
OPENED_AGAIN = {"png", "jpg", "dicom_mask", "volume", "dicom_seg"}
"""Formats whose geometry is read when the image is; that of others is found with the annotation."""

IN_SHARES = {"yolo", "padchest_gr"}
"""Formats in shares of the image, which fit any."""
IN_PATIENT = {"rtstruct"}
"""Formats in mm of the patient."""


def found(name: str, folder: Path) -> AnnotationItem:
    options = WRITERS[name](folder, LESION)
    (item,) = find_annotations(folder, [{"format": name, **options}])
    return replace(item, plane=PLANE) if name in IN_PATIENT else item


def test_every_registered_format_has_a_writer_here() -> None:
    assert set(WRITERS) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_the_shared_lesion_comes_back(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path)
    reference = read_annotation(item, case_id="case", finding="mass", shape=SHAPE)
    assert (item.format, item.image, item.finding, item.frame or 0) == (name, IMAGE, FINDING, 0)
    assert (reference.case_id, reference.finding, reference.reader) == ("case", "mass", "reader")
    if reference.kind == "box":
        assert reference.boxes == (LESION_BOX,)
        assert reference.masks == ()
    elif reference.kind == "point":
        assert reference.points == (Point(3, 3),)
    else:
        (mask,) = reference.masks
        np.testing.assert_array_equal(mask, LESION)
        assert mask.dtype == bool
        assert reference.boxes == ()


@pytest.mark.parametrize("name", FORMATS)
def test_an_item_travels_to_another_process(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path)
    assert pickle.loads(pickle.dumps(item)) == item


@pytest.mark.parametrize("name", sorted({*FORMATS} - IN_SHARES))
def test_an_image_too_small_for_the_lesion_is_refused(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path)
    with pytest.raises(CaseError) as refused:
        read_annotation(item, case_id="case", finding="mass", shape=(2, 2))
    assert refused.value.reason in {
        "mask_size", "box_outside_image", "point_outside_image", "polygon_outside_image",
    }  # fmt: skip
    assert IMAGE not in refused.value.message


@pytest.mark.parametrize("name", sorted(OPENED_AGAIN))
def test_a_file_that_breaks_after_it_was_found_is_refused(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(CaseError) as refused:
        read_annotation(item, case_id="case", finding="mass", shape=SHAPE)
    assert refused.value.reason == "annotation_unreadable"
    assert str(tmp_path) not in refused.value.message


@pytest.mark.parametrize("name", FORMATS)
def test_the_reader_is_the_one_that_the_source_names(name: str, tmp_path: Path) -> None:
    options = WRITERS[name](tmp_path, LESION)
    (item,) = find_annotations(tmp_path, [{"format": name, **options, "reader": "second"}])
    assert item.reader == "second"
