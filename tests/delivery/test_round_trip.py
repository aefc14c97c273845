"""A run, its export, and the scoring of what was exported: the same masks and the same scores."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from pipeline.annotations import FORMATS, find_annotations
from pipeline.config import load_config
from pipeline.delivery.export import Exported, ExportOptions, export
from pipeline.delivery.folder import open_folder
from pipeline.delivery.making import objects_of
from pipeline.delivery.reviewed import reviewed_images
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.exports import EXPORTS
from pipeline.exports.objects import NO_CONTOUR, ExportedObject, LeftOut
from pipeline.exports.study import ExportedImage, ExportedStudy
from pipeline.external_maps.plan import make_score_plan
from pipeline.reporting.run_folder import read_run
from pipeline.review.formats import FORMATS as MASK_FORMATS
from pipeline.score import score
from tests.exports.made import frame, study
from tests.study import picture, square, uid, write_image, write_mask

FINDING = "nodule"
COUNT = 3
SHAPE = (40, 32)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:highdicom", "ignore::UserWarning:pydicom")


def scored(folder: Path, maps: Path, **more: Any) -> Path:
    """The folder of a run that scored the maps."""
    values = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder / "said"),
        "heatmaps.path": str(maps),
        "heatmaps.findings": [FINDING],
        "contours.gate": "all",
        "baselines": {"center_prior": False, "random": False, "location_prior": False},
        "validation.stop": "never",
        "workers": 1,
        "statistics.replicates": 20,
        "out": str(folder / "out"),
    }
    plan = make_score_plan(load_config(None, values | more), executor=Here())
    return score(plan, executor=Here()).index.parent


def exported(run: Path, folder: Path, to: Path, **settings: str) -> Exported:
    target = open_folder(to, run, run_id=run.name, pseudonymous=False, kinds=EXPORTS.own)
    done = export(
        run, folder / "images", target, ExportOptions(("seg", "sr", "key_objects"), settings=settings)
    )
    target.close(done.left_out)
    return done


def rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def ious(run: Path) -> dict[str, str]:
    """SOP instance UID → IoU."""
    uids = {row["pseudonym"]: row["sop_instance_uid"] for row in rows(run / "crosswalk.csv")}
    return {uids[row["case_id"]]: row["value"] for row in rows(run / "scores.csv") if row["metric"] == "iou"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three radiographs with a lesion each, and maps of 5 × 4 cells; one header has an odd character set."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "maps" / "outside").mkdir(parents=True)
    for number in range(COUNT):
        write_image(
            folder / "images",
            number,
            picture(number, SHAPE),
            SeriesInstanceUID=uid(500 + number),
            **({"SpecificCharacterSet": "", "PatientName": "ONE"} if number == 0 else {}),
        )
        write_mask(folder / "said", FINDING, number, square(SHAPE, 6, 5, 12))
        cells = np.zeros((5, 4), np.float32)
        cells[1, number] = 1 + number
        cells[4, 3] = 0.9
        np.save(folder / "maps" / "outside" / f"image{number}__{FINDING}.npy", cells)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    return scored(folder, folder / "maps")


@pytest.mark.parametrize("form", ["binary", "labelmap"])
def test_exported_contours_get_the_scores_of_the_run(run, folder, tmp_path, form, recwarn):
    done = exported(run, folder, tmp_path / "to", segmentation=form)
    assert (done.counts["seg"], done.counts["sr"], done.left_out) == (COUNT, COUNT, ())
    assert [str(warning.message) for warning in recwarn if "ONE" in str(warning.message)] == []
    again = scored(folder, tmp_path / "to" / "seg", out=str(tmp_path / "out"))
    first = ious(run)
    assert len(first) == COUNT
    assert any(float(value) > 0 for value in first.values())
    assert ious(again) == first


@pytest.mark.parametrize("packing", ["zip", "gztar"])
def test_images_in_archives_are_found(folder, tmp_path, packing):
    shutil.copytree(folder / "said", tmp_path / "said")
    (tmp_path / "images" / "below").mkdir(parents=True)
    name = Path(shutil.make_archive(str(tmp_path / "images" / "below" / "all"), packing, folder / "images"))
    packed = scored(tmp_path, folder / "maps")
    done = exported(packed, tmp_path, tmp_path / "to")
    assert (done.counts["seg"], done.counts["sr"], done.left_out) == (COUNT, COUNT, ())
    assert {dcmread(path).PatientName for path in (tmp_path / "to" / "sr").glob("*.dcm")} == {
        dcmread(path).PatientName for path in (folder / "images").iterdir()
    }
    name.write_bytes(name.read_bytes()[:-200])
    lost = exported(packed, tmp_path, tmp_path / "again")
    assert {one.reason for one in lost.left_out} == {"archive_damaged"}
    assert len(lost.left_out) == COUNT


def test_reviewers_masks_lie_in_the_studies_of_their_images(run, folder, tmp_path):
    images = reviewed_images(read_run(run), folder / "images")
    mask = square(SHAPE, 6, 5, 12) > 0
    masks = {uid(number): (SHAPE, {FINDING: [mask] if number else []}) for number in range(COUNT)}
    sources = MASK_FORMATS["dicom_seg"].write(tmp_path, "reviewer1", "Ann", masks, images)
    found = {item.image: item for item in find_annotations(tmp_path, sources)}
    assert set(found) == set(masks)
    for number in range(COUNT):
        (item,) = (found[uid(number)],)
        read = FORMATS["dicom_seg"].read(item, case_id="c", finding=FINDING, shape=SHAPE)
        assert [one.tolist() for one in read.masks] == ([mask.tolist()] if number else [])
    with pytest.raises(ConfigError, match=r"the image 1\.2 is no DICOM file"):
        images.header_of("1.2")


def test_images_without_a_contour_are_named():
    of = study("DX")
    (image,) = of.images
    bare = replace(image.frames[0], findings=())
    (left,) = [one for _, one in objects_of(replace(of, images=(replace(image, frames=(bare,)),)), ("seg",))]
    assert isinstance(left, LeftOut)
    assert (left.case_id, left.reason) == (bare.case_id, NO_CONTOUR)


def test_the_same_run_gives_the_same_files(run, folder, tmp_path):
    for name in ("first", "second"):
        exported(run, folder, tmp_path / name)
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.dcm")}
        for name in ("first", "second")
    )
    assert first == second
    assert first


def test_reports_hold_the_scores_of_the_run(run, folder, tmp_path):
    exported(run, folder, tmp_path / "to")
    found = {}
    for path in (tmp_path / "to" / "sr").glob("*.dcm"):
        report = dcmread(path)
        (library,) = [item for item in report.ContentSequence if _code(item) == "111028"]
        image = (
            library.ContentSequence[0].ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        )
        group = report.ContentSequence[-1].ContentSequence[0]
        (iou,) = [item for item in group.ContentSequence if _code(item) == "IOU-MAP"]
        found[str(image)] = iou.MeasuredValueSequence[0].FloatingPointValue
    assert found == {key: pytest.approx(float(value)) for key, value in ious(run).items()}


def two_images(*, first: str, second: str) -> ExportedStudy:
    """A study of two radiographs whose headers state these sexes."""
    of = study("DX")
    (image,) = of.images
    other = deepcopy(image.header)
    other.SOPInstanceUID += "9"
    image.header.PatientSex, other.PatientSex = first, second
    images = (image, ExportedImage(other, (frame("case-ffffffffffff"),)))
    return replace(of, images=images)


@pytest.mark.parametrize("kind", EXPORTS.own)
def test_a_header_that_a_library_refuses_costs_its_image_alone(kind):
    of = two_images(first="FEMALE", second="F")
    found = [one for name, one in objects_of(of, ("seg", kind)) if name == kind]
    about = {case_id for one in found if isinstance(one, ExportedObject) for case_id in one.case_ids}
    assert "case-ffffffffffff" in about
    assert len({one.uid for one in found if isinstance(one, ExportedObject)}) == sum(
        isinstance(one, ExportedObject) for one in found
    )
    lost = [one for one in found if isinstance(one, LeftOut)]
    assert {one.case_id for one in lost} | about == {"case-aaaaaaaaaaaa", "case-ffffffffffff"}
    for one in lost:
        assert (one.case_id, one.reason) == ("case-aaaaaaaaaaaa", "header_refused")
        assert "FEMALE" not in one.message
    if kind in {"seg", "sr"}:
        assert lost


def test_a_study_of_which_nothing_can_be_made_lists_each_image():
    found = list(objects_of(two_images(first="FEMALE", second="FEMALE"), ("seg", "sr")))
    assert [(kind, one.reason, one.case_id) for kind, one in found] == [
        (kind, "header_refused", case_id)
        for kind in ("seg", "sr")
        for case_id in ("case-aaaaaaaaaaaa", "case-ffffffffffff")
    ]


def test_a_bug_of_our_own_is_not_listed_as_an_odd_header():
    of = study("DX")
    with pytest.raises(AttributeError):
        list(objects_of(replace(of, run=None), ("seg",)))


def _code(item: Any) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


class Refusing:
    """A destination that takes one kind alone."""

    def store(self, kind: str, _stored: ExportedObject) -> bool:
        return kind == "sr"


def test_objects_that_the_destination_refuses_do_not_count_as_exported(run: Path, folder: Path) -> None:
    done = export(run, folder / "images", Refusing(), ExportOptions(("seg", "sr")))
    assert dict(done.counts) == {"sr": COUNT}
