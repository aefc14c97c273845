"""Pickled tensors: records of a pickle → tensors by name, made of the numbers beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor

from pipeline.classifiers.harmless import FROM_BYTES, FROM_TYPE, REBUILD
from pipeline.classifiers.pickle_records import STORAGE, Record

Numbers: TypeAlias = Callable[[Record], tuple[Record, bytes]]
"""A storage → the same, or the one that it wraps, and its bytes or more."""
TYPES: Final[Mapping[str, torch.dtype]] = MappingProxyType(
    {
        "FloatStorage": torch.float32,
        "DoubleStorage": torch.float64,
        "HalfStorage": torch.float16,
        "BFloat16Storage": torch.bfloat16,
        "LongStorage": torch.int64,
        "IntStorage": torch.int32,
        "ShortStorage": torch.int16,
        "CharStorage": torch.int8,
        "ByteStorage": torch.uint8,
        "BoolStorage": torch.bool,
        "ComplexFloatStorage": torch.complex64,
        "ComplexDoubleStorage": torch.complex128,
        "UntypedStorage": torch.uint8,
    }
)
"""Class of a storage → type of its numbers. Quantised ones are not read."""
QUANTISED: Final = MappingProxyType({"QInt8Storage": 1, "QUInt8Storage": 1, "QInt32Storage": 4})
"""Class of a storage whose numbers are not read → bytes of a number."""
STRIDED: Final = MappingProxyType({f"{REBUILD}tensor": 9, f"{REBUILD}tensor_v2": 6, f"{REBUILD}tensor_v3": 7})
"""Function that rebuilds a dense tensor → place of the argument on signs that are stored apart."""
TYPE_PLACE: Final = 6
"""Place of the type among the arguments of _rebuild_tensor_v3."""
PARAMETERS: Final = (f"{REBUILD}parameter", f"{REBUILD}parameter_with_state")
PLAIN: Final = ("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter")
"""Classes of tensors whose numbers mean what they say."""
MOST_AXES: Final = 16
MOST_ELEMENTS: Final = 2**60
"""Elements of a tensor, which may be a view of one number."""


@dataclass(slots=True)
class TensorMaker:
    """Makes tensors of records, and reads each storage once."""

    numbers: Numbers
    read: dict[int, tuple[Record, bytearray]] = field(default_factory=dict)
    """By the identity of a part of the pickle, which outlives this."""

    def tensor(self, record: Record) -> Tensor | None:
        """The tensor that the record stands for, or None. One that is not dense has no numbers ("meta").

        Raises ValueError, or anything else, for a record that no tensor has.
        """
        arguments = record.arguments or ()
        if record.name in STRIDED:
            is_odd = any(arguments[STRIDED[record.name] :])
            kind = arguments[TYPE_PLACE : TYPE_PLACE + 1] if record.name.endswith("_v3") else ()
            return self._strided(*arguments[:4], kind=kind, is_odd=is_odd)
        if record.name in PARAMETERS:
            return self.tensor(arguments[0])
        if record.name == FROM_TYPE:
            function, kind, inner, _ = arguments
            rebuilt = self.tensor(Record(function.name, inner))
            if rebuilt is not None and kind.name in PLAIN:
                return rebuilt
            return _without_numbers((0,) if rebuilt is None else rebuilt.shape)
        if record.name.startswith(REBUILD):
            return _without_numbers(next((size for size in arguments if _is_size(size)), (0,)))
        return None

    def _strided(
        self, storage: Record, offset: int, size: Any, stride: Any, *, kind: tuple[Record, ...], is_odd: bool
    ) -> Tensor:
        """A view of a storage. Raises ValueError if it reaches beyond it."""
        size, stride = _whole(size), _whole(stride)
        if len(size) != len(stride) or len(size) > MOST_AXES or min((offset, *size, *stride)) < 0:
            raise ValueError("a shape that no tensor has")
        if prod(size) > MOST_ELEMENTS:
            raise ValueError("a tensor larger than any memory")
        storage, numbers = self._numbers(storage)
        dtype = None if is_odd else _dtype(storage, kind)
        if dtype is None:
            return _without_numbers(size)
        if 0 in size:
            return torch.empty(size, dtype=dtype)
        stated = width(storage) * count_in(storage)
        last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
        if stated > len(numbers) or last >= stated // dtype.itemsize:
            raise ValueError("a tensor beyond its storage")
        flat = torch.frombuffer(numbers, dtype=dtype, count=stated // dtype.itemsize)
        return flat.as_strided(size, stride, offset)

    def _numbers(self, storage: Record) -> tuple[Record, bytearray]:
        """The storage, or the one that it wraps, and its bytes."""
        source = id(wrapped(storage) if storage.name == FROM_BYTES else storage)
        if source not in self.read:
            inner, numbers = self.numbers(storage)
            self.read[source] = inner, bytearray(numbers)
        return self.read[source]


def wrapped(storage: Record) -> str | bytes:
    """The bytes, or a text of Latin-1, in which pickle wrote a storage without torch.save."""
    (content,) = storage.arguments or ()
    content = content.arguments[0] if isinstance(content, Record) and content.arguments else content
    if not isinstance(content, str | bytes):
        raise TypeError("a storage of something else than bytes")
    return content


def kind_of(storage: Record) -> str:
    """Class of a storage, without its module, which may be torch or torch.cuda."""
    if storage.name != STORAGE or storage.arguments is None:
        raise TypeError("a tensor of something else than a storage")
    return str(storage.arguments[1].name.rpartition(".")[2])


def width(storage: Record) -> int:
    """Bytes of one number of the storage."""
    kind = kind_of(storage)
    return TYPES[kind].itemsize if kind in TYPES else QUANTISED[kind]


def count_in(storage: Record) -> int:
    """How many numbers the storage has, as the pickle states it."""
    return int((storage.arguments or ())[4])


def key_of(storage: Record) -> str:
    """The storage's name beside the pickle."""
    return str((storage.arguments or ())[2])


def _dtype(storage: Record, kind: tuple[Record, ...]) -> torch.dtype | None:
    """The type of a tensor's numbers; None if they are not plain, or a view of another storage."""
    name = kind_of(storage)
    if name not in TYPES or any((storage.arguments or ())[5:]):
        return None
    if not kind:
        return TYPES[name]
    dtype = getattr(torch, kind[0].name.removeprefix("torch."), None)
    return dtype if isinstance(dtype, torch.dtype) else None


def _whole(values: Any) -> tuple[int, ...]:
    """A size or stride: a tuple, or torch.Size of one."""
    values = values.arguments[0] if isinstance(values, Record) and values.arguments else values
    return tuple(int(value) for value in values)


def _is_size(value: object) -> bool:
    """Whether an argument of a function that rebuilds a tensor is its size."""
    return isinstance(value, tuple) and bool(value) and all(type(number) is int for number in value)


def _without_numbers(size: tuple[int, ...]) -> Tensor:
    """A tensor of which only the shape is known."""
    return torch.empty(size, device="meta")
