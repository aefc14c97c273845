"""What `heatproof view` warns of before anybody looks."""

from __future__ import annotations

import json

from pipeline.reporting.run_folder import read_run
from pipeline.viewer.view import oblong_images
from tests.reporting.run_folder import make_run


def test_images_are_counted_whose_pixels_are_not_square(tmp_path):
    run = make_run(tmp_path / "run", cases=3)
    assert oblong_images(read_run(run)) == 0
    first, second = sorted(run.glob("cases/*/case.json"))[:2]
    for file, spacing in ((first, [0.4, 0.2]), (second, None)):
        case = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps(case | {"spacing_mm": spacing}), encoding="utf-8")
    assert oblong_images(read_run(run)) == 1
