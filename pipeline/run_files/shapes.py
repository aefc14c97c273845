"""Shapes: what manifest.json and groups.json hold, as types that pydantic checks; more keys may be there."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from pipeline.records.names import Standing

MOST_REPLICATES = 1_000_000
"""A thousand times what intervals need; more take hours and gigabytes."""
LARGEST_SIDE = 2**20
"""Pixels."""

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
Share = Annotated[float, Field(ge=0, le=1)]
Whole = Annotated[int, Field(ge=0, le=2**53)]
Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
Name = Annotated[str, Field(min_length=1, max_length=10_000)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]
Four = Annotated[list[Number], Field(min_length=4, max_length=4)]
Grid = Annotated[list[Side], Field(min_length=2, max_length=2)]


def _different(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("wanted every name once")
    return names


class Method(TypedDict):
    """A source of maps."""

    name: Name
    kind: Literal["network", "baseline"]
    layer: NotRequired[str | None]
    unit: NotRequired[str | None]
    title: NotRequired[str | None]
    subject: NotRequired[str | None]
    unseen: NotRequired[str | None]


def _named_differently(methods: list[Method]) -> list[Method]:
    _different([method["name"] for method in methods])
    return methods


class Emptiness(TypedDict):
    """Scores without a lesion or a contour."""

    missed: Number | str
    healthy_drawn: Number | str
    healthy_clear: Number | str


class Metric(TypedDict):
    """A metric of the scores."""

    name: Name
    title: str
    level: str
    against: list[str]
    better: Literal["higher", "lower"]
    unit: str
    emptiness: Emptiness


class Rule(TypedDict):
    """How contours of one finding are drawn."""

    rule: Name
    threshold: Number | None
    gate: Literal["predicted", "all", "annotated"]
    probability: Number | None
    filled: bool
    words: str


class Contours(TypedDict):
    """How contours are drawn."""

    scaling: NotRequired[str]
    minimum_area_px: NotRequired[Number]
    minimum_area_mm2: NotRequired[Number | None]
    rules: dict[str, Rule]


class Statistics(TypedDict):
    """How intervals are computed."""

    replicates: NotRequired[Annotated[int, Field(ge=1, le=MOST_REPLICATES)]]
    confidence: NotRequired[Annotated[float, Field(gt=0, lt=1)]]
    seed: NotRequired[Whole]
    interval: NotRequired[Literal["expanded", "bca", "percentile"]]
    units: NotRequired[Literal["patients", "images"]]


class Check(TypedDict):
    """A self-check of the model."""

    title: str
    detail: str


class Notice(TypedDict):
    """A guess or a warning."""

    kind: Literal["guess", "warning", "error"]
    about: str
    message: str
    pin: str


class Studies(TypedDict):
    """Numbers of files and images."""

    files: NotRequired[Whole]
    images: NotRequired[Whole]
    selected: NotRequired[Whole]
    audited: NotRequired[Whole]
    sha256: NotRequired[str]


class Tuned(TypedDict):
    """What the thresholds were tuned on."""

    method: str
    tuned_images: Whole
    tuned_patients: Whole
    images: Whole
    patients: Whole
    patients_compared: bool


class Maps(TypedDict):
    """Maps that were computed elsewhere."""

    maps: Whole
    files: Whole
    formats: list[str]
    probabilities: bool
    gate_opened: bool
    sha256: str


class Review(TypedDict):
    """How readers review the report."""

    blind: NotRequired[bool]


class Exports(TypedDict):
    """Which DICOM objects are written."""

    kinds: NotRequired[str | list[str]]
    segmentation: NotRequired[str]
    map_grid: NotRequired[str]
    overlay: NotRequired[str]


class Manifest(TypedDict):
    """The content of manifest.json; each command names the keys that it needs."""

    run_id: NotRequired[Name]
    findings: Annotated[list[Name], AfterValidator(_different)]
    methods: Annotated[list[Method], AfterValidator(_named_differently)]
    metrics: NotRequired[list[Metric]]
    contours: NotRequired[Contours]
    statistics: NotRequired[Statistics]
    annotations_sha256: NotRequired[str]
    outputs: NotRequired[str]
    crosswalk_hmac_sha256: NotRequired[str]
    created: NotRequired[str]
    version: NotRequired[str]
    verdict: NotRequired[dict[str, Standing]]
    title: NotRequired[str | None]
    studies: NotRequired[Studies]
    card: NotRequired[dict[str, Any]]
    checks: NotRequired[list[Check]]
    notices: NotRequired[list[Notice]]
    tuned: NotRequired[Tuned | None]
    heatmaps: NotRequired[Maps]
    versions: NotRequired[dict[str, str]]
    review: NotRequired[Review]
    exports: NotRequired[Exports]


class Host(TypedDict):
    """The kind of machine of an attempt."""

    system: str
    machine: str
    processor: str
    cores: Whole | None
    usable_cores: Whole | None
    memory_gib: Number | None
    accelerator: NotRequired[str | None]
    threads: NotRequired[Whole | None]


class Attempt(TypedDict):
    """One start of a run's command."""

    started: str
    finished: str | None
    clock: str
    operator: str | None
    command: list[str]
    version: str
    commit: str | None
    is_changed: bool | None
    python: str
    packages: dict[str, str]
    host: Host


class Provenance(TypedDict):
    """The content of provenance.json."""

    run_id: Name
    is_lost: bool
    attempts: list[Attempt]


Groups = dict[str, dict[str, str]]
"""Content of groups.json: column → case id → value."""
