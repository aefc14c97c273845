"""What Heatproof exported is neither an annotation nor an image, in folders as in archives."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import CaseError
from pipeline.executors.here import Here
from pipeline.exports import EXPORTS
from pipeline.exports.objects import ExportedObject, encoded
from pipeline.ground_truth.inputs import find_items
from pipeline.loaders.formats import read_study_file
from tests.exports.made import study


def written(kind: str, folder: Path, maker: str | None = None) -> Path:
    made = next(one for one in EXPORTS[kind].objects(study("DX"), {}) if isinstance(one, ExportedObject))
    if maker is not None:
        made.dataset.Manufacturer = maker
    path = folder / f"{kind}.dcm"
    path.write_bytes(encoded(made.dataset))
    return path


@pytest.mark.parametrize("kind", ["seg", "sr", "gsps"])
def test_exported_contours_among_the_annotations_are_left_out_and_said(kind: str, tmp_path: Path) -> None:
    written(kind, tmp_path)
    found = find_items(tmp_path, sources=(), findings=("nodule",), words={}, executor=Here())
    assert not found.items
    (notice,) = [notice for notice in found.notices if "exported" in notice.message]
    assert notice.kind == "warning"
    assert "1 files" in notice.message


def test_what_reviewers_drew_is_an_annotation(tmp_path: Path) -> None:
    written("seg", tmp_path, maker="Heatproof review")
    found = find_items(tmp_path, sources=(), findings=("nodule",), words={}, executor=Here())
    assert found.items


def test_an_exported_picture_is_no_image(tmp_path: Path) -> None:
    path = written("secondary_capture", tmp_path)
    with pytest.raises(CaseError) as caught:
        read_study_file(path, root=tmp_path)
    assert caught.value.reason == "own_result"
