"""Config: YAML → frozen pydantic models. Every key is commented once, in configs/audit.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt

from pipeline.errors import ConfigError
from pipeline.strict import COMMAND_LINE, LARGEST_CONFIG_BYTES, Strict, parse_yaml, read_yaml, validated

Share = Annotated[float, Field(ge=0, le=1)]
Gate = Literal["predicted", "all", "annotated"]
Attribute = Literal[
    "modality", "view", "laterality", "sex", "age", "manufacturer", "model", "body_part", "photometric"
]


def _listed(value: object) -> object:
    """One value or several, as text: tables hold nothing else."""
    values = value if isinstance(value, list) else [value]
    return [str(item) if isinstance(item, int | float) else item for item in values]


def _name_or_mapping(value: object) -> object:
    if not isinstance(value, str | Mapping):
        raise ValueError("wanted a name, or keys and values with 'method'")  # noqa: TRY004  # what pydantic catches
    return value


Method = Annotated[str | Mapping[str, Any], BeforeValidator(_name_or_mapping)]


class Table(Strict):
    """A CSV with one row an image; rows are joined on a column with SOP instance UIDs or file stems."""

    file: Path
    image: str = "sop_instance_uid"


class Labels(Table):
    """Image-level truth: 1 present, 0 absent, empty unknown."""

    columns: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]] = Field(default_factory=dict)


class Select(Table):
    """Which images are audited: the rows whose columns have these values."""

    where: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]]


class Annotations(Strict):
    """Where the radiologists' annotations are, and what their words mean."""

    path: Path | None = None
    sources: tuple[Mapping[str, Any], ...] = ()
    findings: Mapping[str, str | None] = Field(default_factory=dict)
    labels: Labels | None = None


class Cut(Strict):
    """How the map of one finding becomes contours, where that differs."""

    rule: str | None = None
    threshold: float | None = None
    gate: Gate | None = None
    probability: Share | None = None


class Contours(Strict):
    """How a heatmap becomes contours."""

    scaling: Literal["positive", "minmax"] = "positive"
    rule: str = "fraction"
    threshold: float = 0.6
    filled: bool = False
    gate: Gate = "predicted"
    probability: Share | None = None
    findings: Mapping[str, Cut] = Field(default_factory=dict)
    minimum_area_px: Annotated[int, Field(ge=0)] = 0
    minimum_area_mm2: Annotated[float, Field(ge=0)] = 0


class LocationPrior(Strict):
    """The mean of the reference masks of other images than the audited ones."""

    where: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]]


class Baselines(Strict):
    """Maps that never look at the network, scored beside it."""

    center_prior: bool = True
    location_prior: LocationPrior | None = None
    random: bool = True
    local_contrast: bool = False


class Heatmaps(Strict):
    """Maps that were computed elsewhere, for heatproof score."""

    path: Path | None = None
    findings: tuple[str, ...] = ()
    operating_point: Share = 0.5


class Tuning(Strict):
    """On which images heatproof tune chooses rules, thresholds and gates."""

    where: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]]
    rules: tuple[str, ...] = ("fraction", "otsu", "percentile")
    minimum_patients: PositiveInt = 10


class Tuned(Strict):
    """What heatproof tune used, written by it."""

    key: str
    method: str
    images: int
    patients: tuple[str, ...]
    pixels: tuple[str, ...]


class Splits(Strict):
    """How parts of a study set are kept apart."""

    compare_pixels: bool = True


class BackendDrift(Strict):
    """How far another backend than torch may be from torch in float32, as shares."""

    logit: Share = 0.02
    iou: Share = 0.05


class Tolerances(Strict):
    """How near is near enough."""

    surface_mm: Annotated[float, Field(gt=0)] = 5.0
    surface_px: Annotated[float, Field(gt=0)] = 10.0
    pointing_mm: Annotated[float, Field(gt=0)] = 10.0
    pointing_px: Annotated[float, Field(gt=0)] = 15.0


class Lesions(Strict):
    """When a contour counts as the finding of a lesion."""

    criterion: Literal["iou", "box_iou", "centre_hit", "point_in_mask"] = "iou"
    threshold: Share = 0.1
    assignment: Literal["greedy", "optimal", "many_to_one"] = "greedy"


class Readers(Strict):
    """How several readers of one image are brought together."""

    consensus: Literal["majority", "staple"] | None = "majority"


class Columns(Table):
    """Columns of a table by which images are grouped."""

    columns: Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Subgroups(Strict):
    """By what images are grouped, and how few patients are too few for a number."""

    attributes: tuple[Attribute, ...] = ("sex", "age", "view", "manufacturer")
    table: Columns | None = None
    minimum_patients: PositiveInt = 10


class Statistics(Strict):
    """How intervals are made."""

    units: Literal["patients", "images"] = "patients"
    interval: Literal["expanded", "bca", "percentile"] = "expanded"
    replicates: PositiveInt = 2000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 0


class Limits(Strict):
    """What one file may take, while a worker reads, decodes or scores it."""

    seconds: Annotated[float, Field(gt=0)] = 120
    memory_mb: Annotated[int, Field(ge=256)] = 4096


class BurnedInText(Strict):
    """What is done about text that is part of a picture."""

    look: Literal["auto", "tesseract", "contrast", "none"] = "auto"
    mask: bool = False


class Policy(Strict):
    """What makes the run end with exit code 1."""

    max_skipped: Share = 0.1
    min_skill: Annotated[float, Field(le=1)] | None = None
    min_hit_rate: Share | None = None
    min_iou: Share | None = None
    min_auroc: Share | None = None
    max_on_healthy: Share | None = None

    @property
    def limits(self) -> Mapping[str, float | None]:
        """What every finding must keep, by key."""
        return self.model_dump(exclude={"max_skipped"})


def _word(value: object) -> object:
    """YAML takes a bare off for false."""
    return "off" if value is False else value


class Validation(Strict):
    """How bad is what `heatproof validate` finds."""

    levels: Mapping[str, Annotated[Literal["error", "warning", "note", "off"], BeforeValidator(_word)]] = (
        Field(default_factory=dict)
    )


class AuditConfig(Strict):
    """Everything about a run."""

    title: str = "Audit"
    studies: Path | None = None
    annotations: Annotations = Annotations()
    heatmaps: Heatmaps = Heatmaps()
    splits: Splits = Splits()
    tuning: Tuning | None = None
    tuned: Tuned | None = None
    select: Select | None = None
    model: Path | None = None
    weights: Path | None = None
    allow_pickle_weights: bool = False
    device: str = "cpu"
    backend: Literal["torch", "openvino"] = "torch"
    backend_drift: BackendDrift = BackendDrift()
    precision: Literal["float32", "bfloat16"] = "float32"
    batch_size: PositiveInt = 8
    memory_mb: PositiveInt = 1024
    workers: Annotated[int, Field(ge=0)] = 0
    limits: Limits = Limits()
    burned_in_text: BurnedInText = BurnedInText()
    methods: tuple[Method, ...] = ("gradcam",)
    baselines: Baselines = Baselines()
    contours: Contours = Contours()
    metrics: tuple[str, ...] = ()
    tolerances: Tolerances = Tolerances()
    lesions: Lesions = Lesions()
    readers: Readers = Readers()
    subgroups: Subgroups = Subgroups()
    statistics: Statistics = Statistics()
    policy: Policy = Policy()
    validation: Validation = Validation()
    out: Path = Path("reports")


def load_config(path: Path | None, overrides: Mapping[str, Any]) -> AuditConfig:
    """The config in a file (or the defaults), with dotted keys overridden: {"contours.threshold": 0.5}."""
    values = read_yaml(path, most_bytes=LARGEST_CONFIG_BYTES) if path else {}
    for key, value in overrides.items():
        _set(values, key, value)
    return validated(AuditConfig, values, source=str(path or COMMAND_LINE), overridden=overrides)


def parse_override(text: str) -> tuple[str, Any]:
    """("contours.threshold", 0.5) from "contours.threshold=0.5"; the value is read as YAML."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {text}: found no key=value; write for example --set contours.threshold=0.5")
    try:
        return key, parse_yaml(value)
    except ValueError as error:
        raise ConfigError(f"--set {text}: the value is not YAML: {error}") from error


def _set(values: dict[str, Any], key: str, value: object) -> None:
    """`values` with a dotted key set, making mappings on the way."""
    *parents, last = key.split(".")
    for parent in parents:
        child = values.get(parent)
        if child is not None and not isinstance(child, dict):
            raise ConfigError(f"{COMMAND_LINE}: {key}: '{parent}' holds a value, not further keys")
        values[parent] = values = dict(child or {})
    values[last] = value
