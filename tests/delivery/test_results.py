"""Results as exports take them: of which images the pixels are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.delivery.results import exported_frame
from pipeline.reporting.run_folder import read_run
from tests.reporting.run_folder import make_run

UNKNOWN = "text_not_looked_for"


def why_no_picture(folder: Path, reason: str, *, mask: bool, pseudonymous: bool) -> str:
    """Of a run whose only image has a caution."""
    make_run(folder, cases=1)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.setdefault("config", {})["burned_in_text"] = {"look": "contrast", "mask": mask}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (path,) = folder.glob("cases/*/case.json")
    case = json.loads(path.read_text()) | {"cautions": [{"reason": reason, "message": ""}]}
    path.write_text(json.dumps(case))
    run = read_run(folder)
    frame = exported_frame(
        run, run.case_ids[0], worst=frozenset(), disputed=frozenset(), pseudonymous=pseudonymous
    )
    assert (frame.picture is None) is bool(frame.why_no_picture)
    return frame.why_no_picture


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("reason", ["burned_in_text", "burned_in_text_by_header", UNKNOWN])
def test_pixels_that_may_hold_a_name_are_not_shown_with_pseudonyms(
    reason: str, tmp_path: Path, *, mask: bool
) -> None:
    is_blanked = mask and reason == "burned_in_text"
    assert bool(why_no_picture(tmp_path / "a", reason, mask=mask, pseudonymous=True)) is not is_blanked
    assert why_no_picture(tmp_path / "b", reason, mask=mask, pseudonymous=False) == ""


def test_other_cautions_hide_nothing(tmp_path: Path) -> None:
    assert why_no_picture(tmp_path / "run", "empty_map", mask=False, pseudonymous=True) == ""
