"""Resolution: JPEG 2000 is reduced where only the network needs its pixels and the drift is small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import compress
from pydicom.uid import JPEG2000Lossless

from pipeline.cases.burned_in_text import TextSearch
from pipeline.cases.protocol import Protocol
from pipeline.run import resolution
from pipeline.run.outcome import Outcome
from pipeline.run_files.objects import read_manifest
from tests.study import GRID, picture, square, write_image, write_labels, write_mask, write_model
from tests.test_audit import run, table

SHAPE = (8 * GRID, 8 * GRID)
ONE_PAGE = {"decode__resolution": "auto", "report__cases": 1, "burned_in_text__look": "none", "probes": "off"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Films of smooth pictures in JPEG 2000, and a model."""
    folder = tmp_path_factory.mktemp("films")
    for number in (1, 2, 3, 4):
        path = write_image(folder / "images", number, picture(number, SHAPE))
        dataset = dcmread(path)
        compress(dataset, JPEG2000Lossless, generate_instance_uid=False, encoding_plugin="pylibjpeg")
        dataset.save_as(path)
        write_mask(folder, "nodule", number, square(SHAPE, 100, 100, 150))
    write_labels(folder, dict.fromkeys((1, 2, 3, 4), (1, 0)))
    return folder, write_model(folder / "model")


def notice_of(outcome: Outcome) -> str:
    notices = read_manifest(outcome.index.parent)["notices"]
    return " ".join(entry["message"] for entry in notices if entry["about"] == "decode.resolution")


def probabilities(outcome: Outcome) -> Any:
    """Sorted, because another output folder has other pseudonyms."""
    return np.sort([float(row["probability"]) for row in table(outcome, "predictions.csv")])


def pixels(outcome: Outcome) -> list[bytes]:
    return [path.read_bytes() for path in sorted(outcome.index.parent.glob("cases/*/pixels.js"))]


@pytest.fixture(scope="module")
def full(study: tuple[Path, Path]) -> Outcome:
    return run(*study, **{**ONE_PAGE, "decode__resolution": "full"})


def test_probabilities_hardly_change_and_pages_show_every_pixel(
    study: tuple[Path, Path], full: Outcome
) -> None:
    coarse = run(*study, **ONE_PAGE)
    assert "JPEG 2000 is decoded at a reduced resolution: on 4 images" in notice_of(coarse)
    assert notice_of(full) == ""
    difference = np.abs(probabilities(coarse) - probabilities(full))
    assert 0 < difference.max() <= resolution.MOST_PROBABILITY
    assert pixels(coarse) == pixels(full)
    assert len(pixels(coarse)) == 1


def test_beyond_the_bound_every_pixel_is_decoded(
    study: tuple[Path, Path], full: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolution, "MOST_IOU", -1.0)
    found = run(*study, out="beyond", **ONE_PAGE)
    assert "JPEG 2000 is decoded at full resolution: on 4 images" in notice_of(found)
    assert np.array_equal(probabilities(found), probabilities(full))


def test_what_was_measured_first_holds_when_the_run_resumes(
    study: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(*study, out="resumed", **ONE_PAGE)
    said, before = notice_of(first), probabilities(first)
    case = next(first.index.parent.glob("cases/*/case.json.gz"))
    case.unlink()
    monkeypatch.setattr(resolution, "MOST_IOU", -1.0)
    second = run(*study, out="resumed", **ONE_PAGE)
    assert (second.index, notice_of(second)) == (first.index, said)
    assert np.array_equal(probabilities(second), before)


def test_pages_of_every_image_make_another_run_of_every_pixel(
    study: tuple[Path, Path], full: Outcome
) -> None:
    first = run(*study, out="pages", **ONE_PAGE)
    every = run(*study, out="pages", **{**ONE_PAGE, "report__cases": "all"})
    assert every.index != first.index
    assert "because every image gets a page" in notice_of(every)
    assert np.array_equal(probabilities(every), probabilities(full))
    plain = {**ONE_PAGE, "decode__resolution": "full"}
    assert (
        run(*study, out="one", **plain).index
        == run(*study, out="one", **{**plain, "report__cases": "all"}).index
    )


@pytest.mark.parametrize("damage", ["", "[]", '{"coarse": 7, "said": ""}', '{"coarse": 1}'])
def test_a_damaged_record_is_measured_again(tmp_path: Path, damage: str) -> None:
    (tmp_path / resolution.DECIDED).write_text(damage)
    assert resolution._kept(tmp_path) is None


@pytest.mark.parametrize(
    ("protocol", "why"),
    [
        ({}, ""),
        ({"every_page": True}, "every image gets a page (report.cases)"),
        ({"search": TextSearch("contrast", mask=False)}, "text in the pixels is searched for"),
        ({"baselines": ("center_prior", "local_contrast")}, "the baseline local_contrast is made of every"),
    ],
)
def test_what_else_needs_every_pixel_is_named(protocol: dict[str, Any], why: str) -> None:
    settings: dict[str, Any] = {"every_page": False, "baselines": ("center_prior",), **protocol}
    found = resolution._needs_every_pixel(Protocol(Path(), (), 0, 0, None, "reader", **settings))
    assert found.startswith(why)
    assert bool(found) == bool(why)
