"""The commands around an archive: studies and annotations from it, results to it, and what files say."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from pipeline.cli.main import main
from pipeline.pacs.address import peer_address
from pipeline.pacs.dimse import open_peer
from pipeline.run_files.objects import read_manifest
from tests.annotations.segmentations import write_segmentation
from tests.pacs.running import Orthanc
from tests.study import FINDINGS, GRID, picture, square, uid, write_image, write_model

COUNT = 6
PATIENT = "HOSPITAL-1"
QUERY = "?PatientID=HOSPITAL-*&Modality=DX"
OF_IMAGES = {
    "PatientBirthDate": "19500101", "AccessionNumber": "ACCESSION7", "StudyID": "1", "StudyDate": "20260101",
    "StudyTime": "120000", "ReferringPhysicianName": "", "SeriesNumber": "1", "InstanceNumber": "1",
}  # fmt: skip


@pytest.fixture
def filled(archive: Orthanc, tmp_path: Path) -> Orthanc:
    """An archive of six radiographs, each with the mask of a reader as a SEG."""
    with open_peer(peer_address(archive.peer, "to")) as peer:
        for number in range(1, COUNT + 1):
            path = write_image(
                tmp_path / "sent", number, picture(number), SeriesInstanceUID=uid(2000 + number), **OF_IMAGES
            )
            peer.send(path.read_bytes())
            peer.send(mask_of(dcmread(path), number, tmp_path / "sent" / f"{number}.seg"))
    return archive


def mask_of(image: Dataset, number: int, path: Path) -> bytes:
    plane = square((GRID, GRID), 5 + 3 * number, 8, 20)[None, ..., None].astype(np.uint8)
    write_segmentation(path, plane, [image], [FINDINGS[number % 2]])
    seg = dcmread(path)
    seg.SeriesInstanceUID = uid(3000 + number)
    seg.Manufacturer = "A reader's workstation"
    content = BytesIO()
    seg.save_as(content, enforce_file_format=True)
    return content.getvalue()


def audited(archive: Orthanc, folder: Path, *, query: str = "?PatientID=HOSPITAL-*") -> Path:
    """The run of an audit of what the archive has; its cache and output are in `folder`."""
    model = write_model(folder / "model")
    before = set((folder / "out").glob("*")) if (folder / "out").exists() else set()
    code = main(
        [
            "audit", "--studies", f"{archive.web}{query}", "--annotations", "dicomweb:",
            "--model", str(model),
            "--out", str(folder / "out"), "--set", f"studies.cache={folder / 'cache'}",
            "--set", "probes=off", "--set", "burned_in_text.look=none", "--set", "validation.stop=never",
        ]
    )  # fmt: skip
    assert code == 0
    (run,) = {path for path in set((folder / "out").glob("*")) - before if (path / "manifest.json").exists()}
    return run


def files_below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


def test_an_audit_of_an_archive_is_exported_to_it_and_the_next_audit_is_the_same(
    filled: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEATPROOF_PACS_TOKEN", "s3cret-token")
    first = audited(filled, tmp_path / "a")
    (cache,) = (path for path in (tmp_path / "a" / "cache").iterdir())
    manifest = read_manifest(first)
    assert manifest["studies"]["audited"] == COUNT
    scores = rows(first / "scores.csv")
    assert {row["metric"] for row in scores} >= {"iou", "hit"}

    before = len(filled.uids())
    to = ["export", str(first), "--studies", str(cache / "images"), "--to", filled.web]
    assert main(to) == 0
    added = len(filled.uids()) - before
    assert added > 0
    assert main(to) == 0
    assert len(filled.uids()) == before + added
    capsys.readouterr()

    second = audited(filled, tmp_path / "b")  # a new cache: own results are in the studies now
    assert f"{added:,} objects of these studies are results of Heatproof" in capsys.readouterr().out.replace(
        "\n", " "
    )
    assert second.name == first.name
    assert [row["value"] for row in rows(second / "scores.csv")] == [row["value"] for row in scores]

    secrets = [
        "s3cret-token",
        f"127.0.0.1:{filled.http}",
        "HOSPITAL-",
        "ACCESSION7",
        "dicomweb:",
        str(tmp_path),
    ]
    for path in files_below(first, second):
        if path.name != "crosswalk.csv":
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in content], path
    for path in files_below(tmp_path / "a" / "out", tmp_path / "a" / "cache"):
        assert b"s3cret-token" not in path.read_bytes()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_validate_and_explain_inputs_read_an_archive_too(
    filled: Orthanc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = ["--studies", f"{filled.web}?PatientID={PATIENT}", "--annotations", "dicomweb:"]
    settings = ["--set", f"studies.cache={tmp_path / 'cache'}"]
    assert main(["validate", *inputs, *settings, "--out", str(tmp_path / "out")]) in {0, 1}
    assert "1 images validated" in capsys.readouterr().out
    assert main(["validate", *inputs, *settings, "--explain-inputs"]) == 0
    assert "1 images and 1 other objects, 0 fetched now" in capsys.readouterr().out.replace("\n", " ")


def test_a_cache_has_to_be_named_and_an_archive_to_answer(
    filled: Orthanc, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inputs = ["validate", "--studies", f"{filled.web}{QUERY}", "--annotations", "dicomweb:"]
    assert main(inputs) == 2
    assert "studies.cache: is missing" in capsys.readouterr().err.replace("\n", " ")
    assert main([*inputs, "--set", "studies.cache=cache"]) == 2  # no annotation is of modality DX
    assert "the archive has no segmentation" in capsys.readouterr().err.replace("\n", " ")
