"""Outputs that are left out change nothing for the findings, from the weights file to the report."""

from __future__ import annotations

import csv
import json
from math import exp
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from pipeline.audit import audit
from pipeline.audit_network import audit_network
from pipeline.audited_model.first_outputs import contradictions
from pipeline.audited_model.self_checks import run_self_checks
from pipeline.classifiers import prepare
from pipeline.cli import main
from pipeline.config import load_config
from pipeline.errors import AuditError
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.records import Image as Decoded
from tests.brightness import open_brightness_model, write_brightness_model
from tests.page_text import page_text
from tests.study import FINDINGS, write_study

NODULE, EFFUSION = (9.0, -4.0), (-7.0, 3.0)
OTHERS = ((40.0, 5.0), (3.0, 0.0), (0.0, 0.0))
OUTPUTS = (OTHERS[0], NODULE, OTHERS[1], EFFUSION, OTHERS[2])
"""Gain and bias of five outputs: of the first and the last, the card says that they were never trained."""
LEFT_OUT: dict[str, Any] = {
    "findings": [None, "nodule", "normal", "effusion", None],
    "not_findings": ["normal"],
}
POINTS = torch.tensor([torch.nan, 0.25, 0.5, 0.125, torch.nan])
TABLES = ("predictions.csv", "scores.csv", "summary.csv", "verdict.csv", "skill.csv", "calibration.csv")
SETTINGS = {
    "batch_size": 2, "contours.gate": "all", "statistics.replicates": 20, "burned_in_text.look": "contrast",
    "methods": ["gradcam", "gradcam@stride4", "occlusion"],
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"), count=4)


def run(study: Path, card: Path, out: Path, **settings: Any) -> Path:
    given = {"studies": str(study / "images"), "annotations.path": str(study), "model": str(card)}
    plan = make_plan(load_config(None, {**SETTINGS, **given, "out": str(out), **settings}))
    return audit(plan, executor=Here()).index.parent


def rows(run: Path, table: str) -> list[dict[str, str]]:
    with (run / table).open(newline="") as file:
        return list(csv.DictReader(file))


def columns(run: Path, table: str) -> dict[tuple[str, ...], list[str]]:
    """(column, finding, method, metric) → its values, sorted: pseudonyms differ from folder to folder."""
    found: dict[tuple[str, ...], list[str]] = {}
    for row in rows(run, table):
        of = tuple(row.get(name, "") for name in ("finding", "method", "metric"))
        for name in row.keys() - {"case_id", "patient_id"}:
            found.setdefault((name, *of), []).append(row[name])
    return {key: sorted(values, key=texts_last) for key, values in found.items()}


def read(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def texts_last(text: str) -> tuple[bool, float | str]:
    return isinstance(read(text), str), read(text)


def assert_alike(one: Path, other: Path) -> None:
    for table in TABLES:
        found, wanted = columns(one, table), columns(other, table)
        assert found.keys() == wanted.keys()
        for key, values in wanted.items():
            for ours, theirs in zip(found[key], values, strict=True):
                assert read(ours) == pytest.approx(read(theirs), abs=1e-4), (table, key)


def test_every_table_is_that_of_a_network_without_these_outputs(study: Path, tmp_path: Path) -> None:
    tensors, points = {"op_threshs": POINTS}, {"nodule": 0.25, "effusion": 0.125}
    card = write_brightness_model(
        tmp_path / "five", *OUTPUTS, tensors=tensors, operating_thresholds="file", **LEFT_OUT
    )
    plain = write_brightness_model(tmp_path / "two", NODULE, EFFUSION, operating_thresholds=points)
    found, wanted = run(study, card, tmp_path / "a"), run(study, plain, tmp_path / "b")
    assert_alike(found, wanted)
    assert {row["finding"] for row in rows(found, "predictions.csv")} == set(FINDINGS)
    manifest = json.loads((found / "manifest.json").read_text())
    assert manifest["findings"] == ["nodule", "effusion"]
    assert manifest["card"]["findings"] == LEFT_OUT["findings"]
    assert manifest["card"]["operating_thresholds"] == points
    page = page_text(found / "index.html")
    assert "2 of 5 (in their order: 1, 5), never trained as the card says" in page
    assert "normal: no maps, contours and scores" in page
    assert "no maps, contours and scores; they count" not in page


def test_where_normal_is_predicted_no_finding_is(study: Path, tmp_path: Path) -> None:
    """The softmax of 0, 5 and 0 is 0.987 for normal; without it, each finding would have 0.5."""
    heads = ((1e-3, 0.0), (1e-3, 5.0), (2e-3, 0.0))
    names = {"findings": ["nodule", "normal", "effusion"], "not_findings": ["normal"]}
    card = write_brightness_model(tmp_path, *heads, activation="softmax", **names)
    found = run(study, card, tmp_path / "out", **{"contours.gate": "predicted", "methods": ["gradcam"]})
    predictions = rows(found, "predictions.csv")
    assert len(predictions) == 4 * 2
    for row in predictions:
        assert float(row["probability"]) == pytest.approx(1 / (2 + exp(5)), rel=1e-2)
        assert float(row["probability"]) < float(row["threshold"])
    regions = json.loads((found / "regions.json").read_text())
    assert "gradcam" not in json.dumps(regions)
    assert "they count in the softmax" in page_text(found / "index.html")


def test_a_network_in_memory_leaves_out_the_same_outputs(study: Path, tmp_path: Path) -> None:
    class Small(nn.Module):
        def __init__(self, rows: list[int]) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.body = nn.Sequential(nn.Conv2d(1, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3))
            self.head = nn.Linear(8, 5)
            self.head.weight.data, self.head.bias.data = self.head.weight[rows], self.head.bias[rows]

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(self.body(images).relu().mean((2, 3)))

    def audited(network: nn.Module, out: Path, **names: Any) -> Path:
        return audit_network(
            network, **names, preprocess={"window": "full", "resize": {"rule": "exact", "size": 64}},
            studies=study / "images", annotations=study, executor=Here(),
            settings={**SETTINGS, "methods": ["gradcam", "occlusion"], "out": str(out)},
        ).index.parent  # fmt: skip

    found = audited(Small([0, 1, 2, 3, 4]), tmp_path / "a", **LEFT_OUT)
    wanted = audited(Small([1, 3]), tmp_path / "b", findings=["nodule", "effusion"])
    assert_alike(found, wanted)
    with pytest.raises(AuditError, match="5 listed for 2 outputs of the network; list one per output"):
        audited(Small([1, 3]), tmp_path / "c", **LEFT_OUT)


def test_self_checks_and_first_outputs_are_of_findings_alone(tmp_path: Path) -> None:
    """The last output is the same for every image, and the first lies beyond 0 … 1."""
    model = open_brightness_model(tmp_path, *OUTPUTS, **LEFT_OUT)
    assert "2 findings, 2 logits" in " ".join(result.detail for result in run_self_checks(model))

    def notices(**names: Any) -> tuple[str, ...]:
        opened = open_brightness_model(
            tmp_path,
            (40.0, 5.0),
            (0.5, 0.1),
            (0.4, 0.2),
            (0.0, 0.0),
            findings=[None, "a", "b", None],
            **names,
        )
        inputs = [
            prepare(Decoded("", torch.full((61, 61), brightness).numpy(), None), opened.preprocessing)
            for brightness in (0.0, 0.2, 0.4, 0.6)
        ]
        return tuple(notice.about for notice in contradictions(opened, inputs))

    assert notices() == ("activation",)  # as if the findings were probabilities; none of the constant output


def test_an_example_states_every_output_in_the_networks_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = write_brightness_model(tmp_path, *OUTPUTS, **LEFT_OUT)
    Image.new("L", (61, 61), 100).save(tmp_path / "grey.png")
    given = ["card", "check", str(card)]
    assert main.main([*given, "--image", str(tmp_path / "grey.png"), "--write"]) == 0
    said = [line.split(maxsplit=1)[1:] for line in capsys.readouterr().out.splitlines()[:5]]
    assert said == [["(output 1, left out)"], ["nodule"], ["normal"], ["effusion"], ["(output 5, left out)"]]
    assert main.main(given) == 0
    text = card.read_text()
    logits = text[text.index("logits: [") + 9 : text.rindex("]")].split(", ")
    card.write_text(text.replace(", ".join(logits), ", ".join([str(float(logits[0]) + 1), *logits[1:]])))
    assert main.main(given) != 0
    assert "the logit of '(output 1, left out)' is" in " ".join(capsys.readouterr().err.split())
