"""Every network that a card can name is recognised by its tensors; what fits equally, or nearly, is said."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from pipeline.classifiers import load_card
from pipeline.classifiers.classifier import open_classifier
from pipeline.classifiers.network_classes import NETWORKS
from pipeline.classifiers.new_card import new_card
from pipeline.classifiers.pickled import Content
from pipeline.classifiers.recognition.candidates import Candidate, own_families
from pipeline.classifiers.recognition.fitting import architecture_of, tensors_of
from pipeline.classifiers.recognition.recognising import Recognised, recognise
from pipeline.errors import ConfigError
from tests.classifiers.architectures.installed import is_installed
from tests.classifiers.architectures.networks import published
from tests.classifiers.test_new_card import ANSWERS, RECIPE

VIT = {"img_size": 64, "patch_size": 16, "hidden_size": 128, "mlp_dim": 96, "num_layers": 3}
OWN = [
    ("DenseNet169", {}),
    ("DenseNet", {"init_features": 64, "growth_rate": 12, "block_config": [6, 12], "bn_size": 2}),
    ("ResNet18", {}),
    ("ResNet101", {}),
    ("ResNet50", {"conv1_t_stride": 1, "bias_downsample": True}),
    ("ResNet34", {"conv1_t_size": 3}),
    ("ResNet", {"block": "basic", "layers": [1, 2, 1, 1], "block_inplanes": [4, 8, 8, 4]}),
    ("ResNet", {"block": "bottleneck", "layers": [1, 1, 1, 1], "block_inplanes": [4, 4, 4, 4]}),
    ("VGG16", {}),
    ("VGG11", {"batch_norm": True, "hidden": 512}),
    ("AlexNet", {"hidden": 256}),
    ("SqueezeNet1_0", {}),
    ("SqueezeNet1_1", {}),
    ("Xception", {}),
    ("SEResNext50", {}),
    ("EfficientNetBN", {"model_name": "efficientnet-b2"}),
    ("ViT", VIT | {"num_heads": 2}),
    ("ViT", VIT | {"qkv_bias": True, "post_activation": "none", "num_heads": 2}),
]


def tensors(name: str, *, channels: int = 3, outputs: int = 5, **arguments: Any) -> dict[str, Tensor]:
    """The tensors of a network as views of one number."""
    own = tensors_of(Candidate(name, arguments), channels=channels, outputs=outputs)
    return {key: torch.zeros(()).expand(tensor.shape) for key, tensor in own.items()}


def recognised(found: dict[str, Tensor]) -> Recognised:
    return recognise(Content({"state_dict": found}), Path("w.pth"))


@pytest.mark.parametrize(("name", "arguments"), OWN, ids=[f"{one[0]}-{len(one[1])}" for one in OWN])
def test_a_network_is_told_by_names_and_shapes(name: str, arguments: dict[str, Any]) -> None:
    given = tensors(name, channels=1, outputs=14, **arguments)
    found = recognised({f"module.net.{key}": value for key, value in given.items()})
    assert found.fit.candidate == Candidate(name, arguments)
    assert (found.fit.channels, found.fit.outputs) == (1, 14)
    assert found.fit.share == 1


def test_every_class_is_a_candidate() -> None:
    residual = {"layer1.0.conv1.weight": (64, 64, 3, 3)}
    named = {one.class_name for family in own_families(residual) for one in family}
    told = {
        name for name in NETWORKS if name.startswith(("DenseNet", "ResNet", "ViT"))
    }  # by shapes, see above
    assert named | told == set(NETWORKS)


def test_candidates_take_no_memory_for_weights() -> None:
    assert all(tensor.is_meta for name, tensor in tensors_of(Candidate("VGG19")).items())
    assert tensors_of(Candidate("torchvision:none")) == {}


def test_a_head_of_another_name_is_found() -> None:
    given = tensors("ResNet18")
    head = {f"head.fc.{part}": given.pop(f"fc.{part}") for part in ("weight", "bias")}
    found = recognised(given | head)
    assert found.fit.candidate.class_name == "ResNet18"
    assert found.fit.checkpoint.head == "head.fc"
    assert found.fit.outputs == 5


def test_what_no_tensor_shows_is_a_guess_with_its_alternatives(tmp_path: Path) -> None:
    network = published("ResNet18", outputs=2, channels=1)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    path = tmp_path / "card.yaml"
    text, (notice,) = new_card(tmp_path / "w.pth", out=path)
    assert notice.text() == (
        "The weights were taken for those of ResNet18. The same tensors also fit what may compute something "
        "else: ResNet18 (conv1_t_stride: 1). If it is that, correct class and arguments in the card."
    )
    assert re.search(r"class: ResNet18 +# a guess: the same tensors fit ResNet18 \(conv1_t_stride: 1\)", text)
    assert "does not say stride and pool of the first convolution" in text
    path.write_text(yaml.safe_dump(yaml.safe_load(text) | ANSWERS | {"preprocessing": RECIPE}))
    classifier = open_classifier(
        load_card(path), card_path=path, weights=None, device="cpu", precision="float32", allow_pickle=True
    )
    images = torch.linspace(0, 1, 2 * 64 * 64).reshape(2, 1, 64, 64)
    torch.testing.assert_close(classifier.network(images), network(images))


def test_the_only_network_with_these_tensors_is_no_guess(tmp_path: Path) -> None:
    torch.save(published("SqueezeNet1_1").state_dict(), tmp_path / "w.pth")
    text, notices = new_card(tmp_path / "w.pth", out=tmp_path / "card.yaml")
    assert notices == ()
    assert "# names and shapes of its 52 tensors are those of the file" in text
    assert "findings:  # what the 2 logits stand for, in their order" in text


HEAD: dict[str, tuple[int, ...] | None] = {
    "fc.0.weight": (9, 512), "fc.0.bias": (9,), "fc.2.weight": (2, 9), "fc.2.bias": (2,), "fc.weight": None,
    "fc.bias": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (HEAD, r"100 fit: 2 missing: fc\.weight, fc\.bias; 4 unexpected: fc\.0\.bias.*a head of several"),
        ({"conv1.weight": (64, 4, 7, 7)}, r"conv1\.weight \(64, 4, 7, 7\), wanted \(64, 3, 7, 7\)"),
        ({"bn1.weight": None}, r"nearest is ResNet18.*1 missing: bn1\.weight"),
        ({"layer1.0.gate.weight": (1, 64)}, r"nearest is ResNet18.*1 unexpected: layer1\.0\.gate\.weight"),
        (
            {"layer2.0.conv2.weight": (128, 128, 5, 5)},
            r"1 of another shape: layer2\.0\.conv2\.weight \(128, 128",
        ),
    ],
)
def test_the_nearest_network_is_named_with_what_differs(
    change: dict[str, tuple[int, ...] | None], found: str
) -> None:
    given = tensors("ResNet18")
    for name, shape in change.items():
        given.pop(name, None)
        if shape is not None:
            given[name] = torch.zeros(()).expand(shape)
    with pytest.raises(ConfigError, match=found):
        recognised(given)


@pytest.mark.parametrize(
    "shapes",
    [
        {"layer1.0.conv1.weight": (2**40, 1, 1, 1), "layer2.0.conv1.weight": (1,)},
        {f"layer{stage}.{n}.conv1.weight": (64, 1) for stage in range(1, 5) for n in range(600)},
        {f"features.denseblock1.denselayer{n}.conv2.weight": (32, 1) for n in range(2000)},
        {"classifier.0.weight": (2**50, 1), "features.0.weight": (64, 3, 3, 3), "features.0.bias": (64,)},
    ],
    ids=["wide", "deep", "dense", "hidden"],
)
def test_shapes_that_no_network_has_build_none(shapes: dict[str, tuple[int, ...]]) -> None:
    for family in own_families(shapes):
        for candidate in family:
            assert max(candidate.arguments.get("layers", [0])) < 600
            assert candidate.arguments.get("hidden", 0) < 2**20
            assert candidate.class_name not in {"DenseNet", "ResNet"}


class Small(nn.Module):
    """A network as libraries write them."""

    def __init__(
        self,
        num_classes: int = 9,
        in_chans: int = 3,
        width: int = 4,
        *,
        transform_input: bool = False,
        aux_logits: bool = True,
    ) -> None:
        super().__init__()
        self.transform_input = transform_input
        self.aux = nn.Linear(width, num_classes) if aux_logits and width == 8 else None
        self.stem = nn.Conv2d(in_chans, width, 3, bias=False)
        self.scale = nn.Parameter(torch.linspace(0, 1, width))
        self.head = nn.Linear(width, num_classes)


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins: torchvision with a network 6 wide, timm with two that are 4 wide, and one that fails."""
    models = ModuleType("torchvision.models")
    models.list_models = lambda **_module: ["wide", "inception_v3"]  # type: ignore[attr-defined]
    models.get_model_builder = lambda _name: Small  # type: ignore[attr-defined]
    models.get_model = lambda name, **given: Small(  # type: ignore[attr-defined]
        given["num_classes"],
        width=8 if name == "inception_v3" else 6,
        aux_logits=given.get("aux_logits", True),
    )
    torchvision = ModuleType("torchvision")
    torchvision.models = models  # type: ignore[attr-defined]
    timm = ModuleType("timm")
    timm.list_models = lambda: ["small", "tf_small", "broken"]  # type: ignore[attr-defined]
    timm.model_entrypoint = lambda _name: Small  # type: ignore[attr-defined]

    def made(name: str, **given: Any) -> nn.Module:
        if name == "broken":
            raise RuntimeError("no data")
        return Small(given["num_classes"], given["in_chans"])

    timm.create_model = made  # type: ignore[attr-defined]
    for name, module in (("torchvision", torchvision), ("torchvision.models", models), ("timm", timm)):
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("libraries")
def test_networks_of_installed_libraries_are_told_and_alike_ones_named() -> None:
    found = recognised(dict(Small(7, 1).state_dict()))
    assert (found.fit.candidate.class_name, found.fit.channels, found.fit.outputs) == ("timm:small", 1, 7)
    assert [one.class_name for one in found.alternatives] == ["timm:tf_small"]
    assert recognised(dict(Small(width=6).state_dict())).fit.candidate.words == "torchvision:wide"


@pytest.mark.usefixtures("libraries")
def test_an_argument_that_no_tensor_shows_is_a_question(tmp_path: Path) -> None:
    """And the second head, which serves training, may be there or not."""
    torch.save(Small(2, width=8).state_dict(), tmp_path / "w.pth")
    assert "aux_logits" not in new_card(tmp_path / "w.pth", out=tmp_path / "card.yaml")[0]
    torch.save(Small(2, width=8, aux_logits=False).state_dict(), tmp_path / "w.pth")
    text, _ = new_card(tmp_path / "w.pth", out=tmp_path / "card.yaml")
    assert (
        'out_channels: 2, aux_logits: false, transform_input: "?"} # transform_input: true or false' in text
    )
    (tmp_path / "card.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"architecture\.arguments\.transform_input"):
        load_card(tmp_path / "card.yaml")


@pytest.mark.parametrize(
    ("name", "arguments", "others"),
    [
        ("torchvision:inception_v3", {"transform_input": "?"}, []),
        ("torchvision:inception_v3", {"aux_logits": False, "transform_input": "?"}, []),
        ("timm:xception71", {}, []),
        ("timm:regnety_002", {}, []),
    ],
)
def test_networks_of_the_libraries_themselves_are_told(
    name: str, arguments: dict[str, Any], others: list[str]
) -> None:
    library = name.partition(":")[0]
    if not is_installed(library):
        pytest.skip(f"{library} is not installed; make test-libraries installs it")
    found = recognised(tensors(name, channels=1, outputs=2, **arguments))
    assert found.fit.candidate == Candidate(name, arguments)
    assert [one.words for one in found.alternatives] == others


def test_libraries_that_are_not_installed_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torchvision.models", "torchvision", "timm"):
        monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="with torchvision and timm installed, a card can name theirs, too"):
        recognised(dict(Small().state_dict()))


def test_an_architecture_is_stated_as_a_card_states_it() -> None:
    stated = architecture_of(Candidate("ResNet18", {"bias_downsample": True}), channels=1, outputs=3)
    assert stated.arguments.model_dump(exclude_none=True) == {
        "spatial_dims": 2, "in_channels": 1, "out_channels": 3, "bias_downsample": True,
    }  # fmt: skip
