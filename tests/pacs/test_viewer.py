"""One command puts a run's images and results into an Orthanc of its own, behind the viewer's address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from pipeline.delivery.export import ExportOptions
from pipeline.exports import EXPORTS
from pipeline.viewer.view import view
from tests.delivery.test_round_trip import COUNT, folder, run  # noqa: F401  # fixtures

MODALITY = "00080060"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:highdicom", "ignore::UserWarning:pydicom")


def test_images_and_results_of_every_kind_stand_behind_one_address(
    run: Path,  # noqa: F811
    folder: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    for name in ("index.html", "app-config.js"):
        (tmp_path / name).write_text("")
    with view(run, folder / "images", tmp_path, ExportOptions(EXPORTS.own)) as shown:
        assert not shown.exported.left_out
        assert len(shown.studies) == COUNT
        uids = [page.rpartition("=")[2] for page in shown.studies]
        found = [modalities(shown.address, uid) for uid in uids]
    for of_study in found:
        assert {"SEG", "SR", "PR", "OT"} < of_study  # and that of the image
    assert any("KO" in of_study for of_study in found)


def modalities(address: str, uid: str) -> set[str]:
    with urlopen(f"{address}/dicom-web/studies/{uid}/series") as answer:
        series: list[dict[str, Any]] = json.load(answer)
    return {entry[MODALITY]["Value"][0] for entry in series}
