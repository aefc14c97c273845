"""What a refused pickle is told: the function that it calls, and how to save its tensors.

Right: exit code 2, the name of the function, and one line of Python; before, torch's own text cut in half
with escape codes of a terminal. What only holds objects (a namespace, a whole network) is read. Source:
Lightning-AI/pytorch-lightning#2653, mlmed/torchxrayvision (whole models). Shared case: model-pickle-refusals.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet

from tests.cases.refusals import audit, changed
from tests.study import ARGUMENTS, write_model

LOAD = "torch.save(torch.load('w.pth', weights_only=False)"
NET = DenseNet(**ARGUMENTS)


class _Runs:
    """Runs code when pickle loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("1 + 1",)


def older(content: object, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def by_pickle(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


def refusal(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `heatproof audit` says of the file w.pth, which it refuses."""
    card = changed(write_model(folder / "card"), weights=None, sha256=None)
    code, said = audit(card, folder / "w.pth", capsys)
    assert (code, said.count("\n")) == (2, 1)
    return said


@pytest.mark.parametrize("save", [torch.save, older], ids=["zip", "older"])
@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({"state_dict": NET.state_dict(), "args": _Runs()}, f"{LOAD}['state_dict'], 'state_dict.pth')"),
        ({"epoch": 1, "model": NET, "args": _Runs()}, f"{LOAD}['model'].state_dict(), 'state_dict.pth')"),
        ({"ema": {"net": NET.state_dict()}, "args": [_Runs()]}, f"{LOAD}['ema']['net'], 'state_dict.pth')"),
        ({"args": _Runs()}, "save its tensors alone, as a state_dict\n"),
    ],
    ids=["state-dict", "whole-in-mapping", "in-depth", "no-tensors"],
)
def test_the_function_and_the_remedy_are_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    save: Callable[[object, Path], None],
    content: object,
    line: str,
) -> None:
    save(content, tmp_path / "w.pth")
    said = refusal(tmp_path, capsys)
    assert "contains more than tensors (" in said
    assert ".eval), which can run code when it is read, and is not loaded; if you trust its origin" in said
    assert line in said
    assert "\x1b" not in said


def test_a_whole_network_that_runs_code_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = DenseNet(**ARGUMENTS)
    network.hook = _Runs()
    torch.save(network, tmp_path / "w.pth")
    assert f"{LOAD}.state_dict(), 'state_dict.pth')" in refusal(tmp_path, capsys)


def test_a_file_without_torch_is_loaded_by_pickle_in_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_pickle({"net": NET, "args": _Runs()}, tmp_path / "w.pth")
    assert "pickle.load(open('w.pth', 'rb'))['net'].state_dict()" in refusal(tmp_path, capsys)


def test_arrays_of_numpy_become_tensors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_pickle({"features.conv0.weight": np.zeros((2, 2))}, tmp_path / "w.pth")
    said = refusal(tmp_path, capsys)
    assert "holds arrays of NumPy, wanted tensors by name" in said
    assert "array in pickle.load(open('w.pth', 'rb')).items()}, 'state_dict.pth')" in said


def test_a_file_without_tensors_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"args": argparse.Namespace(lr=1e-3)}, tmp_path / "w.pth")
    assert "is not a state dict, wanted tensors by name" in refusal(tmp_path, capsys)
