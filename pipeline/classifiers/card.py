"""Card: everything about a trained network that its weights do not say, read from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, PositiveInt, StringConstraints, ValidationInfo, field_validator

from pipeline.classifiers.recipe import Preprocessing
from pipeline.registry import did_you_mean
from pipeline.strict import Strict, read_yaml, validated

NETWORK_CLASSES: Final = ("DenseNet", "DenseNet121", "DenseNet169", "DenseNet201", "DenseNet264")
"""The classes of `monai.networks.nets` that a card may ask for; it can name no other code."""
NETWORK_MODULE: Final = "monai.networks.nets."
DEFAULT_THRESHOLD: Final = 0.5

FileSafeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""Becomes part of a folder's name."""
FindingName = Annotated[str, StringConstraints(min_length=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
Layer = str | tuple[str, Mapping[str, Any]]
"""A name that MONAI's layer factories know, alone or with arguments."""


def load_card(path: Path) -> ModelCard:
    """The model card in a YAML file; a wrong one is a `ConfigError` that names file and key."""
    return validated(ModelCard, read_yaml(path), source=str(path))


class Arguments(Strict):
    """What the network's class is called with. Those left out are MONAI's defaults for the class."""

    spatial_dims: Literal[2] = 2
    in_channels: PositiveInt
    out_channels: PositiveInt
    init_features: PositiveInt | None = None
    growth_rate: PositiveInt | None = None
    block_config: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = None
    bn_size: PositiveInt | None = None
    act: Layer | None = None
    norm: Layer | None = None
    dropout_prob: Annotated[float, Field(ge=0, lt=1)] | None = None


class Architecture(Strict):
    """Which network."""

    model_config = ConfigDict(serialize_by_alias=True)

    class_name: str = Field(alias="class")
    arguments: Arguments

    @field_validator("class_name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        name = name.removeprefix(NETWORK_MODULE)
        if name not in NETWORK_CLASSES:
            raise ValueError(f"unknown network{did_you_mean(name, list(NETWORK_CLASSES))}")
        return name


class ModelCard(Strict):
    """A trained network: what it is, what it answers and what it must be fed."""

    name: FileSafeName
    purpose: str
    license: str = ""
    source: str = ""
    architecture: Architecture
    findings: tuple[FindingName, ...]
    """In the order of the logits."""
    activation: Literal["sigmoid", "softmax", "none"]
    """From logits to probabilities; `none`: the outputs are probabilities, and clipped to 0 … 1."""
    operating_thresholds: Mapping[str, Probability] = Field(default=DEFAULT_THRESHOLD, validate_default=True)
    """Finding → the probability from which it is called positive; one number stands for all findings."""
    weights: str | None = None
    """A file beside the card, or an absolute path. A file named when the audit is started takes its place."""
    sha256: Sha256 | None = Field(default=None, validate_default=True)
    """Of whichever weights file is loaded."""
    target_layer: str = "last"
    preprocessing: Preprocessing
    figures: Mapping[str, Any] = Field(default_factory=dict)
    """Performance and the like, for the reader of the card alone."""

    @field_validator("findings")
    @classmethod
    def _one_a_logit(cls, findings: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if repeated := sorted({finding for finding in findings if findings.count(finding) > 1}):
            raise ValueError(f"{', '.join(repeated)} occurs more than once")
        architecture = info.data.get("architecture")
        if architecture and len(findings) != architecture.arguments.out_channels:
            raise ValueError(
                f"{len(findings)} findings for {architecture.arguments.out_channels} logits "
                "(architecture.arguments.out_channels); name one finding a logit, in their order"
            )
        return findings

    @field_validator("operating_thresholds", mode="before")
    @classmethod
    def _one_for_all(cls, thresholds: object, info: ValidationInfo) -> object:
        if isinstance(thresholds, int | float):
            return dict.fromkeys(info.data.get("findings", ()), thresholds)
        return thresholds

    @field_validator("operating_thresholds")
    @classmethod
    def _one_a_finding(cls, thresholds: Mapping[str, float], info: ValidationInfo) -> Mapping[str, float]:
        findings = list(info.data.get("findings", thresholds))
        for name in thresholds:
            if name not in findings:
                raise ValueError(f"unknown finding '{name}'{did_you_mean(name, findings)}")
        if missing := [finding for finding in findings if finding not in thresholds]:
            raise ValueError(f"none for {', '.join(missing)}; give every finding one, or one number for all")
        return thresholds

    @field_validator("sha256")
    @classmethod
    def _stated_with_weights(cls, sha256: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("weights") and sha256 is None:
            raise ValueError("is missing, and a card that names its weights must state it; see sha256sum")
        return sha256

    @field_validator("preprocessing")
    @classmethod
    def _feeds_every_channel(cls, preprocessing: Preprocessing, info: ValidationInfo) -> Preprocessing:
        architecture = info.data.get("architecture")
        if architecture and preprocessing.channels != architecture.arguments.in_channels:
            raise ValueError(
                f"channels is {preprocessing.channels}, but the network takes "
                f"{architecture.arguments.in_channels} (architecture.arguments.in_channels)"
            )
        return preprocessing
