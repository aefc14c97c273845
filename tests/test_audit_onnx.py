"""A network that Keras trained goes from its ONNX file to a report."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.classifiers.onnx.test_card import FILE, SHA256, written
from tests.study import write_study

METHODS = "[cam, eigencam, scorecam, ablationcam, layercam, occlusion, {method: rise, samples: 40}]"


def test_a_keras_xception_goes_from_card_to_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(tmp_path / "study", count=4)
    code = main(
        [
            "audit",
            *("--studies", str(tmp_path / "study" / "images")),
            *("--annotations", str(tmp_path / "study")),
            *("--model", str(written(tmp_path))),
            *("--out", str(tmp_path / "out")),
            *("--set", f"methods={METHODS}", "--set", "statistics.replicates=50"),
            *("--set", "workers=1"),
        ]
    )
    assert code in {0, 1}, capsys.readouterr().err
    (run,) = (tmp_path / "out").glob("xception-*")
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["weights_sha256"] == SHA256
    with (run / "scores.csv").open(newline="") as file:
        methods = {row["method"] for row in csv.DictReader(file)}
    assert methods >= {"cam", "eigencam", "scorecam", "ablationcam", "layercam", "occlusion", "rise"}
    assert manifest["card"]["architecture"] == {"onnx": FILE}
    page = (run / "index.html").read_text()
    for name, value in (("ONNX file", FILE), ("ONNX file, SHA-256", SHA256)):
        assert re.search(rf"<dt>{name}</dt><dd[^>]*>{re.escape(value)}</dd>", page)
