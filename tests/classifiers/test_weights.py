from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.classifiers import ModelCard
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.weights import load_content, load_weights
from pipeline.errors import ConfigError

IMAGES = torch.linspace(0, 1, 2 * 32 * 32).reshape(2, 1, 32, 32)
Tensors = dict[str, Tensor]


def torchvision(tensors: Tensors) -> Tensors:
    return {
        name.replace("layers.", "", 1).replace("class_out", "classifier"): tensor
        for name, tensor in (
            (key.replace("class_layers.out", "class_out"), value) for key, value in tensors.items()
        )
    }


def torchxrayvision(tensors: Tensors) -> Tensors:
    return {**torchvision(tensors), "op_threshs": torch.full((2,), torch.nan)}


def chexnet(tensors: Tensors) -> Tensors:
    renamed = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): tensor
        for name, tensor in torchvision(tensors).items()
    }
    return {f"module.densenet121.{k.replace('classifier', 'classifier.0')}": v for k, v in renamed.items()}


def without_counters(tensors: Tensors) -> Tensors:
    return {k: v for k, v in tensors.items() if not k.endswith("num_batches_tracked")}


LAYOUTS = {
    torchvision: {"features.denseblock1.denselayer1.norm1.weight", "classifier.weight"},
    torchxrayvision: {"features.denseblock1.denselayer2.conv2.weight", "classifier.bias", "op_threshs"},
    chexnet: {
        "module.densenet121.features.denseblock1.denselayer1.norm.1.running_mean",
        "module.densenet121.features.denseblock2.denselayer1.conv.2.weight",
        "module.densenet121.features.transition1.conv.weight",
        "module.densenet121.classifier.0.weight",
    },
    without_counters: {"class_layers.out.weight"},
}
"""Layout → tensor names in real files of that layout."""


@pytest.fixture
def fresh(card: ModelCard) -> nn.Module:
    return build_network(card).eval()


def saved(tensors: Tensors, path: Path) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


def assert_alike(one: nn.Module, other: nn.Module) -> None:
    """Both have the same weights, to the last bit, and thus the same logits, to rounding."""
    weights, others = one.state_dict(), other.state_dict()
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    torch.testing.assert_close(one(IMAGES), other(IMAGES))


def load(network: nn.Module, path: Path, *, stated: str | None = None, allow_pickle: bool = True) -> str:
    return load_weights(network, path, sha256=stated, allow_pickle=allow_pickle).sha256


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_under_other_names_give_the_same_logits(
    network: nn.Module, fresh: nn.Module, tmp_path: Path, layout: Callable[[Tensors], Tensors]
) -> None:
    tensors = layout(network.state_dict())
    assert set(tensors) >= LAYOUTS[layout]
    assert not torch.equal(fresh(IMAGES), network(IMAGES))
    load(fresh, saved(tensors, tmp_path / "w.safetensors"))
    assert_alike(fresh, network)


@pytest.mark.parametrize(
    "wrap",
    [lambda tensors: tensors, lambda tensors: {"state_dict": tensors, "epoch": 3}],
    ids=["bare", "wrapped"],
)
@pytest.mark.parametrize("suffix", ["pt", "pth", "pth.tar"])
def test_a_pickled_state_dict_is_read_when_allowed(
    network: nn.Module, fresh: nn.Module, tmp_path: Path, suffix: str, wrap: Callable[[Tensors], object]
) -> None:
    path = tmp_path / f"w.{suffix}"
    torch.save(wrap(network.state_dict()), path)
    load(fresh, path)
    assert_alike(fresh, network)


def test_half_precision_is_widened(network: nn.Module, fresh: nn.Module, tmp_path: Path) -> None:
    load(fresh, saved(network.half().state_dict(), tmp_path / "w.safetensors"))
    assert {p.dtype for p in fresh.parameters()} == {torch.float32}
    assert_alike(fresh, network.float())


def test_the_hash_of_the_file_is_returned_and_compared(
    network: nn.Module, fresh: nn.Module, tmp_path: Path
) -> None:
    path = saved(network.state_dict(), tmp_path / "w.safetensors")
    found = sha256(path.read_bytes()).hexdigest()
    assert load(fresh, path, stated=found) == found
    with pytest.raises(ConfigError, match=rf"sha256 is {found}, but the model card states 0000"):
        load(fresh, path, stated="0" * 64)


class _RunsCode:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("save", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(
    fresh: nn.Module, tmp_path: Path, save: Callable[[object, Path], object]
) -> None:
    marker, path = tmp_path / "ran", tmp_path / "w.pt"
    save({"state_dict": _RunsCode(marker)}, path)
    with pytest.raises(ConfigError, match=r"contains more than tensors \(.*Path.*which can run code"):
        load(fresh, path)
    assert not marker.exists()
    torch.load(path, weights_only=False) if save is torch.save else pickle.loads(path.read_bytes())
    assert marker.exists(), "the pickle does not run code, so this test shows nothing"


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_there_is_no_fall_back_from_one_format_to_another(
    fresh: nn.Module, tmp_path: Path, suffix: str
) -> None:
    """A pickle named .safetensors is refused; a pickle named .pt is refused without allow_pickle."""
    marker, path = tmp_path / "ran", tmp_path / f"w.{suffix}"
    torch.save({"state_dict": _RunsCode(marker)}, path)
    with pytest.raises(ConfigError, match=r"is not a safetensors file|a pickle can run code"):
        load(fresh, path, allow_pickle=False)
    assert not marker.exists()


def test_a_checkpoint_that_would_inflate_is_refused_before_it_does(fresh: nn.Module, tmp_path: Path) -> None:
    torch.save(fresh.state_dict(), tmp_path / "plain.pt")
    load(fresh, tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(tmp_path / "w.pt", "w") as packed:
        for entry in plain.infolist():
            packed.writestr(entry.filename, plain.read(entry), zipfile.ZIP_DEFLATED)
        packed.writestr("archive/bomb", bytes(2**26), zipfile.ZIP_DEFLATED)
    with pytest.raises(ConfigError, match="its parts are larger than the file"):
        load(fresh, tmp_path / "w.pt")


def test_a_damaged_file_is_an_error_wherever_it_is_damaged(
    network: nn.Module, fresh: nn.Module, tmp_path: Path
) -> None:
    good = saved(network.state_dict(), tmp_path / "w.safetensors").read_bytes()
    torch.save(network.state_dict(), tmp_path / "w.pt")
    pickled = (tmp_path / "w.pt").read_bytes()
    random = Random(6)
    refused = 0
    for content, name in ((good, "d.safetensors"), (pickled, "d.pt")) * 30:
        damaged = bytearray(content[: random.choice((len(content), random.randrange(len(content))))])
        for _ in range(random.choice((1, 20))):
            damaged[random.randrange(min(len(damaged), 3000))] = random.randrange(256)
        (tmp_path / name).write_bytes(damaged)
        try:
            load(fresh, tmp_path / name)
        except ConfigError:
            refused += 1
    assert refused > 40  # the rest changed a weight: that is what the stated sha256 is for


def test_a_pickle_is_not_opened_unless_allowed(fresh: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(fresh.state_dict(), path)
    with pytest.raises(
        ConfigError, match="set allow_pickle_weights: true in the config for a file whose origin"
    ):
        load(fresh, path, allow_pickle=False)


def test_a_missing_file_is_named(fresh: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"w\.safetensors: the weights cannot be read \(No such file.*check the path"
    ):
        load(fresh, tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("w.safetensors", b"\x08\0\0\0\0\0\0\0{}", "is not a safetensors file"),
        ("w.pt", b"not a pickle", "is a damaged pickle, or none"),
        ("w.h5", b"", "is an empty file, wanted a state dict (.safetensors, .pth"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    fresh: nn.Module, tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        load(fresh, tmp_path / name)


@pytest.mark.parametrize("content", [torch.zeros(2), {"weight": [1.0]}], ids=["tensor", "lists"])
def test_a_pickle_of_something_else_is_refused(fresh: nn.Module, tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match="is not a state dict"):
        load(fresh, tmp_path / "w.pt")


BIAS = "class_layers.out.bias"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({BIAS: None}, f"1 missing: {BIAS}"),
        ({"extra": torch.zeros(1)}, "1 unexpected: extra"),
        ({f"extra{i}": torch.zeros(1) for i in range(5)}, "5 unexpected: extra0, extra1, extra2 and 2 more"),
        ({BIAS: torch.zeros(3)}, f"1 of another shape: {BIAS} (3,), wanted (2,)"),
        ({BIAS: torch.tensor([0, torch.nan])}, f"1 not finite: {BIAS}"),
        ({BIAS: torch.tensor([0, torch.inf])}, f"1 not finite: {BIAS}"),
        ({BIAS: torch.tensor([1e300, 0], dtype=torch.float64)}, f"1 not finite: {BIAS}"),
        ({BIAS: torch.tensor([0, 1], dtype=torch.int8)}, f"1 not floating point: {BIAS}"),
        ({"classifier.bias": torch.zeros(2)}, "its head has several layers"),
        ({"_orig_mod.features.norm0.bias": torch.zeros(4)}, "two tensors map to features.norm0.bias"),
        ({"module.classifier.bias": torch.zeros(2)}, "1 unexpected: module.classifier.bias"),
        ({BIAS: None, "op_threshs": torch.zeros(2)}, f"1 missing: {BIAS}"),
    ],
)
def test_tensors_that_do_not_fit_are_named_and_none_is_loaded(
    network: nn.Module, fresh: nn.Module, tmp_path: Path, change: dict[str, Tensor | None], complaint: str
) -> None:
    tensors = {**network.state_dict(), **change}
    path = saved({k: v for k, v in tensors.items() if v is not None}, tmp_path / "w.safetensors")
    before = deepcopy(fresh)
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        load(fresh, path)
    assert_alike(fresh, before)


COUNTED = "features.norm0.num_batches_tracked"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({BIAS: torch.zeros(1, dtype=torch.half).expand(10**13)}, f"1 of another shape: {BIAS}"),
        ({"extra": torch.zeros(1, dtype=torch.half).expand(10**13)}, "1 unexpected: extra"),
        ({"op_threshs": torch.zeros(1).expand(10**13), BIAS: None}, f"1 missing: {BIAS}"),
        ({BIAS: torch.zeros(2, device="meta")}, f"1 not dense real tensors in memory: {BIAS}"),
        ({BIAS: torch.zeros(2).to_sparse()}, f"1 not dense real tensors in memory: {BIAS}"),
        ({BIAS: torch.zeros(2, dtype=torch.complex64)}, f"1 not dense real tensors in memory: {BIAS}"),
        ({COUNTED: torch.tensor(0).to_sparse()}, f"1 not dense real tensors in memory: {COUNTED}"),
        ({COUNTED: torch.zeros((), dtype=torch.complex64)}, f"1 not dense real tensors in memory: {COUNTED}"),
        ({COUNTED: torch.tensor(torch.nan)}, f"1 not finite: {COUNTED}"),
        ({"\x1b[31m": torch.zeros(1)}, "1 unexpected: ?[31m"),
    ],
)
def test_a_pickled_tensor_that_is_not_dense_or_not_finite_is_refused(
    network: nn.Module, fresh: nn.Module, tmp_path: Path, change: dict[str, Tensor | None], complaint: str
) -> None:
    assert COUNTED in network.state_dict()
    tensors = {**network.state_dict(), **change}
    torch.save({k: v for k, v in tensors.items() if v is not None}, tmp_path / "w.pt")
    before = deepcopy(fresh)
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        load(fresh, tmp_path / "w.pt")
    assert_alike(fresh, before)


def test_a_view_larger_than_its_file_is_refused_even_with_the_right_shape(tmp_path: Path) -> None:
    network = nn.Linear(4000, 4000, bias=False)
    torch.save({"weight": torch.zeros(1).expand(4000, 4000)}, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match="1 larger than the file: weight"):
        load(network, tmp_path / "w.pt")


def test_what_load_state_dict_refuses_is_a_config_error(
    network: nn.Module, fresh: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(fresh, "load_state_dict", refuse)
    with pytest.raises(ConfigError, match="cannot be loaded into the network"):
        load(fresh, saved(network.state_dict(), tmp_path / "w.safetensors"))


def test_tensors_of_safetensors_are_read_in_one_order(network: nn.Module, tmp_path: Path) -> None:
    """The library gives them in another order in every process, and notices name the first ones."""
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    content = load_content((tmp_path / "w.safetensors").read_bytes(), tmp_path, allow_pickle=False)
    assert isinstance(content.value, dict)
    assert list(content.value) == sorted(network.state_dict())


class WithTable(nn.Module):
    """A network that keeps whole numbers, as torchvision's Swin keeps the positions in its windows."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.register_buffer("positions", torch.tensor([[0, 1], [1, 0]]))


def test_whole_numbers_that_a_network_keeps_are_those_of_its_weights(tmp_path: Path) -> None:
    path, saved = tmp_path / "w.safetensors", WithTable().state_dict()
    save_file(saved, path)
    network = WithTable()
    load_weights(network, path, sha256=None, allow_pickle=False)
    torch.testing.assert_close(network.state_dict(), saved, rtol=0, atol=0)


@pytest.mark.parametrize(
    "table", [torch.tensor([[0, 1], [1, 2**40]]), torch.eye(2), torch.eye(2, dtype=torch.int32)]
)
def test_other_whole_numbers_than_those_of_the_network_are_refused(table: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({**WithTable().state_dict(), "positions": table}, path)
    with pytest.raises(ConfigError, match="1 other than the network's own whole numbers: positions"):
        load_weights(WithTable(), path, sha256=None, allow_pickle=False)
