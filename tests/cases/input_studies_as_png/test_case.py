"""Studies as PNG, JPEG, TIFF, NIfTI or in a ZIP archive are audited like the same pixels in DICOM.

Source: ieee8023/covid-chestxray-dataset#48, mlmed/chester-xray#26; input-studies-as-png.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from pipeline.audit import audit
from pipeline.cli.main import main
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.records import file_stem
from pipeline.score import score
from tests.loaders.pictures import png, write_picture, write_volume, zipped
from tests.study import GRID, picture, square, uid, write_model, write_study

COUNT = 4
Row = dict[str, str]


def audited(folder: Path, studies: str, **settings: object) -> Path:
    """The run folder of an audit of a study set in the study folder."""
    overrides = {
        "studies": str(folder / studies),
        "annotations.path": str(folder),
        "model": str(folder / "model" / "tiny.yaml"),
        "out": str(folder / f"out-{studies}"),
        "batch_size": COUNT,
        "contours.gate": "all",
        "statistics.replicates": 20,
        "baselines.random": False,
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    return audit(make_plan(load_config(None, overrides)), executor=Here()).index.parent


def rows(run: Path, name: str) -> list[Row]:
    with (run / name).open(newline="") as file:
        return list(csv.DictReader(file))


def values(run: Path) -> dict[tuple[str, ...], float]:
    """Scores by the names of images, which the crosswalk knows, finding, method and metric."""
    names = {
        row["pseudonym"]: file_stem(row["file"])
        for row in rows(run, "crosswalk.csv")
        if row["kind"] == "image"
    }
    return {
        (names[row["case_id"]], row["finding"], row["method"], row["metric"]): float(row["value"])
        for row in rows(run, "scores.csv")
        if row["value"]
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("study"), count=COUNT)
    write_model(folder / "model")
    lines = (folder / "labels.csv").read_text()
    for number in range(1, COUNT + 1):
        lines = lines.replace(f"{uid(number)},", f"image{number},")
    (folder / "labels.csv").write_text(lines.replace("sop_instance_uid", "image"))
    return folder


@pytest.fixture(scope="module")
def of_dicom(study: Path) -> dict[tuple[str, ...], float]:
    return values(audited(study, "images"))


def as_pictures(folder: Path, suffix: str) -> None:
    for number in range(1, COUNT + 1):
        write_picture(folder / f"image{number}.{suffix}", picture(number))


def as_zip(folder: Path, _suffix: str) -> None:
    folder.mkdir()
    files = {f"inside/image{number}.png": png(picture(number), colour=0) for number in range(1, COUNT + 1)}
    zipped(folder / "all.zip", files)


def as_volumes(folder: Path, suffix: str) -> None:
    for number in range(1, COUNT + 1):
        write_volume(folder / f"image{number}.{suffix}", picture(number)[None], spacing=(0.5, 0.5, 1))


@pytest.mark.parametrize(
    ("write", "suffix"),
    [(as_pictures, "png"), (as_pictures, "tiff"), (as_zip, "zip"), (as_volumes, "nii.gz"),
     (as_volumes, "mha")],
)  # fmt: skip
def test_the_same_pixels_have_the_same_scores_as_in_dicom(
    write: Callable[[Path, str], None], suffix: str, study: Path, of_dicom: dict[tuple[str, ...], float]
) -> None:
    name = suffix.replace(".", "")
    write(study / name, suffix)
    run = audited(study, name)
    found = values(run)
    shared = found.keys() & of_dicom.keys()
    in_pixels = {key for key in shared if key[-1] in {"iou", "dice"}}
    assert len(in_pixels) > COUNT
    assert {key: found[key] for key in in_pixels} == {key: of_dicom[key] for key in in_pixels}
    text = (run / "index.html").read_text()
    assert "Patient ID" in text
    assert (run / "cases").is_dir()


def test_a_folder_of_pngs_and_a_card_alone_end_with_a_report(study: Path) -> None:
    as_pictures(study / "alone", "png")
    overrides = {
        "studies": str(study / "alone"), "model": str(study / "model" / "tiny.yaml"),
        "out": str(study / "out-alone"),
    }  # fmt: skip
    finished = audit(make_plan(load_config(None, overrides)), executor=Here())
    assert finished.images == COUNT
    assert finished.index.is_file()


def test_images_and_masks_in_one_folder_as_in_busi(study: Path) -> None:
    folder = study / "busi"
    shutil.copytree(study / "model", folder / "model")
    for number in range(1, COUNT + 1):
        write_picture(folder / "nodule" / f"nodule ({number}).png", picture(number))
        mask = square((GRID, GRID), 5 + number, 8, 20).astype(np.uint8) * 255
        write_picture(folder / "nodule" / f"nodule ({number})_mask.png", mask)
    overrides = {"annotations__path": str(folder), "out": str(folder / "out")}
    run = audited(study, "busi", **overrides)
    assert len(rows(run, "cases.csv")) == COUNT
    drawn = {row["case_id"] for row in rows(run, "scores.csv") if row["metric"] == "iou" and row["value"]}
    assert len(drawn) == COUNT
    told = json.loads((run / "manifest.json").read_text())["notices"]
    assert any("4 files are read as masks and not as images" in notice["message"] for notice in told)


def test_a_map_that_is_the_mask_has_an_overlap_of_one_on_a_turned_image(tmp_path: Path) -> None:
    """Image and mask are NIfTI with one header that mirrors and transposes; the map is of what is shown."""
    drawn = square((GRID, GRID), 6, 20, 25)
    header = {"spacing": (0.5, 2.0, 1.0), "direction": (0, -1, 0, 1, 0, 0, 0, 0, 1)}
    stored = np.zeros((1, GRID, GRID), np.int16)
    stored[0] = picture(1)
    write_volume(tmp_path / "images" / "a.nii.gz", stored, **header)
    write_volume(tmp_path / "masks" / "nodule" / "a.nii.gz", drawn[None].astype(np.uint8), **header)
    expected = shown(drawn, header)
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps" / "a__nodule.npy", expected.astype(np.float32))
    from pipeline.external_maps.plan import make_score_plan  # noqa: PLC0415

    overrides = {
        "studies": str(tmp_path / "images"), "annotations.path": str(tmp_path / "masks"),
        "heatmaps.path": str(tmp_path / "maps"), "out": str(tmp_path / "out"), "contours.gate": "all",
    }  # fmt: skip
    plan = make_score_plan(load_config(None, overrides), executor=Here())
    run = score(plan, executor=Here()).index.parent
    (overlap,) = (
        row["value"] for row in rows(run, "scores.csv")
        if row["metric"] == "iou" and row["method"] not in {"center_prior", "random"}
    )  # fmt: skip
    assert float(overlap) == 1.0


def shown(mask: NDArray[np.bool_], header: dict[str, tuple[float, ...]]) -> NDArray[np.bool_]:
    """The mask as SimpleITK turns it to columns towards the left and rows towards the back."""
    import SimpleITK as sitk  # noqa: N813, PLC0415

    image = sitk.GetImageFromArray(mask[None].astype(np.uint8))
    image.SetDirection(header["direction"])
    return np.asarray(sitk.GetArrayFromImage(sitk.DICOMOrient(image, "LPS"))[0] > 0)


def test_files_of_no_known_format_are_counted_whatever_their_names(tmp_path: Path, capsys) -> None:
    studies, annotations = (tmp_path / name for name in ("studies", "annotations"))
    for folder in (studies, annotations):
        folder.mkdir()
    (annotations / "boxes.csv").write_text("image,x,y,width,height,finding\n")
    for name in ("a.png", "b.dcm"):
        Pillow.fromarray(np.zeros((4, 4), np.uint8)).save(studies / name, "GIF")
    assert main(["validate", "--studies", str(studies), "--annotations", str(annotations)]) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert "2 GIF files; DICOM, PNG, JPEG, TIFF" in message
    assert "save them as PNG" in message
