"""Pickle objects: the operations of a pickle on classes, functions and objects, which become records."""

from __future__ import annotations

from typing import Any, Final

from pipeline.classifiers.harmless import BUILTINS, MAPPINGS, OF_OLD_CLASSES, is_unsafe
from pipeline.classifiers.pickle_records import STORAGE, Machine, Record, usable

MOST_COPIES: Final = 2_000_000
"""Entries of mappings that are made of others."""
LISTS: Final = frozenset(f"{module}.{name}" for module in BUILTINS for name in ("set", "frozenset", "list"))
ATTRIBUTE: Final = frozenset(f"{module}.getattr" for module in BUILTINS)


def push_name(machine: Machine, value: str) -> None:
    machine.stack.append(machine.named(*value.split(" ", maxsplit=1)))


def push_name_below(machine: Machine, _value: object) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(machine.named(module, name))


def reduce(machine: Machine, _value: object) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.stack.append(_call(machine, function, arguments))


def push_instance(machine: Machine, value: str) -> None:
    arguments = tuple(machine.pop_mark())
    machine.stack.append(_call(machine, machine.named(*value.split(" ", maxsplit=1)), arguments))


def push_instance_below(machine: Machine, _value: object) -> None:
    kind, *arguments = machine.pop_mark()
    machine.stack.append(_call(machine, kind, tuple(arguments)))


def push_new_object(machine: Machine, _value: object) -> None:
    arguments, kind = machine.pop(), machine.pop()
    machine.stack.append(Record(kind.name, arguments))


def push_new_object_with_keywords(machine: Machine, _value: object) -> None:
    machine.pop()
    push_new_object(machine, None)


def build(machine: Machine, _value: object) -> None:
    state, target = machine.pop(), machine.stack[-1]
    if isinstance(target, Record):
        target.state = state
    elif not isinstance(target, dict):  # of an OrderedDict, torch's notes on its state dict
        raise TypeError("attributes of something that has none")


def _call(machine: Machine, function: object, arguments: object) -> Any:
    """What stands for the result of a call: a mapping, the list of a set, or a record."""
    if not isinstance(function, Record) or not isinstance(arguments, tuple):
        raise TypeError("a call of something that is not a function")
    name = function.name
    if function.arguments is not None or is_unsafe(name):
        machine.calls.setdefault(name)
        return Record(name, arguments)
    if name in MAPPINGS:
        return _mapping(machine, arguments)
    if name in LISTS:
        return arguments[0] if arguments else []
    if name in ATTRIBUTE:
        return machine.named(arguments[0].name, arguments[1])
    if name in OF_OLD_CLASSES:
        return Record(arguments[0].name, arguments[1:])
    return Record(name, arguments)


def _mapping(machine: Machine, arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """A new mapping of the entries that are given to its class, as pairs or as a mapping."""
    given = [entry for entry in arguments if isinstance(entry, list | dict)][:1]
    machine.copied += sum(map(len, given))
    if machine.copied > MOST_COPIES:
        raise ValueError("too many copies")
    pairs = [pair for entry in given for pair in (entry.items() if isinstance(entry, dict) else entry)]
    return {usable(key): value for key, value in pairs}


def push_storage(machine: Machine, _value: object) -> None:
    """A storage by its key or, in torch's older format, the class of a layer with its source."""
    identity = machine.pop()
    if identity[0] == "module":
        machine.stack.append(identity[1])
        return
    kind, name, key, *_ = identity
    if kind != STORAGE or not isinstance(key, str) or not isinstance(name, Record):
        raise TypeError("something else than a storage")
    machine.stack.append(machine.storages.setdefault(key, Record(STORAGE, tuple(identity))))
