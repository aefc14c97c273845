"""Audit network: the audit of a network that is in memory, from a notebook or a script.

from pipeline.audit_network import audit_network
outcome = audit_network(
    network, findings=["mass"], preprocess={"window": "header", "resize": {"rule": "exact", "size": 224}},
    studies="images", annotations="masks",
)
outcome.index  # the report
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from pipeline.audit import audit
from pipeline.audited_model.loading import open_network
from pipeline.classifiers.network_card import network_card
from pipeline.config import AuditConfig, load_config
from pipeline.contracts import Executor
from pipeline.errors import CheckError, ConfigError, OutputError, refuse_all
from pipeline.plan import plan_for_network
from pipeline.records import Notice
from pipeline.retrieval.door import in_folders
from pipeline.run.notices import ShowNotices
from pipeline.run.opening import ShowProgress, silent
from pipeline.run.outcome import Outcome

RUN_CODE = (torch.jit.ScriptModule, torch.export.ExportedProgram)
"""Kinds of networks whose operations cannot be read."""
ARGUMENTS = {
    "audit_network: preprocessing": "audit_network: preprocess",
    "audit_network: operating_thresholds": "audit_network: thresholds",
    "give --studies <folder>": "give studies=<folder>",
    "give --annotations <folder or file>": "give annotations=<folder or file>",
    ", or set the key in the config": "",
    "set --out <folder>": "give settings={'out': <folder>}",
    "choose another --out": "choose another settings={'out': <folder>}",
    "command line: ": "settings: ",
    "write --set ": "write settings=",
}
"""Words of cards and of the command line → those of the arguments of `audit_network`."""


def _show(notices: Sequence[Notice]) -> None:
    """Print notices, with control characters escaped: names of files can contain them."""
    for notice in notices:
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in notice.text())
        sys.stdout.write(f"{notice.kind.capitalize()}: {text}\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def audit_network(
    network: nn.Module,
    *,
    findings: Sequence[str | None],
    not_findings: Sequence[str] = (),
    preprocess: Mapping[str, Any],
    studies: str | os.PathLike[str],
    annotations: str | os.PathLike[str] | None = None,
    activation: Literal["sigmoid", "softmax", "none"] = "sigmoid",
    thresholds: float | Mapping[str, float] = 0.5,
    target_layer: str = "last",
    name: str = "network",
    config: str | os.PathLike[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    progress: ShowProgress = silent,
    notify: ShowNotices = _show,
) -> Outcome:
    """The outcome of an audit as `heatproof audit` makes it, with the path of its report.

    `network`: (batch, channels, height, width) → (batch, outputs), before `activation`; it is copied and
    stays as it is. `findings` (one per output, None for one that was never trained), `not_findings`,
    `activation`, `thresholds`, `target_layer` and `preprocess` are the keys of a model card (there:
    preprocessing), `settings` dotted keys of a config ({"methods": ["gradcam"]}) that override the file
    `config`. Without `executor`, worker processes are started: in a script, call this
    below `if __name__ == "__main__"`. Raises ConfigError that names the argument.
    """
    refuse_all(
        lambda: _check_network(network),
        lambda: _check_names(findings, key="findings"),
        lambda: _check_names(not_findings, key="not_findings"),
    )
    given: dict[str, Any] = {"studies": str(studies)}
    if annotations is not None:
        given["annotations.path"] = str(annotations)
    overrides = {**given, **(settings or {})}
    with _in_arguments():
        card = network_card(
            name=name,
            kind=type(network).__qualname__,
            findings=findings,
            not_findings=not_findings,
            preprocess=preprocess,
            activation=activation,
            thresholds=thresholds,
            target_layer=target_layer,
        )
        whole = _without_model(load_config(Path(config) if config else None, overrides))
        _refuse_cluster(whole, executor)
        whole, fetched = in_folders(whole, _say)
        plan = replace(plan_for_network(whole, card), notices=fetched)
        model = open_network(network, plan)
        return audit(plan, model=model, executor=executor, progress=progress, notify=notify)


@contextmanager
def _in_arguments() -> Iterator[None]:
    """Errors inside the block speak of the arguments of `audit_network`."""
    try:
        yield
    except (ConfigError, CheckError, OutputError) as error:
        text = str(error)
        for words, argument in ARGUMENTS.items():
            text = text.replace(words, argument)
        raise type(error)(text) from error


def _check_network(network: nn.Module) -> None:
    if isinstance(network, RUN_CODE):
        raise ConfigError(
            f"audit_network: network: is a {type(network).__name__}, whose layers cannot be read; give the "
            "nn.Module from which it was made"
        )


def _check_names(names: Sequence[str | None], *, key: str) -> None:
    if isinstance(names, str):
        raise ConfigError(f"audit_network: {key}: is the text {names!r}; give a list of names")


def _refuse_cluster(config: AuditConfig, executor: Executor | None) -> None:
    if executor is None and config.executor.kind != "pool":
        raise ConfigError(
            f"executor.kind: is {config.executor.kind}, whose nodes open the network from files, but "
            "audit_network has it in memory; set kind: pool, or run heatproof audit with a model card"
        )


def _without_model(config: AuditConfig) -> AuditConfig:
    """The config, which must not name another model."""
    if config.model is not None or config.weights is not None:
        key = "model" if config.model is not None else "weights"
        raise ConfigError(
            f"{key}: is set, but audit_network audits the network that it is given; remove {key}"
        )
    return config
