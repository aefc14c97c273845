"""Tests of tables as they are published, read without a config: a few rows with the original columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.annotations.guess import guess_sources
from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.ground_truth.references import read_case_references
from pipeline.records import Box
from tests.cohort.cases import case, pseudonym

SHAPE = (3000, 2500)
Boxes = list[Box]


def gathered(folder: Path, name: str, text: str, *, findings: Sequence[str], images: Sequence[str]) -> Truth:
    (folder / name).write_text(text)
    cases = [case(image, shape=SHAPE, relative_path=f"{image}.dcm") for image in images]
    return gather_truth(
        folder, sources=(), labels=None, names={}, findings=findings, cases=cases, pseudonym=pseudonym
    )


def boxes(truth: Truth, image: str, findings: Sequence[str]) -> dict[tuple[str, str], Boxes]:
    """Finding and reader → boxes."""
    key = f"case-{image}-0"
    found = read_case_references(
        truth.items.get(key, ()),
        truth.labels[key],
        case_id=key,
        shape=SHAPE,
        findings=findings,
        negative=("labels", "box"),
    )
    assert not found.skipped
    return {(ref.finding, ref.reader): list(ref.boxes) for ref in found.references}


def warnings(truth: Truth) -> list[str]:
    return [notice.text() for notice in truth.notices if notice.kind == "warning"]


VINDR = """image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max
a,No finding,14,R11,,,,
a,Cardiomegaly,3,R8,691.0,1375.0,1653.0,1831.0
b,No finding,14,R7,NaN,NaN,NaN,NaN
b,Aortic enlargement,0,R9,1264,743,1611.5,1019
"""


def test_vindr_cxr(tmp_path: Path) -> None:
    findings = ["Cardiomegaly", "Aortic enlargement"]
    truth = gathered(tmp_path, "train.csv", VINDR, findings=findings, images=["a", "b"])
    assert boxes(truth, "a", findings) == {
        ("Cardiomegaly", "R11"): [],
        ("Aortic enlargement", "R11"): [],
        ("Cardiomegaly", "R8"): [Box(690.5, 1374.5, 962, 456)],
    }
    assert boxes(truth, "b", findings)["Aortic enlargement", "R9"] == [Box(1263.5, 742.5, 347.5, 276)]
    assert not truth.skipped
    assert not warnings(truth)
    (guess,) = (notice for notice in truth.notices if notice.about == "annotations.sources")
    assert "No finding says that its reader saw none of the findings" in guess.text()
    (source,) = guess_sources(tmp_path, findings=findings)
    assert guess.pin == {"annotations": {"sources": [source]}}


def test_vindr_cxr_test_set_has_no_readers(tmp_path: Path) -> None:
    text = "image_id,class_name,x_min,y_min,x_max,y_max\na,Nodule/Mass,1,2,3,4\nb,No finding,,,,\n"
    truth = gathered(tmp_path, "annotations_test.csv", text, findings=["Nodule/Mass"], images=["a", "b"])
    assert boxes(truth, "a", ["Nodule/Mass"]) == {("Nodule/Mass", "reader"): [Box(0.5, 1.5, 2, 2)]}
    assert boxes(truth, "b", ["Nodule/Mass"]) == {("Nodule/Mass", "reader"): []}


MAMMO = """study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,\
finding_categories,finding_birads,xmin,ymin,xmax,ymax,split
s,t,a,L,CC,3518,2800,BI-RADS 2,DENSITY C,['No Finding'],,,,,,training
s,u,b,L,MLO,3518,2800,BI-RADS 4,DENSITY C,"['Mass', 'Suspicious Calcification']",BI-RADS 4,\
10.5,20,110.5,220,test
s,u,b,L,MLO,3518,2800,BI-RADS 4,DENSITY C,['Mass'],BI-RADS 4,1,2,3,4,test
"""


def test_vindr_mammo_has_lists_in_a_cell(tmp_path: Path) -> None:
    findings = ["Mass", "Suspicious Calcification"]
    truth = gathered(tmp_path, "finding_annotations.csv", MAMMO, findings=findings, images=["a", "b"])
    assert boxes(truth, "a", findings) == {(name, "reader"): [] for name in findings}
    assert boxes(truth, "b", findings) == {
        ("Mass", "reader"): [Box(10, 19.5, 100, 200), Box(0.5, 1.5, 2, 2)],
        ("Suspicious Calcification", "reader"): [Box(10, 19.5, 100, 200)],
    }
    assert not warnings(truth)


RSNA = """patientId,x,y,width,height,Target
a,,,,,0
b,264.0,152.0,213.0,379.0,1
b,562.0,152.0,256.0,453.0,1
"""


@pytest.mark.parametrize(
    ("findings", "name"), [(["opacity"], "opacity"), (["Mass", "pneumonia"], "pneumonia")]
)
def test_rsna_pneumonia_has_no_column_of_findings(tmp_path: Path, findings: list[str], name: str) -> None:
    truth = gathered(tmp_path, "stage_2_train_labels.csv", RSNA, findings=findings, images=["a", "b"])
    assert boxes(truth, "a", findings) == {(name, "reader"): []}
    assert boxes(truth, "b", findings) == {
        (name, "reader"): [Box(263.5, 151.5, 213, 379), Box(561.5, 151.5, 256, 453)]
    }
    assert not warnings(truth)


NIH_ENTRIES = """Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,\
OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],
a_000.png,Cardiomegaly|Emphysema,0,1,58,M,PA,2682,2749,0.143,0.143,
b_000.png,No Finding,0,2,81,M,PA,2500,2048,0.168,0.168,
"""


def test_nih_data_entry_lists_the_findings_of_an_image(tmp_path: Path) -> None:
    findings = ["Cardiomegaly", "Pleural thickening", "emphysema"]
    (tmp_path / "BBox_List_2017.csv").write_text(NIH_BOXES)
    images = ["a_000", "b_000"]
    truth = gathered(tmp_path, "Data_Entry_2017.csv", NIH_ENTRIES, findings=findings, images=images)
    assert truth.labels["case-a_000-0"] == {"Cardiomegaly": 1, "Pleural thickening": None, "emphysema": 1}
    assert truth.labels["case-b_000-0"] == {"Cardiomegaly": 0, "Pleural thickening": None, "emphysema": 0}
    (guess,) = (notice for notice in truth.notices if notice.about == "annotations.labels")
    entry = {"file": "Data_Entry_2017.csv", "image": "Image Index", "words": "Finding Labels"}
    assert guess.pin == {"annotations": {"labels": entry}}


PADCHEST = """,ImageID,StudyID,PatientID,Labels,Localizations
0,a.png,1,1,"['pleural effusion', 'cardiomegaly']",['loc right']
1,b.png,2,2,['normal'],[]
2,c.png,3,3,,
"""


def test_padchest_labels_are_lists_in_a_cell(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    findings = ["Cardiomegaly", "nodule"]
    images = ["a", "b", "c"]
    truth = gathered(
        tmp_path, "PADCHEST_chest_x_ray_images_labels.csv", PADCHEST, findings=findings, images=images
    )
    assert [truth.labels[f"case-{image}-0"]["Cardiomegaly"] for image in images] == [1, 0, None]
    assert [truth.labels[f"case-{image}-0"]["nodule"] for image in images] == [None, None, None]


CHEXPERT = """Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Lung Lesion,Support Devices
CheXpert-v1.0-small/valid/p1/study1/a.jpg,Male,73,Frontal,AP,1.0,0.0,,
CheXpert-v1.0-small/valid/p2/study1/b.jpg,Male,70,Frontal,PA,,1.0,-1.0,1.0
"""


def test_chexpert_labels(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    findings = ["Cardiomegaly", "Lung Lesion"]
    truth = gathered(tmp_path, "valid.csv", CHEXPERT, findings=findings, images=["a", "b"])
    assert truth.labels["case-a-0"] == {"Cardiomegaly": 0, "Lung Lesion": None}
    assert truth.labels["case-b-0"] == {"Cardiomegaly": 1, "Lung Lesion": None}


NIH_BOXES = """Image Index,Finding Label,Bbox [x,y,w,h],,,
a_000.png,Atelectasis,225.084745762712,547.019216763771,86.7796610169491,79.1864406779661,,,
"""


def test_nih_bbox_list(tmp_path: Path) -> None:
    truth = gathered(tmp_path, "BBox_List_2017.csv", NIH_BOXES, findings=["Atelectasis"], images=["a_000"])
    ((box,),) = boxes(truth, "a_000", ["Atelectasis"]).values()
    assert (box.x, box.y) == (pytest.approx(224.584745762712), pytest.approx(546.519216763771))
    assert (box.width, box.height) == (pytest.approx(86.7796610169491), pytest.approx(79.1864406779661))
    assert not warnings(truth)
