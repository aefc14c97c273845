"""Devices: which are refused, why, and what becomes of their errors in the middle of a run."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pipeline.classifiers.devices import in_own_words, open_device
from pipeline.errors import ConfigError, OutputError


@pytest.mark.parametrize("name", ["gpu", "cpu:x", "cuda:-1", ""])
def test_a_name_that_torch_does_not_know_is_answered_with_names_that_it_knows(name: str) -> None:
    with pytest.raises(
        ConfigError, match="torch knows no such device; write cpu, cuda, cuda:1, mps or xpu, or"
    ):
        open_device(name)


@pytest.mark.parametrize(
    ("cuda", "available", "count", "why"),
    [
        (None, False, 0, "this build of torch is without CUDA; install one with it"),
        ("12.8", False, 0, "torch finds no graphics card or no driver for it"),
        ("12.8", True, 2, "torch finds 2 of that kind, counted from cuda:0"),
    ],
)
def test_why_a_graphics_card_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, cuda: str | None, available: object, count: int, why: str
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA error: invalid device ordinal")

    monkeypatch.setattr(torch, "zeros", fails)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(ConfigError, match=f"device: 'cuda:5' cannot be used here: {why}"):
        open_device("cuda:5")


def test_a_device_without_memory_or_driver_ends_a_run_in_our_words() -> None:
    with (
        pytest.raises(OutputError, match="device: cuda has too little memory; set a smaller batch_size"),
        in_own_words("cuda"),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    with (
        pytest.raises(
            OutputError, match=r"device: cuda stopped working \(CUDA error: unspecified\); check its driver"
        ),
        in_own_words("cuda"),
    ):
        raise torch.AcceleratorError("CUDA error: unspecified\nCompile with TORCH_USE_CUDA_DSA")


def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="a bug"), in_own_words("cuda"):
        raise RuntimeError("a bug")
