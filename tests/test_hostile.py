"""Whole runs on files that mean no good: each is audited or set aside, and none changes another's result."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pydicom
import pytest

from pipeline.audit import Outcome
from tests.damage.kinds import write_damaged
from tests.study import write_model, write_study
from tests.test_audit import run, table

HOSTILE = Path(__file__).parents[1] / "../shared/studies/hostile"
INSTALLED = Path(pydicom.__file__).parent / "data"
GoodResults = dict[str, dict[tuple[str, str | int], object]]
NOT_IMAGES = {"not_an_image", "no_pixels", "not_dicom", "float_pixels"}
KEY = bytes(32)
"""Of every run's pseudonyms, so that what they say can be compared."""
OPEN = {"policy__max_skipped": 1.0, "statistics__replicates": 20}


def audited_beside(
    folder: Path, put: Callable[[Path], object] = lambda _: None
) -> tuple[Outcome, dict[str, set[str]]]:
    """A run, in a worker, over six good images and what is put beside them.

    With it relative path → "audited", or the reasons.
    """
    write_study(folder)
    put(folder / "images" / "strangers")
    (folder / "out").mkdir()
    (folder / "out" / "pseudonym.key").write_bytes(KEY)
    outcome = run(folder, write_model(folder / "model"), executor=None, **OPEN)
    reasons = {row["subject"]: row["reason"] for row in table(outcome, "skipped.csv")}
    audited = {row["case_id"] for row in table(outcome, "cases.csv")}
    found: dict[str, set[str]] = {}
    for row in table(outcome, "crosswalk.csv"):
        if row["kind"] not in {"image", "file"}:  # words of headers, and what a segmentation is about
            continue
        result = "audited" if row["pseudonym"] in audited else reasons[row["pseudonym"]]
        found.setdefault(row["file"], set()).add(result)
    return outcome, found


def good_results(outcome: Outcome) -> GoodResults:
    """All that a run says of the good images: their rows of the tables, and their folders byte for byte.

    Without the page, which links to the other images of its run.
    """
    rows_of_images = (row for row in table(outcome, "crosswalk.csv") if row["kind"] == "image")
    files = {row["pseudonym"]: row["file"] for row in rows_of_images}
    good = {case_id: file for case_id, file in files.items() if file.startswith("image")}
    rows = {
        (name, place): row
        for name in ("cases.csv", "predictions.csv", "scores.csv")
        for place, row in enumerate(row for row in table(outcome, name) if row["case_id"] in good)
    }
    folders = {
        (good[case_id], path.name): path.read_bytes()
        for case_id in good
        for path in (outcome.index.parent / "cases" / case_id).iterdir()
        if path.name != "index.html"
    }
    return {"rows": rows, "folders": folders}


def differing(found: GoodResults, wanted: GoodResults) -> list[object]:
    """What is not the same in both."""
    return [
        (kind, key)
        for kind in wanted
        for key in {**wanted[kind], **found[kind]}
        if wanted[kind].get(key) != found[kind].get(key)
    ]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> GoodResults:
    outcome, _ = audited_beside(tmp_path_factory.mktemp("alone"))
    return good_results(outcome)


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the hostile study set is not beside this checkout")
def test_a_run_takes_every_file_of_the_hostile_set(tmp_path: Path, undisturbed: GoodResults) -> None:
    outcome, found = audited_beside(tmp_path, partial(shutil.copytree, HOSTILE.resolve() / "files"))
    with (HOSTILE / "expected.csv").open(encoding="utf-8") as file:
        expected = {f"strangers/{row['file']}": row["decodes_with_pyjpegls"] for row in csv.DictReader(file)}
    assert set(expected) | {f"image{n}.dcm" for n in range(1, 7)} == set(found)
    wrong = {}
    for name, decodes in expected.items():
        allowed = {"yes": {"audited", "repeated_sop_instance_uid", *NOT_IMAGES}, "not an image": NOT_IMAGES}
        result = found[name]
        if "audited" in result if decodes == "no" else not result <= allowed[decodes]:
            wrong[name] = result
    assert wrong == {}
    assert differing(good_results(outcome), undisturbed) == []


def test_a_run_takes_every_file_that_pydicom_is_tested_with(tmp_path: Path, undisturbed: GoodResults) -> None:
    outcome, found = audited_beside(tmp_path, partial(shutil.copytree, INSTALLED))
    files = {path.relative_to(INSTALLED).as_posix() for path in INSTALLED.rglob("*") if path.is_file()}
    assert {f"strangers/{name}" for name in files} <= set(found)
    assert not set().union(*found.values()) & {"worker_died", "out_of_time", "out_of_memory"}
    assert found["strangers/test_files/CT_small.dcm"] == {"audited"}
    assert found["strangers/test_files/SC_rgb_jpeg_gdcm.dcm"] == {"audited"}
    assert found["strangers/test_files/MR_truncated.dcm"] == {"repeated_sop_instance_uid"}
    assert differing(good_results(outcome), undisturbed) == []


def test_a_run_among_damaged_files_gives_the_good_ones_what_they_get_alone(
    tmp_path: Path, undisturbed: GoodResults
) -> None:
    outcome, found = audited_beside(tmp_path, lambda place: list(write_damaged(place, count=105, seed=2)))
    assert differing(good_results(outcome), undisturbed) == []
    assert len(found) > 90  # pipes, sockets and devices are left out


def test_broken_twins_of_the_good_images_take_no_ones_place(tmp_path: Path, undisturbed: GoodResults) -> None:
    def put_twins(place: Path) -> None:
        """Before the good images by name, each broken in another way."""
        place.mkdir()
        for number in range(1, 7):
            content = (place.parent / f"image{number}.dcm").read_bytes()
            (place.parent / f"aaa{number}.dcm").write_bytes(content[:-500] if number % 2 else content[:-1])
        frames = pydicom.dcmread(place.parent / "image1.dcm")
        frames.NumberOfFrames = 65536
        frames.save_as(place.parent / "aaa7.dcm")

    outcome, found = audited_beside(tmp_path, put_twins)
    assert {name: result for name, result in found.items() if name.startswith("image")} == {
        f"image{number}.dcm": {"audited"} for number in range(1, 7)
    }
    assert [found[f"aaa{n}.dcm"] for n in range(1, 8)] == [
        *[{"repeated_sop_instance_uid"}] * 6,
        {"pixel_data_mismatch"},
    ]
    assert differing(good_results(outcome), undisturbed) == []
