"""Tests of the annotation formats recognised without a config."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import guess_sources
from pipeline.annotations.label_tables import label_tables
from pipeline.errors import ConfigError
from tests.annotations.dicom_graphics import Graphic, Region, picture, write_presentation_state, write_report
from tests.annotations.dicom_masks import write_mask
from tests.annotations.segmentations import source_image, write_segmentation
from tests.annotations.structure_sets import Contour, write_structure_set

STUDIES = Path(__file__).parents[2] / "../shared/studies"
FINDINGS = ("Mass", "Pleural Effusion")
COLUMNS = {name: name for name in ("image", "finding", "x", "y", "width", "height")}
BOXES = "image,finding,x,y,width,height\n7,Mass,0,0,1,1\n"
RUNS = {"7": {"Mass": {"size": [2, 3], "counts": [6]}}}


def files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_folders_named_like_findings(tmp_path: Path) -> None:
    files(tmp_path, "mass/7.png", "masks/Pleural_Effusion/8.png", "images/7.png", "Mass {old}/9.png")
    sources = guess_sources(tmp_path, findings=FINDINGS)
    assert sources == (
        {"format": "png", "pattern": ["masks/Pleural_Effusion/{image}.png"], "finding": "Pleural Effusion"},
        {"format": "png", "pattern": ["mass/{image}.png"], "finding": "Mass"},
    )
    assert [(i.image, i.finding) for i in find_annotations(tmp_path, sources)] == [
        ("8", "Pleural Effusion"),
        ("7", "Mass"),
    ]


def test_jpeg_files_are_masks_only_in_folders_of_masks_and_without_others(tmp_path: Path) -> None:
    files(tmp_path, "images/7.jpg", "8.jpg", "masks/7.jpg", "masks/8.jpeg")
    (source,) = guess_sources(tmp_path, findings=FINDINGS)
    assert source == {"format": "jpg", "pattern": ["masks/{image}.jpg", "masks/{image}.jpeg"]}
    files(tmp_path, "masks/7.png")
    (source,) = guess_sources(tmp_path, findings=FINDINGS)
    assert source == {"format": "png", "pattern": ["masks/{image}.png"]}
    (source,) = guess_sources(tmp_path / "8.jpg", findings=FINDINGS)
    assert source["format"] == "jpg"


def test_dicom_images_in_a_folder_of_masks_are_masks(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    write_mask(tmp_path / "masks" / "7.dcm", np.zeros((4, 6), np.uint8))
    write_mask(tmp_path / "7.dcm", np.zeros((4, 6), np.uint8))
    expected = ({"format": "dicom_mask", "pattern": ["masks/{image}.dcm"]},)
    assert guess_sources(tmp_path, findings=FINDINGS) == expected
    write_structure_set(tmp_path / "masks" / "8.dcm", {"Mass": [Contour(np.zeros((3, 3)), "7")]})
    assert guess_sources(tmp_path, findings=FINDINGS) == ({"format": "rtstruct"},)


def test_dicom_files_of_annotations_are_known_by_content(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    image = picture("7", (4, 6))
    circle = [(2, 2), (2, 3)]
    write_report(tmp_path / "a" / "1", Region("Mass", "CIRCLE", circle, image))
    write_presentation_state(tmp_path / "2.dcm", {"MASS": [Graphic("CIRCLE", circle)]}, image)
    write_structure_set(tmp_path / "3", {"Mass": [Contour(np.zeros((3, 3)), "7")]})
    formats = [source["format"] for source in guess_sources(tmp_path, findings=FINDINGS)]
    assert formats == ["rtstruct", "dicom_sr", "gsps"]
    assert guess_sources(tmp_path / "3", findings=FINDINGS) == ({"format": "rtstruct"},)


def test_folders_of_masks_with_instances_first(tmp_path: Path) -> None:
    files(tmp_path, "images/7.png", "masks/7.png", "masks_instances/7.png")
    (source,) = guess_sources(tmp_path, findings=FINDINGS)
    assert source == {"format": "png", "pattern": ["masks_instances/{image}.png", "masks/{image}.png"]}


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("7.png", "png"), ("7.nii.gz", "volume"), ("7.nrrd", "volume"), ("7.mha", "volume")],
)
def test_a_flat_folder_and_a_file_of_it(tmp_path: Path, name: str, format_name: str) -> None:
    files(tmp_path, name)
    suffix = name.removeprefix("7")
    assert guess_sources(tmp_path, findings=FINDINGS) == (
        {"format": format_name, "pattern": ["{image}" + suffix]},
    )
    (source,) = guess_sources(tmp_path / name, findings=FINDINGS)
    (item,) = find_annotations(tmp_path / name, [source])
    assert (item.format, item.image) == (format_name, "7")


def test_tables_and_run_lengths_in_a_folder_and_alone(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(BOXES)
    (tmp_path / "masks.json").write_text(json.dumps(RUNS))
    (tmp_path / "other.csv").write_text("image,Mass\n7,1\n")
    (tmp_path / "other.json").write_text('{"7": {"Mass": 1}}')
    (tmp_path / "broken.json").write_text("{")
    sources = guess_sources(tmp_path, findings=FINDINGS)
    assert sources == (
        {"format": "boxes", "file": "boxes.csv", "columns": COLUMNS},
        {"format": "rle_json", "file": "masks.json"},
    )
    assert len(find_annotations(tmp_path, sources)) == 2
    alone = {"boxes.csv": {"format": "boxes", "columns": COLUMNS}, "masks.json": {"format": "rle_json"}}
    for name, source in alone.items():
        assert guess_sources(tmp_path / name, findings=FINDINGS) == (source,)


COCO = {
    "info": {},
    "images": [{"id": 1, "file_name": "7.png"}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}],
    "categories": [{"id": 1, "name": "Mass"}],
}


def test_json_of_annotation_tools(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(COCO))
    (tmp_path / "b.json").write_text(
        json.dumps({"7": {"img_size": [2, 3], "Mass": [[[0, 0], [1, 0], [1, 1]]]}})
    )
    (tmp_path / "empty.json").write_text(json.dumps(COCO | {"annotations": []}))
    (tmp_path / "other.json").write_text(json.dumps({"images": 1}))
    sources = guess_sources(tmp_path, findings=FINDINGS)
    assert sources == ({"format": "coco", "file": "a.json"}, {"format": "chexlocalize", "file": "b.json"})
    assert [(i.image, i.finding) for i in find_annotations(tmp_path, sources)] == [("7", "Mass")] * 2


def test_files_of_annotation_tools(tmp_path: Path) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>"
    shape = {"label": "Mass", "points": [[0, 0], [1, 1]], "shape_type": "rectangle"}
    entry = {"classTitle": "Mass", "geometryType": "point", "points": {"exterior": [[0, 0]]}}
    label = {"x": 1, "y": 1, "width": 1, "height": 1, "rectanglelabels": ["Mass"]}
    for name, text in {
        "a/7.json": json.dumps({"shapes": [shape], "imagePath": "7.png"}),
        "a/7.xml": f"<annotation><object><name>Mass</name>{box}</object></annotation>",
        "a/7.txt": "0 0.5 0.5 0.5 0.5",
        "a/b/7.png.json": json.dumps({"size": {"height": 1}, "objects": [entry]}),
        "classes.txt": "Mass",
        "cvat.xml": '<annotations><image name="7"><points label="Mass" points="0,0"/></image></annotations>',
        "studio.json": json.dumps(
            [{"data": {"image": "7"}, "annotations": [{"result": [{"value": label}]}]}]
        ),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    sources = guess_sources(tmp_path, findings=FINDINGS)
    files = {"label_studio": "studio.json", "cvat": "cvat.xml"}
    assert sources == (
        *({"format": name, "file": file} for name, file in files.items()),
        *({"format": name} for name in ("labelme", "pascal_voc", "yolo", "supervisely")),
    )
    assert {(i.format, i.finding) for i in find_annotations(tmp_path, sources)} == {
        (str(source["format"]), "Mass") for source in sources
    }


def test_pictures_beside_the_files_of_a_tool_are_no_masks(tmp_path: Path) -> None:
    files(tmp_path, "7.png", "8.png", "mass/9.png", "masks/7.png")
    assert [s["format"] for s in guess_sources(tmp_path, findings=["other"])] == ["png"]
    (tmp_path / "a.json").write_text(json.dumps(COCO))
    sources = guess_sources(tmp_path, findings=["other"])
    assert sources == (
        {"format": "png", "pattern": ["masks/{image}.png"]},
        {"format": "coco", "file": "a.json"},
    )
    (tmp_path / "masks" / "7.png").unlink()
    assert [s["format"] for s in guess_sources(tmp_path, findings=["other"])] == ["coco"]
    assert [s["format"] for s in guess_sources(tmp_path, findings=FINDINGS)] == ["png", "coco"]


def test_boxes_of_the_only_finding_need_not_name_it(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("image,x,y,width,height\n7,0,0,1,1\n")
    sources = guess_sources(tmp_path, findings=["Mass"])
    columns = {key: name for key, name in COLUMNS.items() if key != "finding"}
    assert sources == ({"format": "boxes", "file": "boxes.csv", "columns": columns, "finding": "Mass"},)


def test_segmentations_anywhere_below(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    image = source_image("1.2.3", (1, 2))
    write_segmentation(tmp_path / "a" / "b" / "c", np.ones((1, 1, 2, 1), bool), [image], ["Mass"])
    assert guess_sources(tmp_path, findings=FINDINGS) == ({"format": "dicom_seg"},)


def test_nothing_recognised_says_what_there_can_be(tmp_path: Path) -> None:
    files(tmp_path, "images/7.png", "notes.txt", "empty.csv")
    with pytest.raises(
        ConfigError, match=r"no annotations recognised; found .*; provide PNG.*annotations\.sources"
    ):
        guess_sources(tmp_path, findings=FINDINGS)
    with pytest.raises(ConfigError, match="no such annotations folder"):
        guess_sources(tmp_path / "none", findings=FINDINGS)


def labels_in(path: Path, findings: Sequence[str] = FINDINGS) -> Path | None:
    found = label_tables(path, findings, {})
    return found[0].table.file if found else None


def test_labels_are_the_table_with_most_findings(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,Mass\n7,1\n")
    (tmp_path / "b.csv").write_text("image,Mass,Pleural Effusion\n7,1,0\n")
    assert labels_in(tmp_path) == tmp_path / "b.csv"
    (tmp_path / "labels.csv").write_text("image,Mass,Pleural Effusion\n7,1,\n")
    assert labels_in(tmp_path / "a.csv") == tmp_path / "labels.csv"


@pytest.mark.parametrize(
    "text",
    [
        "image,Mass\n7,0.3\n",
        "row,Mass\n7,1\n",
        "image,Other\n7,1\n",
        "image,x,y,width,height,Mass\n7,,,,,1\n",
    ],
)
def test_probabilities_boxes_and_other_tables_are_no_labels(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    assert labels_in(tmp_path) is None


@pytest.mark.skipif(not STUDIES.is_dir(), reason="the shared study sets are not here")
@pytest.mark.parametrize(
    ("study", "finding", "formats", "labelled"),
    [
        ("breast_ultrasound", "benign", ["png"], True),
        ("chest_xray", "Effusion", ["boxes"], True),
        ("liver_ct", "Liver", ["dicom_seg", "rtstruct"], False),
    ],
)
def test_real_study_sets_are_recognised(
    study: str, finding: str, formats: Sequence[str], *, labelled: bool
) -> None:
    sources = guess_sources(STUDIES / study, findings=[finding])
    assert [source["format"] for source in sources] == formats
    labels = labels_in(STUDIES / study, [finding])
    assert labels == (STUDIES / study / "labels.csv" if labelled else None)
