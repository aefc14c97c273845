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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from pipeline.audit import audit
from pipeline.audited_model.loading import open_network
from pipeline.classifiers.network_card import network_card
from pipeline.config import AuditConfig, load_config
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.plan import plan_for_network
from pipeline.records import Notice
from pipeline.run.notices import ShowNotices
from pipeline.run.opening import ShowProgress, silent
from pipeline.run.outcome import Outcome

RUN_CODE = (torch.jit.ScriptModule, torch.export.ExportedProgram)
"""Kinds of networks whose operations cannot be read."""


def _show(notices: Sequence[Notice]) -> None:
    """Print notices, with control characters escaped: names of files can contain them."""
    for notice in notices:
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in notice.text())
        sys.stdout.write(f"{notice.kind.capitalize()}: {text}\n")


def audit_network(
    network: nn.Module,
    *,
    findings: Sequence[str],
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

    `network`: (batch, channels, height, width) → (batch, findings), before `activation`; it is copied and
    stays as it is. `findings`, `activation`, `thresholds`, `target_layer` and `preprocess` are the keys of a
    model card (there: preprocessing), `settings` dotted keys of a config ({"methods": ["gradcam"]}) that
    override the file `config`. Without `executor`, worker processes are started: in a script, call this
    below `if __name__ == "__main__"`. Raises ConfigError that names the argument.
    """
    if isinstance(network, RUN_CODE):
        raise ConfigError(
            f"audit_network: network: is a {type(network).__name__}, whose layers cannot be read; give the "
            "nn.Module from which it was made"
        )
    if isinstance(findings, str):
        raise ConfigError(f"audit_network: findings: is the text {findings!r}; give a list of names")
    given: dict[str, Any] = {"studies": str(studies)}
    if annotations is not None:
        given["annotations.path"] = str(annotations)
    card = network_card(
        name=name,
        kind=type(network).__qualname__,
        findings=findings,
        preprocess=preprocess,
        activation=activation,
        thresholds=thresholds,
        target_layer=target_layer,
    )
    overrides = {**given, **(settings or {})}
    plan = plan_for_network(_without_model(load_config(Path(config) if config else None, overrides)), card)
    model = open_network(network, plan)
    return audit(plan, model=model, executor=executor, progress=progress, notify=notify)


def _without_model(config: AuditConfig) -> AuditConfig:
    """The config, which must not name another model."""
    if config.model is not None or config.weights is not None:
        key = "model" if config.model is not None else "weights"
        raise ConfigError(
            f"{key}: is set, but audit_network audits the network that it is given; remove {key}"
        )
    return config
