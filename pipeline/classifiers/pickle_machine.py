"""Pickle machine: a pickle → plain values and records; what it names is never imported, made or called."""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from pipeline.classifiers.pickle_objects import (
    build,
    push_instance,
    push_instance_below,
    push_name,
    push_name_below,
    push_new_object,
    push_new_object_with_keywords,
    push_storage,
    reduce,
)
from pipeline.classifiers.pickle_records import Machine, Pickled, Record, usable

MOST_OPERATIONS: Final = 2_000_000
"""Of one pickle: some 400 MiB at the most. A pickled DenseNet-201 with its optimiser has 0.2 million."""


def read_pickle(file: BytesIO) -> Pickled:
    """The content of the pickle at the file's position, which moves behind it.

    Tuples, lists, mappings, texts and numbers are themselves, a set is a list, all else is a `Record`.
    Raises anything for a damaged pickle.
    """
    machine = Machine()
    for number, (operation, value, _) in enumerate(pickletools.genops(file)):
        if number > MOST_OPERATIONS:
            raise ValueError("too many operations")
        STEPS[operation.name](machine, value)
    return Pickled(machine.pop(), tuple(machine.names), tuple(machine.calls), machine.storages)


def _nothing(_machine: Machine, _value: object) -> None:
    """The protocol's number, a frame or the end."""


def _push(machine: Machine, value: object) -> None:
    machine.stack.append(value)


def _mark(machine: Machine, _value: object) -> None:
    machine.marks.append(len(machine.stack))


def _pop(machine: Machine, _value: object) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.pop()


def _pop_mark(machine: Machine, _value: object) -> None:
    machine.pop_mark()


def _tuple_of(length: int) -> _Step:
    def step(machine: Machine, _value: object) -> None:
        values = tuple(machine.pop() for _ in range(length))
        machine.stack.append(values[::-1])

    return step


def _append(machine: Machine, values: list[Any]) -> None:
    """Add the values to the list on the stack, or to the record of an object that is like one."""
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(values)
    elif not isinstance(target, Record):
        raise TypeError("values for something else than a list")


def _set_items(machine: Machine, values: list[Any]) -> None:
    """Set keys and values in the mapping on the stack, or in the record of an object that is like one."""
    target = machine.stack[-1]
    if isinstance(target, Record):
        target.entries = {} if target.entries is None else target.entries
        target = target.entries
    for key, value in zip(values[::2], values[1::2], strict=True):
        target[usable(key)] = value


def _dict(machine: Machine, _value: object) -> None:
    values = machine.pop_mark()
    machine.stack.append({})
    _set_items(machine, values)


def _put(machine: Machine, value: int) -> None:
    machine.memo[value] = machine.stack[-1]


def _memoize(machine: Machine, _value: object) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _get(machine: Machine, value: int) -> None:
    machine.stack.append(machine.memo[value])


_Step: TypeAlias = Callable[[Machine, Any], None]
VALUES: Final = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
"""Operations whose argument is the value itself."""
STEPS: Final[Mapping[str, _Step]] = MappingProxyType(
    {
        **dict.fromkeys(VALUES, _push),
        **dict.fromkeys(("PROTO", "FRAME", "STOP"), _nothing),
        **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
        **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
        "NONE": lambda machine, _: machine.stack.append(None),
        "NEWTRUE": lambda machine, _: machine.stack.append(True),
        "NEWFALSE": lambda machine, _: machine.stack.append(False),
        "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
        "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
        "EMPTY_SET": lambda machine, _: machine.stack.append([]),
        "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
        "MARK": _mark,
        "POP": _pop,
        "POP_MARK": _pop_mark,
        "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
        "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.pop_mark())),
        "TUPLE1": _tuple_of(1),
        "TUPLE2": _tuple_of(2),
        "TUPLE3": _tuple_of(3),
        "LIST": lambda machine, _: machine.stack.append(machine.pop_mark()),
        "FROZENSET": lambda machine, _: machine.stack.append(machine.pop_mark()),
        "DICT": _dict,
        "APPEND": lambda machine, _: _append(machine, [machine.pop()]),
        "APPENDS": lambda machine, _: _append(machine, machine.pop_mark()),
        "ADDITEMS": lambda machine, _: _append(machine, machine.pop_mark()),
        "SETITEM": lambda machine, _: _set_items(machine, [machine.pop(), machine.pop()][::-1]),
        "SETITEMS": lambda machine, _: _set_items(machine, machine.pop_mark()),
        "GLOBAL": push_name,
        "STACK_GLOBAL": push_name_below,
        "INST": push_instance,
        "OBJ": push_instance_below,
        "REDUCE": reduce,
        "NEWOBJ": push_new_object,
        "NEWOBJ_EX": push_new_object_with_keywords,
        "BUILD": build,
        "BINPERSID": push_storage,
        "MEMOIZE": _memoize,
    }
)
"""Operation → what it does. All others (extensions, buffers, identities as text) end the reading."""
