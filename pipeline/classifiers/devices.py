"""Devices: the device that a config names, and what torch says of devices in our own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

from pipeline.errors import ConfigError, OutputError

KINDS: Final = "cpu, cuda, cuda:1, mps or xpu"
UNUSABLE: Final = (AssertionError, NotImplementedError, RuntimeError)
"""What torch raises for a device that is not there, depending on its kind."""


def open_device(name: str) -> torch.device:
    """The device, after a trial allocation, because torch accepts names of devices that do not exist.

    Raises ConfigError that says why it cannot be used.
    """
    try:
        device = torch.device(name)
    except UNUSABLE as error:
        raise _unusable(name, f"torch knows no such device; write {KINDS}") from error
    try:
        torch.zeros(1, device=device).cpu()
    except UNUSABLE as error:
        raise _unusable(name, _why_not(device)) from error
    return device


def _unusable(name: str, why: str) -> ConfigError:
    return ConfigError(f"device: '{name}' cannot be used here: {why}, or set cpu")


def _why_not(device: torch.device) -> str:
    """Why a device that torch knows by name cannot be used on this machine, and what would help."""
    if device.type == "cuda":
        if torch.version.cuda is None and torch.version.hip is None:
            return "this build of torch is without CUDA; install one with it, as in make setup TORCH=…"
        if not torch.cuda.is_available():
            return "torch finds no graphics card or no driver for it; install the driver"
        count = torch.cuda.device_count()
        return f"torch finds {count} of that kind, counted from cuda:0; name one of them"
    return "this machine has none, or torch has no support for it; choose another"


@contextmanager
def in_own_words(name: str) -> Iterator[None]:
    """Errors of the device inside the block, which torch words for programmers, in ours.

    Raises OutputError, because finished images stay on disk and the same command resumes.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutputError(
            f"device: {name} has too little memory; set a smaller batch_size or memory_mb, close other "
            "programs that use it, or set device: cpu; finished images are kept"
        ) from error
    except torch.AcceleratorError as error:
        first = str(error).partition("\n")[0]
        raise OutputError(
            f"device: {name} stopped working ({first}); check its driver, restart it, or set device: cpu; "
            "finished images are kept"
        ) from error
