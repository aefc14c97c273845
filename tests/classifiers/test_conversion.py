"""What is converted holds the same tensors, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pipeline.classifiers import ModelCard
from pipeline.classifiers.conversion import converted
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.onnx.architecture import OnnxFile
from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError
from tests.classifiers.layouts import LAYOUTS, lightning, shifted, state, under

IMAGES = torch.linspace(0, 1, 2 * 32 * 32).reshape(2, 1, 32, 32)
ROUNDED = ("half", "bfloat16")


def tensors_of(content: bytes, folder: Path) -> dict[str, Tensor]:
    (folder / "out.safetensors").write_bytes(content)
    return load_file(folder / "out.safetensors")


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name not in ROUNDED])
def test_with_a_card_the_tensors_are_those_of_its_network(
    network: nn.Module, card: ModelCard, tmp_path: Path, name: str
) -> None:
    layout = LAYOUTS[name]
    torch.save(layout.save(network), tmp_path / "w.pth", _use_new_zipfile_serialization=not layout.older)
    found = converted(tmp_path / "w.pth", card=card, state_dict=layout.state_dict)
    tensors = tensors_of(found.content, tmp_path)
    assert tensors.keys() == network.state_dict().keys()
    assert all(torch.equal(tensors[key], value) for key, value in network.state_dict().items())
    fresh = build_network(card).eval()
    loaded = load_weights(
        fresh, tmp_path / "out.safetensors", sha256=found.sha256, allow_pickle=False, state_dict=None
    )
    assert (loaded.notices, found.count) == ((), len(tensors))
    torch.testing.assert_close(fresh(IMAGES), network(IMAGES))


def test_without_a_card_names_stay_as_they_are(network: nn.Module, tmp_path: Path) -> None:
    torch.save(lightning(network), tmp_path / "w.ckpt")
    found = converted(tmp_path / "w.ckpt")
    judge = torch.load(tmp_path / "w.ckpt", weights_only=False)["state_dict"]
    tensors = tensors_of(found.content, tmp_path)
    assert tensors.keys() == judge.keys()
    assert all(torch.equal(tensors[key], value) for key, value in judge.items())
    assert "loops" not in tensors
    assert "global_step" in " ".join(notice.text() for notice in found.notices)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int8, torch.bool])
def test_types_stay_as_they_are(tmp_path: Path, dtype: torch.dtype) -> None:
    weight = torch.tensor([[0, 1], [1, 1]]).to(dtype)
    torch.save({"a.weight": weight.t(), "b.weight": weight[1:]}, tmp_path / "w.pt")
    tensors = tensors_of(converted(tmp_path / "w.pt").content, tmp_path)
    assert (tensors["a.weight"].dtype, tensors["b.weight"].dtype) == (dtype, dtype)
    assert torch.equal(tensors["a.weight"], weight.t())


def test_operating_points_are_kept_beside_the_network(
    network: nn.Module, card: ModelCard, tmp_path: Path
) -> None:
    points = torch.tensor([0.25, torch.nan])
    torch.save({"state_dict": {**state(network), "op_threshs": points}}, tmp_path / "w.pt")
    for given in (card, None):
        found = converted(tmp_path / "w.pt", card=given)
        assert found.operating_points[0] == 0.25
        kept = tensors_of(found.content, tmp_path)["op_threshs"]
        torch.testing.assert_close(kept, points, equal_nan=True)


def test_one_of_several_state_dicts_is_converted_by_its_name(network: nn.Module, tmp_path: Path) -> None:
    torch.save({"model": state(network), "ema": {"module": shifted(state(network))}}, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match="under 'model' and 'ema/module'; state the one"):
        converted(tmp_path / "w.pt")
    tensors = tensors_of(converted(tmp_path / "w.pt", state_dict="ema/module").content, tmp_path)
    name = "features.conv0.weight"
    assert torch.equal(tensors[name], state(network)[name] + 1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            {"weight": torch.ones(2).to_sparse()},
            "1 tensors are sparse, quantised or of a class of their own: we",
        ),
        ({f"{n}.weight": torch.ones(999).expand(9, 999) for n in range(9)}, "views of the same numbers"),
        ({"weight": torch.zeros(1).expand(10**13)}, "views of the same numbers"),
        ({"weight": torch.ones(2, dtype=torch.complex128)}, "tensors that safetensors cannot hold"),
        ({"epoch": 1}, "is not a state dict"),
    ],
    ids=["sparse", "repeated", "huge", "complex", "none"],
)
def test_what_safetensors_cannot_hold_is_refused(
    tmp_path: Path, content: dict[str, object], complaint: str
) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match=complaint):
        converted(tmp_path / "w.pt")


def test_a_missing_tensor_is_named_with_a_card(network: nn.Module, card: ModelCard, tmp_path: Path) -> None:
    tensors = state(network)
    del tensors["features.norm0.bias"]
    torch.save(under("model.", tensors), tmp_path / "w.pt")
    with pytest.raises(ConfigError, match=r"1 missing: features\.norm0\.bias"):
        converted(tmp_path / "w.pt", card=card)


def test_safetensors_lose_their_prefix(network: nn.Module, card: ModelCard, tmp_path: Path) -> None:
    save_file(under("module.", state(network)), tmp_path / "w.safetensors")
    tensors = tensors_of(converted(tmp_path / "w.safetensors", card=card).content, tmp_path)
    assert tensors.keys() == network.state_dict().keys()


def test_a_card_of_an_onnx_file_has_its_own_weights(
    network: nn.Module, card: ModelCard, tmp_path: Path
) -> None:
    torch.save(network.state_dict(), tmp_path / "w.pt")
    of_onnx = card.model_copy(update={"architecture": OnnxFile(onnx="network.onnx")})
    with pytest.raises(
        ConfigError, match="its architecture is an ONNX file, which holds its own weights; leave"
    ):
        converted(tmp_path / "w.pt", card=of_onnx)
