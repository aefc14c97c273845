"""Cards in configs/models: each is complete but for its weights, in a file as the field saves it."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn

from pipeline.audit import audit
from pipeline.audited_model.loading import AuditedModel, open_model
from pipeline.classifiers import load_card, prepare
from pipeline.classifiers.classifier import Classifier, open_classifier
from pipeline.classifiers.networks import build_network
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.phantoms.study_set import write_study_set
from pipeline.plan import make_plan
from pipeline.records import Image
from tests.classifiers.architectures.networks import fill
from tests.classifiers.test_pickled import published
from tests.classifiers.test_weights import torchvision

MODELS = Path(__file__).parents[1] / "configs" / "models"
CARDS = sorted(MODELS.glob("*.yaml"))
XRV = MODELS / "torchxrayvision_densenet121.yaml"
REPORTED = [
    XRV,
    *(MODELS / f"{name}.yaml" for name in ("chexpert_densenet121", "pneumonia_classes_resnet18")),
]
IMAGES = 2
LOGITS = (
    -1.9703787619399695, -3.8577294084040172, -4.828807665188782, -2.686851214784216, -2.5021701894360584,
    -4.693228207697789, -4.072250983454009, -2.0422044969929205, -3.4037384321387067, -5.077614099655135,
    -3.118003738852794, -1.9622528601475975, -4.315325894425928, -4.839521649029679, -2.3379080753458865,
    -2.499181344968512, -4.8901109701845265, -4.054596213359594,
)  # fmt: skip
"""Of torchxrayvision 1.5.7's DenseNet with the weights of `lively` for `wave()`, in double precision."""
OUTPUTS = (
    0.5259888768, 0.2700285017, 0.0404117145, 0.5272381902, 0.5266822577, 0.5034201145, 0.5033804178,
    0.5064654350, 0.2832108736, 0.1156355813, 0.4210279882, 0.5508381724, 0.3399325311, 0.0914990902,
    0.5183081627, 0.5207151175, 0.0184720736, 0.1699479669,
)  # fmt: skip
"""Of the same network: what it returns, after its operating points are brought to 0.5 (op_norm)."""
UNTRAINED = {"nih": (15, 16, 17, 18), "chex": (3, 6, 7, 10, 12, 13, 14)}
"""Training set → outputs that its file of torchxrayvision does not have, from 1."""


def lively(card: Path) -> nn.Module:
    """The card's network with weights of a formula, for which neither images nor outputs are all alike."""
    network = build_network(load_card(card)).eval()
    fill(network)
    if card == XRV:
        network.features.norm0.running_var *= 4e5  # its inputs are -1024 … 1024
        network.class_layers.out.weight.data *= 0.25
        network.class_layers.out.bias.data -= 3.5
    return network


def wave() -> Tensor:
    rows, columns = torch.arange(224.0)[:, None], torch.arange(224.0)
    return 1024 * torch.sin(0.11 * rows + 0.07 * columns + 0.0007 * rows * columns)[None, None]


def saved_by_torchxrayvision(tensors: dict[str, Tensor], path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a pickled network of a package that is not installed when it is read."""
    kind = type("DenseNet", (nn.Module,), {"__module__": "torchxrayvision.models"})
    module = ModuleType("torchxrayvision.models")
    module.DenseNet = kind  # type: ignore[attr-defined]
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "torchxrayvision", ModuleType("torchxrayvision"))
        patched.setitem(sys.modules, "torchxrayvision.models", module)
        torch.save(published(tensors, kind), path)


def write_weights(card: Path, path: Path, monkeypatch: pytest.MonkeyPatch, **more: Tensor) -> None:
    """The file of `lively`, in the layout in which such networks are published."""
    tensors = dict(lively(card).state_dict())
    if "densenet" in card.stem:
        tensors = torchvision(tensors)
    if card == XRV:
        saved_by_torchxrayvision({**tensors, **more}, path, monkeypatch)
    else:
        torch.save({"state_dict": tensors, "epoch": 3}, path)


def without_weights(card: Path, folder: Path, **changes: object) -> Path:
    """The card without the hash of the file that its author has."""
    values = yaml.safe_load(card.read_text())
    path = folder / card.name
    kept = {key: value for key, value in values.items() if key not in {"weights", "sha256"}}
    path.write_text(yaml.safe_dump({**kept, **changes}, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_study_set(folder, seed=5, count=IMAGES, size=256)
    return folder


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.stem)
def test_a_card_and_a_file_of_its_layout_give_a_map_of_each_finding(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(card, tmp_path / "w.pt", monkeypatch)
    model = open_model(
        without_weights(card, tmp_path), weights=tmp_path / "w.pt", allow_pickle=True, device="cpu",
        precision="float32", methods=["gradcam"],
    )  # fmt: skip
    stated = load_card(card)
    pixels = np.random.default_rng(0).random((300, 260), np.float32)
    batch = model.classifier.tensor([prepare(Image("", pixels, None), stated.preprocessing)], batch_size=1)
    explanation = model.explainer.explain(batch)
    assert explanation.logits.shape == (1, len(stated.findings))
    assert [unit_of(model)] == ["logit"]  # the head is known, so that maps are class activation maps
    with torch.no_grad():
        outputs = model.classifier.network(batch).numpy()[0]
    rows = [number for number, name in enumerate(stated.outputs) if name in stated.findings]
    if stated.activation == "softmax":
        p = torch.softmax(torch.tensor(outputs, dtype=torch.float64), 0).numpy()
        outputs = np.log(p / (1 - p))
    np.testing.assert_allclose(explanation.logits[0], outputs[rows], rtol=1e-4, atol=1e-4)
    assert np.ptp(explanation.maps["gradcam"], axis=(2, 3)).min() > 0


def unit_of(model: AuditedModel) -> str:
    return model.explainer.unit(model.explainer.methods[0])


@pytest.mark.parametrize("card", REPORTED, ids=lambda path: path.stem)
def test_a_card_and_a_file_of_its_layout_end_with_a_report(
    card: Path, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(card, tmp_path / "w.pt", monkeypatch)
    settings = {
        "studies": str(phantoms / "images"),
        "model": str(without_weights(card, tmp_path)),
        "weights": str(tmp_path / "w.pt"),
        "allow_pickle_weights": True,
        "out": str(tmp_path / "out"),
        "batch_size": IMAGES,
        "contours.gate": "all",
        "burned_in_text.look": "contrast",
    }
    run = audit(make_plan(load_config(None, settings)), executor=Here()).index.parent
    stated = load_card(card)
    with (run / "predictions.csv").open(newline="") as file:
        found = [row["finding"] for row in csv.DictReader(file)]
    assert sorted(found) == sorted(IMAGES * stated.findings)
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["findings"] == list(stated.findings)
    page = (run / "index.html").read_text()
    assert all(name in page for name in stated.outputs)


def opened(card: Path, weights: Path) -> Classifier:
    return open_classifier(
        load_card(card), card_path=card, weights=weights, device="cpu", precision="float32", allow_pickle=True
    )


def test_logits_are_those_of_torchxrayvision() -> None:
    with torch.no_grad():
        found = lively(XRV).double()(wave().double())[0]
    torch.testing.assert_close(found, torch.tensor(LOGITS, dtype=torch.float64), rtol=1e-9, atol=1e-9)


def test_the_operating_points_decide_as_torchxrayvision_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(XRV, tmp_path / "w.pt", monkeypatch)
    classifier = opened(XRV, tmp_path / "w.pt")
    with torch.no_grad():
        predictions = classifier.predictions(["wave"], classifier.network(wave()))
    for prediction, output in zip(predictions, OUTPUTS, strict=True):
        p, t = prediction.probability, prediction.threshold
        assert (p / (2 * t) if p < t else 1 - (1 - p) / (2 * (1 - t))) == pytest.approx(output, abs=1e-4)
        assert prediction.positive == (output >= 0.5)
    assert {prediction.positive for prediction in predictions} == {True, False}


@pytest.mark.parametrize("training_set", UNTRAINED)
def test_outputs_that_another_training_set_lacks_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training_set: str
) -> None:
    stated = load_card(XRV)
    missing = {number - 1 for number in UNTRAINED[training_set]}
    names = [None if number in missing else name for number, name in enumerate(stated.outputs)]
    codes = {name: code.model_dump() for name, code in stated.codes.items() if name in names}
    card = without_weights(XRV, tmp_path, findings=names, codes=codes, operating_thresholds="file")
    points = torch.tensor([torch.nan if n in missing else (n + 1) / 32 for n in range(len(names))])
    write_weights(XRV, tmp_path / "w.pt", monkeypatch, op_threshs=points)
    classifier = opened(card, tmp_path / "w.pt")
    assert classifier.findings == tuple(name for name in names if name)
    kept = [number for number in range(len(names)) if number not in missing]
    assert list(classifier.card.operating_thresholds.values()) == [(number + 1) / 32 for number in kept]


def test_the_input_is_that_of_torchxrayvision() -> None:
    """Its own resizing of another size: torch's, bilinear with antialiasing, after scaling to ±1024."""
    pixels = np.random.default_rng(0).random((300, 300), np.float32)
    found = prepare(Image("", pixels, None), load_card(XRV).preprocessing).tensor
    scaled = torch.from_numpy((2 * pixels - 1) * 1024)[None, None]
    wanted = torch.nn.functional.interpolate(scaled, size=(224, 224), mode="bilinear", antialias=True)[0]
    np.testing.assert_allclose(found, wanted, atol=0.1)  # of 2048; rounding of places in single precision


def test_the_center_crop_is_that_of_torchxrayvision_within_a_pixel() -> None:
    """It crops before it resizes; a column of light stays within a pixel of its place."""
    pixels = np.zeros((240, 320), np.float32)
    pixels[:, 200:204] = 1
    found = prepare(Image("", pixels, None), load_card(XRV).preprocessing).tensor[0]
    cropped = torch.from_numpy(pixels[:, 40:280])[None, None]
    wanted = torch.nn.functional.interpolate(cropped, size=(224, 224), mode="bilinear", antialias=True)
    columns = np.arange(224)
    centre = [
        float((rows * columns).sum() / rows.sum()) for rows in (found[0] + 1024, wanted[0, 0, 0].numpy())
    ]
    assert abs(centre[0] - centre[1]) < 1
