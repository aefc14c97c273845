"""Tensors: safetensors by the fields of their header, checkpoints of torch by archive, pickle and storage."""

from __future__ import annotations

import io
import json
import pickletools
import struct
import zipfile
from functools import cache
from random import Random
from typing import Any

import numpy as np
import safetensors.torch
import torch
import yaml

from pipeline.classifiers import ModelCard
from pipeline.classifiers.networks import build_network
from tests.damage.blunt import BLUNT, named
from tests.damage.formats.archives import ARCHIVE, archive, contents
from tests.damage.formats.settings import CARD
from tests.damage.formats.trees import OTHERS, at, dumped, paths

TYPES = (
    "F64",
    "F32",
    "F16",
    "BF16",
    "I64",
    "U64",
    "I8",
    "BOOL",
    "F8_E4M3",
    "F8_E5M2",
    "F8_E8M0",
    "F4",
    "F6_E2M3",
    "C64",
    "x",
    "",
)
SIZES = (0, 1, -1, 3, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63), 10**30)


def card() -> ModelCard:
    """The card of the network whose weights are damaged."""
    return ModelCard.model_validate(yaml.safe_load(yaml.safe_dump(dict(CARD))))


@cache
def _weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {name: tensor.contiguous() for name, tensor in build_network(card()).state_dict().items()}


@cache
def sound_safetensors() -> bytes:
    """The weights of the card's network."""
    return bytes(safetensors.torch.save(_weights()))


@cache
def sound_checkpoint() -> bytes:
    """The weights as torch.save writes them, wrapped as a training framework does."""
    buffer = io.BytesIO()
    torch.save({"epoch": 3, "state_dict": _weights()}, buffer)
    return archive(list(contents(buffer.getvalue()).items()))


@cache
def sound_network() -> bytes:
    """The whole network as torch.save pickles it, beside numbers of NumPy."""
    network = build_network(card())
    network.load_state_dict(_weights())
    buffer = io.BytesIO()
    torch.save({"best_auc": np.float64(0.9), "model": network}, buffer)
    return archive(list(contents(buffer.getvalue()).items()))


@cache
def sound_old_checkpoint() -> bytes:
    """The weights in torch's older format, without an archive."""
    buffer = io.BytesIO()
    torch.save(_weights(), buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def header_length(random: Random, data: bytes) -> bytes:
    """The length of the header, stated wrongly."""
    (length,) = struct.unpack_from("<Q", data)
    near = (length - 1, length + 1, length + 8, len(data) - 8, len(data), 100_000_001)
    stated = random.choice((0, 1, 2, *near, 2**31, 2**32, 2**63, 2**64 - 1))
    return struct.pack("<Q", stated) + data[8:]


def header_field(random: Random, data: bytes) -> bytes:
    """Type, shape or place of a tensor, of another type or size, or left out."""
    header, body = _opened(data)
    name = random.choice(list(header))
    entry = header[name]
    way = random.choice(("dtype", "shape", "shape", "data_offsets", "data_offsets", "any", "any"))
    if way == "dtype":
        entry["dtype"] = random.choice(TYPES)
    elif way == "shape":
        shape = entry["shape"] or [1]
        shape[random.randrange(len(shape))] = random.choice(SIZES)
        entry["shape"] = random.choice((shape, shape, [], [*shape, 1], [1] * 70, [2**32, 2**32]))
    elif way == "data_offsets":
        entry["data_offsets"][random.randrange(2)] = random.choice((*SIZES, len(body), len(body) + 4))
    else:
        *parents, last = random.choice(list(paths(header)))
        at(header, parents)[last] = random.choice(OTHERS)
    return _closed(header, body)


def header_keys(random: Random, data: bytes) -> bytes:
    """Names repeated, renamed, wrapped; metadata of any kind; what is not a mapping."""
    header, body = _opened(data)
    name = random.choice(list(header))
    way = random.choice(("metadata", "renamed", "again", "without", "text", "prefix", "alike"))
    if way == "metadata":
        header["__metadata__"] = random.choice(OTHERS)
    elif way == "renamed":
        names = ("", "\ud800", "\0", "a.b.c", "x" * 9999, "../x", "module." + name, "weight")
        header[random.choice(names)] = header.pop(name)
    elif way == "again":
        text = json.dumps(header)
        return _closed_text(
            text.replace(f'"{name}"', f'"{name}": {json.dumps(header[name])}, "{name}"', 1), body
        )
    elif way == "without":
        del header[name]
    elif way == "prefix":
        header = {f"a.{key}": value for key, value in header.items()} | {name: header[name]}
    elif way == "alike":
        header = dict.fromkeys(header, header[name])
    else:
        texts = (
            "[]",
            "1",
            "null",
            '"x"',
            "{",
            "{}",
            "[" * 2000,
            '{"a": 1e999}',
            "\0" * 40,
            '{"a": {}}',
            " " * 40,
        )
        return _closed_text(random.choice(texts), body)
    return _closed(header, body)


def body_size(random: Random, data: bytes) -> bytes:
    """The tensors' bytes cut or with more behind them; NaN and infinity among them."""
    header, body = _opened(data)
    changed = bytearray(body)
    changed[random.randrange(len(body) // 4) * 4 :][:4] = b"\0\0\xc0\x7f"
    place = random.randrange(len(body) // 4) * 4
    changed[place : place + 4] = random.choice((b"\0\0\xc0\x7f", b"\0\0\x80\xff", b"\xff\xff\x7f\x7f"))
    return _closed(
        header, random.choice((body[: random.randrange(len(body))], body + bytes(9), b"", bytes(changed)))
    )


def _opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack_from("<Q", data)
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def _closed(header: object, body: bytes) -> bytes:
    text = dumped(header)
    return struct.pack("<Q", len(text)) + text + body


def _closed_text(text: str, body: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode() + body


def opcode(random: Random, data: bytes) -> bytes:
    """One operation of the pickle: another code, another argument, left out, repeated, or added."""
    return _with_pickle(data, lambda pickle: _operation(random, pickle))


def _operation(random: Random, pickle: bytes) -> bytes:
    starts = [place for _, _, place in pickletools.genops(pickle) if place is not None] + [len(pickle)]
    number = random.randrange(len(starts) - 1)
    start, end = starts[number], starts[number + 1]
    code, argument = pickle[start : start + 1], pickle[start + 1 : end]
    any_code = bytes((random.choice([ord(entry.code) for entry in pickletools.opcodes]),))
    added = (b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nload\n", b"N", b"0", b"2", b"1", b"(",
        b"t", b"R", b"b", b"s", b"u", b".",
             b"J\xff\xff\xff\xff", b"\x8b\xff\xff\xff\x7f", b"X\xff\xff\xff\xff", b"\x8d" + b"\xff" * 8,
             b"r\xff\xff\xff\xff", b"(" * 9000,
             b"]" * 9000, b"\x95" + b"\xff" * 8, b"\x80\xff", b"I9999999999999999999999\n", b"F1e999\n",
             b"Q", b"\x93", b"\x81")  # fmt: skip
    changed = random.choice((
        any_code + argument, code + bytes(byte ^ random.choice((0, 1, 255)) for byte in argument), b"",
            (code + argument) * 2,
        random.choice(added) + code + argument, code + argument + random.choice(added),
    ))  # fmt: skip
    return pickle[:start] + changed + pickle[end:]


def pickled_word(random: Random, data: bytes) -> bytes:
    """Names of classes, types and devices, sizes and strides, replaced within the pickle."""

    def changed(pickle: bytes) -> bytes:
        operations = [(code.name, value, place) for code, value, place in pickletools.genops(pickle)]
        kinds = {"BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "GLOBAL"}
        places = [n for n, (name, _, _) in enumerate(operations[:-1]) if name in kinds]
        number = random.choice(places)
        start, end = operations[number][2], operations[number + 1][2]
        assert start is not None
        texts = (
            b"cpu",
            b"cuda:0",
            b"meta",
            b"0",
            b"",
            b"storage",
            b"x" * 70_000,
            b"\xed\xa0\x80",
            b"../x",
            b"1e9",
        )
        text = random.choice(texts)
        names = (b"torch\nFloatStorage", b"torch\nQInt8Storage", b"torch._utils\n_rebuild_sparse_tensor",
            b"torch\nUntypedStorage",
                 b"torch._utils\n_rebuild_parameter", b"torch._utils\n_rebuild_meta_tensor_no_storage",
                 b"os\nsystem", b"numpy\nndarray",
                 b"torch._utils\n_rebuild_qtensor", b"torch\nSize", b"torch\ndevice",
                 b"collections\nCounter", b"torch\nBoolStorage")  # fmt: skip
        kind = operations[number][0]
        word = {
            "GLOBAL": b"c" + random.choice(names) + b"\n",
            "BINUNICODE": b"X" + struct.pack("<I", len(text)) + text,
            "SHORT_BINUNICODE": b"X" + struct.pack("<I", len(text)) + text,
        }.get(
            kind,
            b"\x8a\x08" + struct.pack("<q", random.choice([size for size in SIZES if abs(size) < 2**63])),
        )
        return pickle[:start] + word + pickle[end:]

    return _with_pickle(data, changed)


def storage(random: Random, data: bytes) -> bytes:
    """A member with a tensor's bytes, the version or the byte order: missing, short, long, something else."""
    members = contents(data)
    name = random.choice(list(members))
    if random.random() < 0.2:
        del members[name]
    else:
        content = members[name]
        members[name] = random.choice(
            (b"", content[:-1], content + bytes(99), bytes(2**22), b"big", b"9", b"\xff" * len(content))
        )
    return archive(
        list(members.items()), random.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    )


def archive_bomb(_: Random, data: bytes) -> bytes:
    """An archive with a member that unpacks to hundreds of mebibytes."""
    members = contents(data)
    name = next(key for key in members if "/data/" in key)
    return _packed(tuple((members | {name: bytes(2**28)}).items()))


@cache
def _packed(members: tuple[tuple[str, bytes], ...]) -> bytes:
    return archive(list(members), zipfile.ZIP_DEFLATED)


def _with_pickle(data: bytes, change: Any) -> bytes:
    """The file with its pickle changed; of the older format the first that holds more than a number."""
    if data.startswith(b"PK"):
        members = contents(data)
        (name,) = (key for key in members if key.endswith("data.pkl"))
        return archive(list((members | {name: change(members[name])}).items()))
    start = 0
    for _ in range(3):
        stream = io.BytesIO(data[start:])
        list(pickletools.genops(stream))
        start += stream.tell()
    stream = io.BytesIO(data[start:])
    list(pickletools.genops(stream))
    end = start + stream.tell()
    return data[:start] + change(data[start:end]) + data[end:]


SAFETENSORS = {**BLUNT, **named(header_length, header_field, header_keys, body_size)}
CHECKPOINT = {**BLUNT, **ARCHIVE, **named(opcode, pickled_word, storage, archive_bomb)}
OLD_CHECKPOINT = {**BLUNT, **named(opcode, pickled_word)}
