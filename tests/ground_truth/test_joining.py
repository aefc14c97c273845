"""Joining: how names were matched is told, with the line that states it."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.ground_truth.matching import gather_truth
from tests.cohort.cases import case, pseudonym


def test_names_of_chexlocalize_join_paths_of_chexpert_as_a_guess(tmp_path: Path) -> None:
    triangle = [[1, 1], [4, 1], [4, 3]]
    names = [f"patient{n}_study1_view1_frontal" for n in (64622, 64623)]
    content = {name: {"img_size": [4, 6], "mass": [triangle]} for name in names}
    (tmp_path / "gt_annotations_val.json").write_text(json.dumps(content))
    cases = [
        case(f"{n}", relative_path=f"CheXpert-small/valid/patient{n}/study1/view1_frontal.jpg")
        for n in (64622, 64623)
    ]
    source = {"format": "chexlocalize", "file": "gt_annotations_val.json"}
    options = {"labels": None, "names": {}, "findings": ["mass"], "cases": cases, "pseudonym": pseudonym}
    truth = gather_truth(tmp_path, sources=[source], **options)
    assert sorted(truth.items) == ["case-64622-0", "case-64623-0"]
    (notice,) = truth.notices
    assert "2 by folders and file name joined by _" in notice.text()
    assert (notice.kind, notice.line()) == ("guess", "annotations: {join: auto}")
    pinned = gather_truth(tmp_path, sources=[source], join="auto", **options)
    assert (pinned.notices, pinned.items) == ((), truth.items)
