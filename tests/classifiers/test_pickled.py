"""Checkpoints are read as torch's restricted unpickler reads them, and nothing that they name is run."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.classifiers import ModelCard
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.pickle_machine import read_pickle
from pipeline.classifiers.pickled import Content, load_pickle
from pipeline.classifiers.state_dicts import state_dicts
from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError
from tests.classifiers.layouts import LAYOUTS, Trainer
from tests.classifiers.test_weights import torchvision

PATH = Path("w.pt")
DTYPES = (
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool, torch.complex64),
)
WHOLE = [name for name in LAYOUTS if name.startswith("whole")]


def saved(content: object, *, older: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not older)
    return file.getvalue()


def read(content: bytes) -> Any:
    return load_pickle(content, PATH).value


def assert_same(found: Any, judge: Any) -> None:
    """Mappings hold the same tensors: numbers, types, shapes and strides."""
    assert list(found) == list(judge)
    for key, value in judge.items():
        if isinstance(value, dict):
            assert_same(found[key], value)
        else:
            assert (found[key].dtype, found[key].stride()) == (value.dtype, value.stride())
            assert torch.equal(found[key], value)


@pytest.mark.parametrize("older", [False, True], ids=["zip", "older"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_are_those_of_torch(dtype: torch.dtype, *, older: bool) -> None:
    values = torch.arange(24).reshape(2, 3, 4).to(dtype)
    views = {
        "a": values,
        "turned": values.permute(2, 0, 1),
        "part": values[1:, :, 2:],
        "number": values[1, 2, 3],
    }
    views |= {"empty": values[:0], "spread": values[:1].expand(5, 3, 4), "like": values.clone()}
    if dtype.is_floating_point:
        views["parameter"] = nn.Parameter(values)
    content = saved({"outer": views, "spare": values}, older=older)
    assert_same(read(content), torch.load(io.BytesIO(content), weights_only=True))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_pickle_wrote_without_torch_is_read_in_every_protocol(network: nn.Module, protocol: int) -> None:
    tensors = network.state_dict()
    assert_same(read(pickle.dumps(tensors, protocol)), tensors)
    assert_same(read(pickle.dumps(network, protocol)), tensors)


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_network_has_the_tensors_of_its_state_dict(network: nn.Module, name: str) -> None:
    layout = LAYOUTS[name]
    given: Any = layout.save(network)
    network_within: Any = given if isinstance(given, nn.Module) else None
    if network_within is None:
        network_within = given.model if isinstance(given, Trainer) else given["net"]
    content = load_pickle(saved(given, older=layout.older), PATH)
    (found,) = state_dicts(content, PATH)
    assert_same(found.tensors, network_within.state_dict())
    assert found.network


def test_buffers_that_a_state_dict_leaves_out_are_left_out() -> None:
    layer = nn.BatchNorm2d(3)
    layer.register_buffer("scratch", torch.ones(2), persistent=False)
    layer.register_buffer("nothing", None)
    layer.note = torch.ones(1)
    outer = nn.Sequential(layer, nn.ReLU(), layer)
    assert_same(read(saved(outer)), outer.state_dict())


def test_tensors_without_checksums_are_read_and_damaged_ones_refused() -> None:
    tensors = {"weight": torch.arange(400.0)}
    torch.serialization.set_crc32_options(compute_crc32=False)
    try:
        assert_same(read(saved(tensors)), tensors)
    finally:
        torch.serialization.set_crc32_options(compute_crc32=True)
    content = bytearray(saved(tensors))
    content[content.index(struct.pack("<f", 300.0))] ^= 1
    with pytest.raises(ConfigError, match="is a damaged pickle"):
        read(bytes(content))


def test_the_byte_order_of_other_machines_is_refused() -> None:
    content = saved({"weight": torch.ones(2)})
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(file, "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, b"big" if name.endswith("byteorder") else archive.read(name))
    with pytest.raises(ConfigError, match="is a damaged pickle"):
        read(file.getvalue())


def calls(pickled: bytes) -> Content:
    return load_pickle(pickled, PATH)


class _Touches:
    """Makes a file when pickle loads it."""

    def __init__(self, marker: Path, make: Callable[..., Any]) -> None:
        self.marker, self.make = marker, make

    def __reduce__(self) -> tuple[Any, ...]:
        return self.make, (self.marker,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("make", [os.mkdir, Path.touch, Path("x").__class__.mkdir, subprocess.check_call])
def test_a_function_is_named_and_never_called(
    tmp_path: Path, make: Callable[..., Any], protocol: int
) -> None:
    """In every protocol, and if the name is reached through getattr or a class."""
    marker = tmp_path / "marker"
    found = calls(pickle.dumps({"args": _Touches(marker, make)}, protocol))
    assert make.__name__ in found.calls[0]
    assert not marker.exists()


@pytest.mark.parametrize(
    ("pickled", "name"),
    [
        (b"(S'echo'\nios\nsystem\n.", "os.system"),  # INST
        (b"(cos\nsystem\nS'echo'\no.", "os.system"),  # OBJ
        (b"cfunctools\npartial\n(cos\nsystem\ntR(S'echo'\ntR.", "functools.partial"),  # a call of a result
        (b"cbuiltins\ngetattr\n(cos\nS'system'\ntR(S'echo'\ntR.", None),  # os is not a name with a module
        (b"ctorch\nload\n(S'x'\ntR.", "torch.load"),
        (b"cnumpy\nload\n(S'x'\ntR.", "numpy.load"),
    ],
)
def test_every_kind_of_call_is_told(pickled: bytes, name: str | None) -> None:
    if name is None:
        with pytest.raises(ConfigError, match="is a damaged pickle"):
            calls(pickled)
    else:
        assert calls(pickled).calls == (name,)


@pytest.mark.parametrize("place", range(5))
def test_a_call_in_any_part_of_the_older_format_is_told(place: int) -> None:
    file = io.BytesIO(saved({"weight": torch.ones(2)}, older=True))
    parts = []
    for _ in range(5):
        start = file.tell()
        read_pickle(file)
        parts.append(file.getvalue()[start : file.tell()])
    parts[place] = parts[place][:2] + b"cos\nsystem\n(S'echo'\ntR0" + parts[place][2:]
    content = b"".join(parts) + file.read()
    if place == 0:  # no longer torch's number: read as any pickle
        assert calls(content).calls == ("os.system",)
    else:
        assert calls(content).calls == ("os.system",)


def test_no_module_is_imported() -> None:
    """A module that a file names is not looked for; neither is that of a class."""
    for name in ("antigravity", "turtle"):
        assert name not in sys.modules
    found = calls(b"cantigravity\nfly\n(tR0cturtle\nTurtle\n)\x81}b.")
    assert found.calls == ("antigravity.fly",)
    assert not {"antigravity", "turtle"} & sys.modules.keys()


def test_objects_of_others_are_named() -> None:
    content = load_pickle(saved({"a": Trainer(nn.Linear(1, 1))}), PATH)
    assert content.objects == ("tests.classifiers.layouts.Trainer",)
    assert content.calls == ()


def deep(count: int) -> bytes:
    return b"\x80\x02" + b"}X\x01\0\0\0a" * count + b"N" + b"s" * count + b"."


HOSTILE = {
    "deep mappings": deep(50_000),
    "deep keys": b"\x80\x02}" + b")" * 1 + b"\x85" * 50_000 + b"Ns.",
    "mapping in itself": b"\x80\x02}q\0" + b"".join(
        b"X\x04\0\0\0" + b"%04d" % n + b"h\0s" for n in range(3000)
    ) + b".",
    "memo": b"\x80\x02Nr\xff\xff\xff\xff.",
    "long name": b"\x80\x02cbuiltins\ngetattr\nq\0cevil\nmod\nX\xff\0\0\0" + b"x" * 255 + b"q\2\x86Rq\3"
    + b"0h\0h\3h\2\x86Rq\3" * 1000 + b".",
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pickles_end_soon_in_little_memory(kind: str) -> None:
    tracemalloc.start()
    with contextlib.suppress(ConfigError):
        load_pickle(HOSTILE[kind], PATH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**27


def test_operations_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.classifiers.pickle_machine.MOST_OPERATIONS", 1000)
    load_pickle(b"\x80\x02" + b"N0" * 499 + b"N.", PATH)
    with pytest.raises(ConfigError, match="is a damaged pickle"):
        load_pickle(b"\x80\x02" + b"N0" * 500 + b"N.", PATH)


def test_copies_of_a_mapping_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of a hundred pairs becomes a mapping ten times; each time it is a copy."""
    monkeypatch.setattr("pipeline.classifiers.pickle_objects.MOST_COPIES", 1000)
    pairs = b"\x80\x02](" + b"K\1K\2\x86" * 100 + b"eq\0ccollections\nOrderedDict\nq\1"
    load_pickle(pairs + b"h\1h\0\x85R0" * 10 + b"N.", PATH)
    with pytest.raises(ConfigError, match="is a damaged pickle"):
        load_pickle(pairs + b"h\1h\0\x85R0" * 11 + b"N.", PATH)


def test_layers_that_repeat_each_other_without_end_are_refused() -> None:
    """Forty levels of two times the same layer are a trillion layers."""
    empty = b"}q\0(X\x0b\0\0\0_parameters}X\x08\0\0\0_buffers}X\x08\0\0\0_modules}"
    pickled = b"\x80\x02cmodel\nNet\nq\1)\x81" + empty + b"ubq\2"
    for level in range(3, 43):
        memo = bytes((level,))
        inner = bytes((level - 1,))
        pickled += b"0h\1)\x81}(X\x0b\0\0\0_parameters}X\x08\0\0\0_buffers}X\x08\0\0\0_modules}"
        pickled += b"(X\x01\0\0\0ah" + inner + b"X\x01\0\0\0bh" + inner + b"uubq" + memo
    with pytest.raises(ConfigError, match="is a damaged pickle"):
        load_pickle(pickled + b".", PATH)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(3).to_sparse(),
        torch.ones(3, device="meta"),
        torch.nested.nested_tensor([torch.ones(1), torch.ones(2)], layout=torch.jagged),
    ],
    ids=["sparse", "meta", "nested"],
)
def test_tensors_that_are_not_dense_have_no_numbers(tensor: Tensor) -> None:
    found = read(saved({"weight": tensor, "other": torch.ones(1)}))
    assert found["weight"].is_meta
    assert torch.equal(found["other"], torch.ones(1))


def published(tensors: dict[str, Tensor], kind: type[nn.Module]) -> nn.Module:
    """A network of one class with these tensors, as torch 1.5 and older keep it."""
    network = kind()
    for name, tensor in tensors.items():
        *parents, last = name.split(".")
        layer = network
        for parent in parents:
            if parent not in dict(layer.named_children()):
                layer.add_module(parent, kind())
            layer = dict(layer.named_children())[parent]
        if last.startswith(("running", "num", "op")):
            layer.register_buffer(last, tensor)
        else:
            layer.register_parameter(last, nn.Parameter(tensor))
    for layer in network.modules():
        del layer._non_persistent_buffers_set
    return network


def test_a_network_as_torchxrayvision_publishes_it(
    network: nn.Module, card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickled network of a package that is not installed, with operating points among its buffers."""
    kind = type("DenseNet", (nn.Module,), {"__module__": "torchxrayvision.models"})
    module = ModuleType("torchxrayvision.models")
    module.DenseNet = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchxrayvision", ModuleType("torchxrayvision"))
    monkeypatch.setitem(sys.modules, "torchxrayvision.models", module)
    tensors = {**torchvision(dict(network.state_dict())), "op_threshs": torch.tensor([0.25, 0.5])}
    torch.save(published(tensors, kind), tmp_path / "w.pt")
    monkeypatch.undo()
    fresh = build_network(card).eval()
    loaded = load_weights(fresh, tmp_path / "w.pt", sha256=None, allow_pickle=True)
    images = torch.linspace(0, 1, 2 * 32 * 32).reshape(2, 1, 32, 32)
    torch.testing.assert_close(fresh(images), network(images))
    assert loaded.operating_points == (0.25, 0.5)
    (notice,) = loaded.notices
    assert notice.names == ("torchxrayvision.models.DenseNet",)
    assert "torchxrayvision" not in sys.modules
