"""Weights files that mean no good end in a message, and take neither memory nor time."""

from __future__ import annotations

import io
import json
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import save
from torch import nn

from pipeline.classifiers.new_card import new_card
from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError

GOOD = {"weight": torch.arange(4.0).reshape(2, 2), "bias": torch.ones(2)}
REDUCED = b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\xe4\x0bT\x02\x85R."
"""Calls bytearray(10**10)."""


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load_weights(nn.Linear(2, 2), path, sha256=None, allow_pickle=True)
    return str(refused.value)


def checkpoint() -> bytearray:
    file = io.BytesIO()
    torch.save(GOOD, file)
    return bytearray(file.getvalue())


def with_pickle(pickled: bytes) -> bytes:
    """An archive of torch with another pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(checkpoint())) as good, zipfile.ZipFile(file, "w") as written:
        for entry in good.infolist():
            written.writestr(
                entry.filename, pickled if entry.filename.endswith("data.pkl") else good.read(entry)
            )
    return file.getvalue()


@pytest.mark.parametrize(("offset", "value"), [(6, 99), (8, 1)])
def test_an_archive_of_an_unknown_version_or_encrypted_is_refused(
    tmp_path: Path, offset: int, value: int
) -> None:
    content = checkpoint()
    place = -1
    while (place := content.find(b"PK\1\2", place + 1)) >= 0:
        struct.pack_into("<H", content, place + offset, value)
    said = refusal(tmp_path / "a.pt", content)
    assert said.startswith(f"{tmp_path / 'a.pt'}: is a")


def test_an_archive_whose_list_of_members_is_lost_is_refused(tmp_path: Path) -> None:
    content = checkpoint()
    assert "is a damaged pickle" in refusal(tmp_path / "a.pt", content[: content.rindex(b"PK\5\6")])


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02]r\xff\xff\xff\xff.",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.",
        b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.",
        b"\x80\x02" + b"(" * 5000 + b"t" * 5000 + b".",
        b"\x80\x02]q\x00" + (b"(" + b"h\x00" * 10 + b"tq\x00") * 30 + b".",
        b"\x80\x02}q\x00X\x01\0\0\0ah\x00s.",
        b"\x80\x02ctorch\nTensor\n\x8a\x08" + b"\0" * 7 + b"\x40\x85R.",
    ],
)
def test_odd_pickles_are_refused(tmp_path: Path, pickled: bytes) -> None:
    said = refusal(tmp_path / "a.pt", with_pickle(pickled))
    assert said.startswith((f"{tmp_path / 'a.pt'}: is ", f"{tmp_path / 'a.pt'}: contains more than tensors"))


@pytest.mark.parametrize("pack", [with_pickle, bytes])
def test_a_pickle_that_would_fill_memory_is_not_run(tmp_path: Path, pack: object) -> None:
    tracemalloc.start()
    try:
        assert "(builtins.bytearray)" in refusal(tmp_path / "a.pt", pack(REDUCED))  # type: ignore[operator]
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def test_no_more_of_a_pickle_is_unpacked_than_the_archive_declares(tmp_path: Path) -> None:
    size, file = 2**25, io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(size))
    content = file.getvalue().replace(struct.pack("<L", size), struct.pack("<L", 99))
    tracemalloc.start()
    try:
        assert refusal(tmp_path / "a.pt", content).startswith(f"{tmp_path / 'a.pt'}: ")
        assert tracemalloc.get_traced_memory()[1] < size / 8
    finally:
        tracemalloc.stop()


def test_mappings_that_repeat_each_other_are_searched_once(tmp_path: Path) -> None:
    inner: dict[str, object] = {}
    for _ in range(3):
        inner = {str(number): inner for number in range(3000)}
    torch.save(inner, tmp_path / "a.pt")
    assert "is not a state dict" in refusal(tmp_path / "a.pt", (tmp_path / "a.pt").read_bytes())


def test_a_storage_larger_than_its_record_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(checkpoint())) as good:
        name = next(name for name in good.namelist() if name.endswith("data.pkl"))
        pickled = good.read(name)
    lying = pickled.replace(b"K\x04tq", b"K\x40tq", 1)
    assert lying != pickled
    refusal(tmp_path / "a.pt", with_pickle(lying))


def tensors(header: bytes, *, length: int | None = None, data: bytes = bytes(24)) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def described(**changes: object) -> bytes:
    entry = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]} | changes
    other = {"dtype": "F32", "shape": [2], "data_offsets": [16, 24]}
    return json.dumps({"weight": entry, "bias": other}).encode()


@pytest.mark.parametrize(
    "content",
    [
        tensors(described(), length=2**63),
        tensors(described(), length=2**64 - 1),
        tensors(b"{" * 100_000),
        tensors(b'{"a":' * 5000 + b"1" + b"}" * 5000),
        tensors(b"[]"),
        tensors(b'{"weight": 1}'),
        tensors(b'{"__metadata__": {"a": 1}}'),
        tensors(described(dtype="Q99")),
        tensors(described(dtype=7)),
        tensors(described(data_offsets=[0, 24])),
        tensors(described(data_offsets=[8, 24])),
        tensors(described(data_offsets=[16, 0])),
        tensors(described(data_offsets=[0, 2**63])),
        tensors(described(shape=[2**40, 2**40])),
        tensors(described(shape=[-2, -2])),
        tensors(described(shape=[2, True])),
        tensors(described(), data=b""),
    ],
)
def test_safetensors_with_a_false_header_are_refused(tmp_path: Path, content: bytes) -> None:
    assert "safetensors file" in refusal(tmp_path / "a.safetensors", content)


@pytest.mark.parametrize("name", ["a.pt", "b.pt", "a.safetensors"])
def test_changed_bytes_raise_nothing_but_config_errors(tmp_path: Path, name: str) -> None:
    older = io.BytesIO()
    torch.save(GOOD, older, _use_new_zipfile_serialization=False)
    content = {"a.pt": bytes(checkpoint()), "b.pt": older.getvalue(), "a.safetensors": save(GOOD)}[name]
    random, refused = Random(7), 0
    for _ in range(150):
        changed = bytearray(content)
        for _ in range(random.choice((1, 3))):
            changed[random.randrange(len(content))] = random.choice((0, 1, 0x28, 0x2E, 0x7F, 0xFF))
        (tmp_path / name).write_bytes(changed)
        try:
            load_weights(nn.Linear(2, 2), tmp_path / name, sha256=None, allow_pickle=True)
            new_card(tmp_path / name, out=tmp_path / "card.yaml")
        except ConfigError:
            refused += 1
    assert refused > 30  # the others changed a value, or what nobody reads


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.pt"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    for command in (
        lambda: load_weights(nn.Linear(2, 2), path, sha256=None, allow_pickle=True),
        lambda: new_card(path, out=tmp_path / "card.yaml"),
    ):
        with pytest.raises(ConfigError, match="wanted a regular file; check the path and its permissions"):
            command()
