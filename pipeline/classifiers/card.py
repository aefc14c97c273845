"""Model card: architecture, findings, thresholds and preprocessing of a trained network, read from YAML."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
)

from pipeline.classifiers.architecture import Architecture
from pipeline.classifiers.finding_codes import FindingCode, check_codes
from pipeline.classifiers.grids import last_grid, smallest_side
from pipeline.classifiers.onnx.architecture import OnnxFile
from pipeline.classifiers.recipe import Preprocessing
from pipeline.errors import ConfigError
from pipeline.guards.yaml_models import Items, Strict, read_yaml, validated
from pipeline.registry import did_you_mean

DEFAULT_THRESHOLD: Final = 0.5
FROM_FILE: Final = "file"
"""Value of operating_thresholds: those that torchxrayvision keeps in the weights file, op_threshs."""
T = TypeVar("T")
QUESTION: Final = "?"
"""Value in a new card that the author has to replace: what a weights file does not say."""

FileSafeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""Part of the run folder's name, so limited to characters that are safe in file names."""
FindingName = Annotated[str, StringConstraints(min_length=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]


def load_card(path: Path) -> ModelCard:
    """The model card in a YAML file. Raises ConfigError that names the file and the key."""
    values = read_yaml(path)
    if questions := list(_questions(values)):
        raise ConfigError(
            f"{path}: {', '.join(questions)}: found '{QUESTION}', a question that is open; replace each "
            "by the answer, as the comment beside it says"
        )
    return validated(ModelCard, values, source=str(path))


def _questions(value: object, key: str = "") -> Iterator[str]:
    """Dotted keys whose value is QUESTION."""
    if value == QUESTION:
        yield key
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _questions(entry, f"{key}.{name}" if key else str(name))
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _questions(entry, f"{key}.{number}")


def _kind(architecture: object) -> str:
    """How a card states its network: by its class, or by an ONNX file."""
    names_file = isinstance(architecture, Mapping) and "onnx" in architecture
    return "<onnx>" if names_file or isinstance(architecture, OnnxFile) else "<class>"


class Example(Strict):
    """One image with the logits of the network that was trained, to compare the loaded network with."""

    image: Annotated[str, StringConstraints(min_length=1)]
    """File beside the card: DICOM, grey PNG, or .npy (a grey image of 0 … 1, or the network's own input)."""
    logits: Items[FiniteFloat]
    """The network's logits for the image, before any sigmoid or softmax: one per output, in order."""


class ModelCard(Strict):
    """A trained network: its architecture, weights, findings and preprocessing."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: FileSafeName
    """Name of the model, used in the run folder's name: letters, digits, dot, hyphen and underscore."""
    purpose: str
    """What the model is for; shown in the report."""
    license: str = ""
    """License of the weights."""
    source: str = ""
    """Where the weights come from."""
    architecture: Annotated[
        Annotated[Architecture, Tag("<class>")] | Annotated[OnnxFile, Tag("<onnx>")], Discriminator(_kind)
    ]
    """The network's class and its arguments, or its ONNX file."""
    outputs: Items[FindingName | None] = Field(alias="findings")
    """Names of the findings, in the order of the logits; null: an output that was never trained, left out."""
    not_findings: Items[FindingName] = ()
    """Of these names, those of no finding, such as normal: they count in a softmax, and get no maps, contours
    or scores."""
    activation: Literal["sigmoid", "softmax", "none"]
    """Converts outputs to probabilities; `none`: the outputs already are probabilities, within 0 … 1."""
    operating_thresholds: Mapping[str, Probability] = Field(default=DEFAULT_THRESHOLD, validate_default=True)
    """Finding → probability from which it counts as positive; a single number applies to all findings, and
    `file` stands for torchxrayvision's op_threshs in the weights file. Empty until these are read."""
    codes: Mapping[str, FindingCode] = Field(default_factory=dict)
    """Finding → its code in SNOMED CT, RadLex or another scheme, for exported DICOM objects; findings without
    one get a code of Heatproof's own there. The audit does not use them."""
    weights: str | None = None
    """Weights file in the card's folder or below, relative to it. The config's `weights` overrides it."""
    sha256: Sha256 | None = Field(default=None, validate_default=True)
    """SHA-256 of the weights file, checked whichever file is loaded; required if `weights` is set."""
    state_dict: str | None = None
    """If the weights file holds several networks: keys and prefix of the one to load, such as ema/module."""
    unused: Annotated[Items[FindingName], Field(max_length=100)] = ()
    """Beginnings of names in the weights file of what takes no part in the logits, such as another head."""
    target_layer: str = "last"
    """Layer of the heatmaps: last (the last feature map), stride8 (the last of that stride), or a module."""
    preprocessing: Preprocessing
    """Steps from the decoded image to the network's input, in the order of the keys."""
    example: Example | None = None
    """An image and its logits, which the loaded network must give to 0.001 before anything is audited."""
    figures: Mapping[str, Any] = Field(default_factory=dict)
    """Performance figures for readers of the card; the audit does not use them."""

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of the findings alone, in the order of the logits."""
        return _findings(self.outputs, self.not_findings)

    @property
    def explained(self) -> tuple[bool, ...]:
        """Of each output of the network, whether it is a finding."""
        findings = set(self.findings)
        return tuple(name in findings for name in self.outputs)

    def of_findings(self, values: Sequence[T]) -> dict[str, T]:
        """Finding → its value among `values`, of which there is one per output."""
        named = zip(self.outputs, values, strict=True)
        left_out = set(self.not_findings)
        return {name: value for name, value in named if name is not None and name not in left_out}

    def name_of(self, number: int) -> str:
        """What an output, counted from 0, is called in messages."""
        return self.outputs[number] or f"(output {number + 1}, left out)"

    @field_validator("outputs")
    @classmethod
    def _has_one_per_logit(
        cls, outputs: tuple[str | None, ...], info: ValidationInfo
    ) -> tuple[str | None, ...]:
        names = [name for name in outputs if name is not None]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(repeated)} occurs more than once; remove the repeats")
        if outputs and not names:
            raise ValueError("names no finding; name the outputs that were trained")
        architecture = _stated(info)
        if architecture and len(outputs) != architecture.arguments.out_channels:
            raise ValueError(
                f"{len(outputs)} findings for {architecture.arguments.out_channels} logits "
                "(architecture.arguments.out_channels); list one finding per logit, in their order, and null "
                "for an output that was never trained"
            )
        return outputs

    @field_validator("not_findings")
    @classmethod
    def _are_outputs(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "outputs" not in info.data:
            return names  # these are refused
        outputs = {name for name in info.data["outputs"] if name is not None}
        for name in names:
            if name not in outputs:
                raise ValueError(f"unknown output '{name}'{did_you_mean(name, sorted(outputs))}")
        if outputs == set(names):
            raise ValueError("leaves no finding; remove the names of findings")
        return names

    @field_validator(
        "operating_thresholds",
        mode="before",
        json_schema_input_type=Probability | Mapping[str, Probability] | Literal["file"],
    )
    @classmethod
    def _expand_single_number(cls, thresholds: object, info: ValidationInfo) -> object:
        if thresholds == FROM_FILE:
            return {}
        if thresholds == {}:
            raise ValueError("is empty; give one threshold per finding, one number for all, or file")
        if isinstance(thresholds, int | float):
            return dict.fromkeys(_named(info), thresholds)
        return thresholds

    @field_validator("operating_thresholds")
    @classmethod
    def _has_one_per_finding(
        cls, thresholds: Mapping[str, float], info: ValidationInfo
    ) -> Mapping[str, float]:
        findings = list(_named(info) if "outputs" in info.data else thresholds)
        for name in thresholds:
            if name in info.data.get("not_findings", ()):
                raise ValueError(f"'{name}' is one of not_findings, which need no threshold; remove it")
            if name not in findings:
                raise ValueError(f"unknown finding '{name}'{did_you_mean(name, findings)}")
        missing = [finding for finding in findings if finding not in thresholds]
        if missing and thresholds:
            raise ValueError(
                f"no threshold for {', '.join(missing)}; give one per finding, or one number for all"
            )
        return thresholds

    @field_validator("codes")
    @classmethod
    def _are_of_findings(
        cls, codes: Mapping[str, FindingCode], info: ValidationInfo
    ) -> Mapping[str, FindingCode]:
        return check_codes(codes, _named(info), info)

    @field_validator("weights", "unused")
    @classmethod
    def _not_beside_onnx(cls, value: object, info: ValidationInfo) -> object:
        if value not in {None, ()} and isinstance(info.data.get("architecture"), OnnxFile):
            raise ValueError(f"an ONNX file holds its weights (architecture.onnx); remove {info.field_name}")
        return value

    @field_validator("sha256")
    @classmethod
    def _stated_with_weights(cls, sha256: str | None, info: ValidationInfo) -> str | None:
        if isinstance(info.data.get("architecture"), OnnxFile) and sha256 is None:
            raise ValueError("is missing; add the SHA-256 of the ONNX file, as sha256sum prints it")
        if info.data.get("weights") and sha256 is None:
            raise ValueError("is missing; add the SHA-256 of the weights file, as sha256sum prints it")
        return sha256

    @field_validator("preprocessing")
    @classmethod
    def _has_the_networks_channels(cls, preprocessing: Preprocessing, info: ValidationInfo) -> Preprocessing:
        architecture = _stated(info)
        if architecture and preprocessing.channels != architecture.arguments.in_channels:
            raise ValueError(
                f"channels is {preprocessing.channels}, but the network takes "
                f"{architecture.arguments.in_channels} (architecture.arguments.in_channels); "
                "set both to the same number"
            )
        return preprocessing

    @field_validator("example")
    @classmethod
    def _has_a_logit_per_output(cls, example: Example | None, info: ValidationInfo) -> Example | None:
        outputs = info.data.get("outputs")
        if example is not None and outputs and len(example.logits) != len(outputs):
            raise ValueError(
                f"{len(example.logits)} logits for {len(outputs)} findings; state one per entry of findings, "
                "in order"
            )
        return example

    @field_validator("preprocessing")
    @classmethod
    def _is_large_enough(cls, preprocessing: Preprocessing, info: ValidationInfo) -> Preprocessing:
        architecture = _stated(info)
        shape = preprocessing.shape
        blocks = architecture.blocks if architecture else None
        if blocks is not None and not all(last_grid(shape, blocks=blocks)):
            smallest = smallest_side(1, blocks=blocks)
            even = 2 ** (blocks + 1)
            key = "crop.centre" if preprocessing.crop.centre else "resize.size"
            raise ValueError(
                f"{key} gives the network {shape[0]} x {shape[1]} px, of which nothing is left after its "
                f"{blocks + 1} halvings; the smallest that fits is {smallest} ({even} for even "
                f"halvings and a map of one cell, {2 * even} for one of 2 x 2); set {key} to at least that, "
                "as the network was trained"
            )
        return preprocessing


def _findings(outputs: Sequence[str | None], others: Collection[str]) -> tuple[str, ...]:
    left_out = set(others)
    return tuple(name for name in outputs if name is not None and name not in left_out)


def _named(info: ValidationInfo) -> tuple[str, ...]:
    """The findings of a card that is being read."""
    return _findings(info.data.get("outputs", ()), info.data.get("not_findings", ()))


def _stated(info: ValidationInfo) -> Architecture | None:
    """The class of the network and its arguments; None if they are wrong, or if it is an ONNX file."""
    architecture = info.data.get("architecture")
    return architecture if isinstance(architecture, Architecture) else None
