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
    cases = [case(image, shape=SHAPE) for image in images]
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


NIH_BOXES = """Image Index,Finding Label,Bbox [x,y,w,h],,,
a_000.png,Atelectasis,225.084745762712,547.019216763771,86.7796610169491,79.1864406779661,,,
"""


def test_nih_bbox_list(tmp_path: Path) -> None:
    truth = gathered(tmp_path, "BBox_List_2017.csv", NIH_BOXES, findings=["Atelectasis"], images=["a_000"])
    ((box,),) = boxes(truth, "a_000", ["Atelectasis"]).values()
    assert (box.x, box.y) == (pytest.approx(224.584745762712), pytest.approx(546.519216763771))
    assert (box.width, box.height) == (pytest.approx(86.7796610169491), pytest.approx(79.1864406779661))
    assert not warnings(truth)
