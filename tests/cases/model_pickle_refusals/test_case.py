"""What a refused pickle is told: the class that it holds, and how to save its tensors.

Right: exit code 2, the name of the class or function, and one line of Python; before, torch's own text cut in
half with escape codes of a terminal. Source: Lightning-AI/pytorch-lightning#2653, mlmed/torchxrayvision
(whole models). Shared case: model-pickle-refusals.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet

from tests.cases.refusals import audit, changed
from tests.study import ARGUMENTS, write_model

LOAD = "torch.save(torch.load('w.pth', weights_only=False)"
NET = DenseNet(**ARGUMENTS)
NAMESPACE = argparse.Namespace(lr=1e-3)


def older(content: object, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def by_pickle(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("save", [torch.save, older], ids=["zip", "older"])
@pytest.mark.parametrize(
    ("content", "found", "line"),
    [
        (NET, "is a whole pickled model (monai.networks.nets.densenet.DenseNet)", f"{LOAD}.state_dict(), "),
        (
            {"state_dict": NET.state_dict(), "hyper_parameters": NAMESPACE},
            "contains more than tensors (argparse.Namespace)",
            f"{LOAD}['state_dict'], ",
        ),
        (
            {"epoch": 1, "model": NET},
            "contains more than tensors (monai.networks.nets.densenet.DenseNet, ",
            f"{LOAD}['model'].state_dict(), ",
        ),
        (
            {"model_state_dict": NET.state_dict(), "best": np.float64(0.9)},
            "multiarray.scalar",
            f"{LOAD}['model_state_dict'], ",
        ),
    ],
    ids=["whole", "namespace", "whole-in-mapping", "numpy"],
)
def test_the_class_and_the_remedy_are_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    save: Callable[[object, Path], None],
    content: object,
    found: str,
    line: str,
) -> None:
    save(content, tmp_path / "w.pth")
    code, said = audit(
        changed(write_model(tmp_path / "card"), weights=None, sha256=None), tmp_path / "w.pth", capsys
    )
    assert code == 2
    assert found in said
    assert line in said
    assert "\x1b" not in said
    assert "two options" not in said
    assert said.count("\n") == 1


def test_a_class_named_by_a_newer_pickle_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_pickle({"a": NAMESPACE, "b": NAMESPACE}, tmp_path / "w.pth")
    code, said = audit(
        changed(write_model(tmp_path / "card"), weights=None, sha256=None), tmp_path / "w.pth", capsys
    )
    assert (code, "contains more than tensors (argparse.Namespace)" in said) == (2, True)


def test_arrays_of_numpy_become_tensors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_pickle({"features.conv0.weight": np.zeros((2, 2))}, tmp_path / "w.pth")
    code, said = audit(
        changed(write_model(tmp_path / "card"), weights=None, sha256=None), tmp_path / "w.pth", capsys
    )
    assert code == 2
    assert "array in pickle.load(open('w.pth', 'rb')).items()}, 'state_dict.pth')" in said
    assert said.count("\n") == 1


def test_the_key_of_an_object_in_a_newer_pickle_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_pickle({"epoch": 1, "net": NAMESPACE}, tmp_path / "w.pth")
    card = changed(write_model(tmp_path / "card"), weights=None, sha256=None)
    assert (
        "pickle.load(open('w.pth', 'rb'))['net'].state_dict()" in audit(card, tmp_path / "w.pth", capsys)[1]
    )
