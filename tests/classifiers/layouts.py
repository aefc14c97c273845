"""Layouts: the ways in which training code saves one network, each as what torch.save is given."""

from __future__ import annotations

import argparse
import datetime as dt
import pathlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Tensors = dict[str, Tensor]
EPOCH = {"epoch": 12}


@dataclass(frozen=True)
class Layout:
    """One way to save a network."""

    save: Callable[[nn.Module], object]
    """Network → what is given to torch.save."""
    shown: tuple[str, ...] = ()
    """Words of the notices on reading it."""
    state_dict: str | None = None
    """What the card has to state."""
    older: bool = False
    """Whether it is saved without an archive."""


def state(network: nn.Module) -> Tensors:
    return dict(network.state_dict())


def under(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    return OrderedDict((prefix + name, tensor) for name, tensor in tensors.items())


def shifted(tensors: Mapping[str, Tensor]) -> Tensors:
    """Other values, as those of an average or of another epoch."""
    return {k: v + 1 if v.is_floating_point() else v for k, v in tensors.items()}


def lightning(network: nn.Module) -> dict[str, Any]:
    """What Lightning's trainer saves, with its own keys."""
    score = torch.tensor(0.91)
    path = pathlib.PosixPath("/data/runs/best.ckpt")
    callback = {
        "monitor": "val_auc",
        "best_model_score": score,
        "best_model_path": str(path),
        "best_k_models": {str(path): score},
        "dirpath": path,
    }
    loss = {"criterion.weight": torch.ones(2), "loss_fn.pos_weight": torch.ones(2)}
    counts = {"val_auroc.confmat": torch.zeros(5, 2, 2), "train_accuracy.tp": torch.zeros(2)}
    return {
        **EPOCH,
        "global_step": 4000,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": OrderedDict({**under("model.", network.state_dict()), **loss, **counts}),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 13}}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'val_auc', 'mode': 'max'}": callback},
        "optimizer_states": [optimiser(network)],
        "lr_schedulers": [{"last_epoch": 12, "_last_lr": [1e-4]}],
        "hparams_name": "kwargs",
        "hyper_parameters": {
            "lr": 1e-4,
            "args": argparse.Namespace(size=320),
            "loss": nn.BCEWithLogitsLoss(),
        },
    }


def optimiser(network: nn.Module) -> dict[str, Any]:
    """An optimiser's state after one step."""
    adam = torch.optim.Adam(network.parameters())
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    adam.step()
    adam.zero_grad()
    return adam.state_dict()


def averaged(network: nn.Module) -> object:
    return torch.optim.swa_utils.AveragedModel(network).state_dict()


def counted() -> defaultdict[str, list[int]]:
    history: defaultdict[str, list[int]] = defaultdict(list)
    history["loss"].append(1)
    return history


def beside(**values: object) -> Callable[[nn.Module], object]:
    return lambda network: {"state_dict": state(network), **values}


class Trainer:
    """An object of training code that holds the network."""

    def __init__(self, network: nn.Module) -> None:
        self.model = network
        self.started = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)


LAYOUTS: dict[str, Layout] = {
    "plain": Layout(state),
    "plain_older": Layout(state, older=True),
    "ordered_dict": Layout(lambda n: OrderedDict(n.state_dict()), older=True),
    "pytorch_model_bin": Layout(lambda n: {k: v.clone() for k, v in n.state_dict().items()}),
    "parameters": Layout(lambda n: {**n.state_dict(), **dict(n.named_parameters())}),
    "parameters_older": Layout(lambda n: {**n.state_dict(), **dict(n.named_parameters())}, older=True),
    "half": Layout(lambda n: {k: v.half() for k, v in n.state_dict().items()}),
    "bfloat16": Layout(lambda n: {k: v.bfloat16() for k, v in n.state_dict().items()}),
    "state_dict": Layout(lambda n: {"state_dict": state(n), **EPOCH}, ("state_dict", "epoch")),
    "best_numpy_score": Layout(
        lambda n: {
            **EPOCH,
            "model_state_dict": state(n),
            "optimizer_state_dict": optimiser(n),
            "best_auc": np.float64(0.91),
        },
        ("model_state_dict", "epoch, optimizer_state_dict, best_auc"),
    ),
    "best_numpy_score_older": Layout(
        lambda n: {"model_state_dict": state(n), "best_auc": np.float32(0.91)},
        ("model_state_dict", "best_auc"),
        older=True,
    ),
    "numpy_arrays_beside": Layout(
        beside(auc=np.linspace(0, 1, 14), mean=np.ones(3, np.float32), classes=np.array(["a", "b"])),
        ("state_dict", "auc, mean, classes"),
    ),
    "lightning": Layout(
        lightning,
        ("state_dict", "prefix model.", "epoch", "val_auroc.confmat", "criterion.weight and 1 more"),
    ),
    "lightning_older": Layout(lightning, ("state_dict", "model."), older=True),
    "namespace": Layout(beside(args=argparse.Namespace(lr=1e-3, out=pathlib.Path("runs"))), ("args",)),
    "paths_and_times": Layout(
        beside(
            path=pathlib.PurePosixPath("runs"),
            when=dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC),
            took=dt.timedelta(hours=3),
            history=counted(),
            tags={"a", "b"},
        ),
        ("path, when, took and 2 more",),
    ),
    "timm_average": Layout(
        lambda n: {"arch": "densenet", "state_dict": shifted(state(n)), "state_dict_ema": state(n)},
        ("state_dict_ema", "state_dict"),
        state_dict="state_dict_ema",
    ),
    "average_of_module": Layout(
        lambda n: {"ema": {"module": state(n), "decay": 0.999}, "model": shifted(state(n))},
        ("ema/module", "decay"),
        state_dict="ema/module",
    ),
    "only_the_average": Layout(
        lambda n: {"ema": {"module": state(n), "updates": 9}}, ("ema/module", "updates")
    ),
    "average_in_one_mapping": Layout(
        lambda n: under("model.", shifted(state(n))) | under("ema_model.", state(n)),
        ("ema_model.", "not read: model."),
        state_dict="ema_model",
    ),
    "average_within": Layout(
        lambda n: state(n) | under("ema.", shifted(state(n))), ("not read: ema.",), state_dict="."
    ),
    "averaged_model": Layout(averaged, ("module.", "n_averaged")),
    "compiled": Layout(lambda n: under("_orig_mod.", state(n)), ("_orig_mod.",)),
    "sharded": Layout(lambda n: under("_fsdp_wrapped_module.", state(n)), ("_fsdp_wrapped_module.",)),
    "parallel": Layout(lambda n: under("module.", state(n)), ("module.",)),
    "parallel_in_model": Layout(lambda n: under("module.model.", state(n)), ("module.model.",)),
    "compiled_in_model": Layout(lambda n: under("model._orig_mod.", state(n)), ("model.", "_orig_mod.")),
    "registered_twice": Layout(
        lambda n: under("model.", state(n)) | under("net.", state(n)), ("prefix model.", "not read: net.")
    ),
    "in_depth": Layout(lambda n: {"checkpoint": {"net": state(n)}}, ("checkpoint/net",)),
    "whole": Layout(lambda n: n, ("whole pickled network, monai",)),
    "whole_older": Layout(lambda n: n, ("whole pickled network, monai",), older=True),
    "whole_parallel": Layout(nn.DataParallel, ("whole pickled network, torch.nn", "module.")),
    "whole_beside": Layout(lambda n: {**EPOCH, "net": n}, ("net", "whole pickled network", "epoch")),
    "whole_in_trainer": Layout(Trainer, ("model", "started")),
}
"""Name → layout."""
