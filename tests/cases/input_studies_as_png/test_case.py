"""A folder of PNG files instead of DICOM is refused with what was found and the nearest thing that works.

Source: ieee8023/covid-chestxray-dataset#48, mlmed/chester-xray#26; input-studies-as-png.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image as Picture

from pipeline.cli.main import main
from tests.study import write_image


def picture(path: Path, *, kind: str) -> None:
    stream = BytesIO()
    Picture.fromarray(np.zeros((4, 4), np.uint8)).save(stream, kind)
    path.write_bytes(stream.getvalue())


def refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    (folder / "boxes.csv").write_text("image,x,y,width,height,finding\n")
    studies, annotations = (folder / name for name in ("studies", "annotations"))
    annotations.mkdir()
    (folder / "boxes.csv").rename(annotations / "boxes.csv")
    assert main(["validate", "--studies", str(studies), "--annotations", str(annotations)]) == 2
    return " ".join(capsys.readouterr().err.split())


def test_png_files_are_counted_whatever_their_names(tmp_path: Path, capsys) -> None:
    (tmp_path / "studies").mkdir()
    for name in ("a.png", "b.dcm"):
        picture(tmp_path / "studies" / name, kind="PNG")
    message = refused(tmp_path, capsys)
    assert "2 PNG files; only DICOM images are read" in message
    assert "img2dcm" in message


def test_a_zip_file_of_dicom_files_is_to_be_unpacked(tmp_path: Path, capsys) -> None:
    (tmp_path / "studies").mkdir()
    image = write_image(tmp_path, 1, np.zeros((4, 4), np.uint8))
    with ZipFile(tmp_path / "studies" / "all.zip", "w") as archive:
        archive.write(image, "image1.dcm")
    message = refused(tmp_path, capsys)
    assert "1 ZIP file; only DICOM images are read" in message
    assert "unzip" in message
