"""A network from a notebook gives the same report as a card."""

from __future__ import annotations

import csv
import inspect
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from pipeline.audit import audit
from pipeline.audit_network import audit_network
from pipeline.classifiers import load_card
from pipeline.classifiers.networks import build_network
from pipeline.config import load_config
from pipeline.errors import AuditError, ConfigError
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.records import Notice
from pipeline.run.outcome import Outcome
from tests.study import write_model, write_study

SETTINGS = {
    "batch_size": 2, "contours.gate": "all", "statistics.replicates": 20, "burned_in_text.look": "contrast",
}  # fmt: skip
PREPROCESS = {"window": "full", "resize": {"rule": "exact", "size": 64}}


class Small(nn.Module):
    """A network that no card can name."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv2d(1, 6, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(6, 8, 3, padding=1)
        )
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.body(images).relu().mean((2, 3))))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, count=4)
    return folder


def run(study: Path, out: Path, network: nn.Module, **options: Any) -> Outcome:
    given = {"findings": ["nodule", "effusion"], "preprocess": PREPROCESS, **options}
    settings = {**SETTINGS, "out": str(out), **given.pop("settings", {})}
    return audit_network(
        network, studies=study / "images", annotations=study, settings=settings, executor=Here(), **given
    )


def scores(outcome: Outcome) -> list[tuple[str, ...]]:
    with (outcome.index.parent / "scores.csv").open(newline="") as file:
        return [(row["finding"], row["method"], row["metric"], row["value"]) for row in csv.DictReader(file)]


def test_any_module_goes_to_a_report(study: Path, tmp_path: Path) -> None:
    outcome = run(study, tmp_path, Small(), settings={"methods": ["gradcam", "occlusion"]})
    page = outcome.index.read_text()
    assert outcome.index.parent.name.startswith("network-")
    assert "a network in memory, of the class Small" in page
    assert {row[1] for row in scores(outcome) if row[3]} >= {"gradcam", "occlusion"}


def test_a_network_that_takes_other_images_is_refused_with_the_key_to_state(
    study: Path, tmp_path: Path
) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    with pytest.raises(
        ConfigError,
        match=r"audit_network: preprocess: the network fails on a batch of the shape \(\d+, 1, 64, 64\) .*"
        r"expected input.* to have 3 channels, but got 1 channels instead; state its channels",
    ):
        run(study, tmp_path, network)


def test_the_report_is_that_of_a_card_with_the_same_network(study: Path, tmp_path: Path) -> None:
    card_path = write_model(tmp_path / "model")
    card = load_card(card_path)
    network = build_network(card)
    network.load_state_dict(load_file(tmp_path / "model" / "tiny.safetensors"))
    settings = {**SETTINGS, "studies": str(study / "images"), "annotations.path": str(study)}
    plan = make_plan(load_config(None, {**settings, "model": str(card_path), "out": str(tmp_path / "card")}))
    wanted = audit(plan, executor=Here())
    found = run(
        study, tmp_path / "memory", network, preprocess=card.preprocessing.model_dump(exclude_none=True)
    )  # fmt: skip
    assert [row[:3] for row in scores(found)] == [row[:3] for row in scores(wanted)]
    for one, other in zip(scores(found), scores(wanted), strict=True):
        assert one[3] == other[3] or float(one[3]) == pytest.approx(float(other[3]), abs=1e-6)


def test_notices_are_printed_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    shown = inspect.signature(audit_network).parameters["notify"].default
    shown([Notice("guess", "annotations", "The file {0} is read.", ("a\x1b[2J\nb.csv",))])
    assert capsys.readouterr().out == "Guess: The file a\\x1b[2J\\nb.csv is read.\n"


def test_the_network_stays_as_it_is(study: Path, tmp_path: Path) -> None:
    network = Small().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    run(study, tmp_path, network)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_a_network_of_another_precision_is_audited_in_float32_and_told(study: Path, tmp_path: Path) -> None:
    network, notices = Small().double(), list[Notice]()
    found = run(study, tmp_path / "double", network, notify=notices.extend)
    assert network.head.weight.dtype is torch.float64
    assert any(notice.text().endswith("its weights are torch.float64.") for notice in notices)
    for one, other in zip(scores(found), scores(run(study, tmp_path / "single", Small())), strict=True):
        assert one[3] == other[3] or float(one[3]) == pytest.approx(float(other[3]), abs=1e-6)


def test_other_weights_are_another_run(study: Path, tmp_path: Path) -> None:
    first, second = Small(), Small()
    second.head.weight.data[0, 0] += 0.5
    names = {run(study, tmp_path, network).index.parent.name for network in (first, first, second)}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"findings": "mass"}, "audit_network: findings: is the text 'mass'; give a list of names"),
        ({"findings": ["nodule", "nodule"]}, "audit_network: findings: nodule occurs more than once"),
        ({"preprocess": {"window": "full"}}, "audit_network: preprocess.resize: is missing"),
        ({"activation": "relu"}, "audit_network: activation: wanted"),
        ({"thresholds": {"mass": 0.5}}, "audit_network: thresholds: unknown finding 'mass'"),
        ({"settings": {"batch": 8}}, "settings: batch: unknown key"),
        ({"settings": {"model": "a.yaml"}}, "model: is set, but audit_network audits the network"),
        ({"findings": ["nodule"]}, "findings: 1 listed for 2 outputs of the network; list one per output"),
    ],
)
def test_a_wrong_argument_is_named(
    study: Path, tmp_path: Path, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(AuditError, match=complaint):
        run(study, tmp_path, Small(), **options)


def test_paths_that_are_not_there_are_named_by_their_arguments() -> None:
    with pytest.raises(ConfigError) as refusal:
        audit_network(
            Small(), findings=["nodule", "effusion"], preprocess=PREPROCESS, studies="/nowhere/s",
            annotations="/nowhere/a", settings={"out": __file__},
        )  # fmt: skip
    assert str(refusal.value).splitlines() == [
        "studies: /nowhere/s does not exist; correct the path, or give studies=<folder>",
        f"out: {__file__} is a file, wanted a folder; give settings={{'out': <folder>}}",
        "annotations.path: /nowhere/a does not exist; correct the path, or give annotations=<folder or file>",
    ]


def test_no_notice_of_a_network_in_memory_speaks_of_a_card_or_of_options(study: Path, tmp_path: Path) -> None:
    class Bounded(Small):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward(images).sigmoid()

    told: list[str] = []
    audit_network(
        Bounded(), findings=["nodule", "effusion"], preprocess=PREPROCESS, studies=str(study / "images"),
        settings={**SETTINGS, "out": str(tmp_path)}, executor=Here(),
        notify=lambda notices: told.extend(notice.text() for notice in notices),
    )  # fmt: skip
    assert any("the activation is stated as sigmoid" in text for text in told)
    assert any("No annotations were given" in text for text in told)
    assert not [text for text in told if "card" in text or "--" in text]


def test_torchscript_is_refused_by_name(study: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls it deprecated
        scripted = torch.jit.trace(Small().eval(), torch.zeros(1, 1, 64, 64))
    with pytest.raises(
        ConfigError, match=r"TopLevelTracedModule, whose layers cannot be read; give the nn.Module"
    ):
        run(study, tmp_path, scripted)
