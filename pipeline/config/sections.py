"""Sections of the config: one frozen model each. configs/audit.yaml comments every key once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PositiveInt, Tag, model_validator

from pipeline.guards.yaml_models import Items, PathText, Strict
from pipeline.records import ENOUGH_PATIENTS

Join = Literal["auto", "uid", "path", "stem"]
Share = Annotated[float, Field(ge=0, le=1)]
Gate = Literal["predicted", "all", "annotated"]
Attribute = Literal[
    "modality", "view", "laterality", "sex", "age", "manufacturer", "model", "body_part", "photometric"
]


def _as_texts(value: object) -> object:
    """One value or several, as a list; numbers become text, because table cells are compared as text."""
    values = value if isinstance(value, list) else [value]
    return [
        str(item) if isinstance(item, int | float) and not isinstance(item, bool) else item for item in values
    ]


def _name_or_mapping(value: object) -> object:
    if not isinstance(value, str | Mapping):
        message = "wanted a name, as in gradcam, or keys and values, as in {method: gradcam}"
        raise ValueError(message)  # noqa: TRY004  # pydantic does not catch TypeError
    return value


ARCHIVE = "dicomweb:"
"""Beginning of the address of an archive in place of a path."""


def _as_archive(value: object) -> object:
    """A path that is the address of an archive, under the key for that: Path would merge its slashes."""
    path = value.get("path") if isinstance(value, Mapping) else None
    if isinstance(value, Mapping) and isinstance(path, str) and path.startswith(ARCHIVE):
        return {**value, "path": None, "dicomweb": path.removeprefix(ARCHIVE)}
    return value


Cell = str | int | float
Listed = Annotated[Items[str], BeforeValidator(_as_texts, json_schema_input_type=Cell | tuple[Cell, ...])]
Where = Mapping[str, Listed]
"""Column → the values that a row may have there."""
Method = Annotated[
    str | Mapping[str, Any],
    BeforeValidator(_name_or_mapping, json_schema_input_type=str | Mapping[str, Any]),
]


class Table(Strict):
    """A CSV with one row per image, matched to images by a column with SOP instance UIDs or file stems."""

    file: PathText
    image: str = "sop_instance_uid"


ImageFormatName = Literal["DICOM", "PNG", "JPEG", "TIFF", "NIfTI", "NRRD", "MetaImage"]


class StudyTable(Strict):
    """A CSV with one row per image, and the columns that say what the images' files do not."""

    file: PathText
    image: str | None = None
    patient: str | None = None
    view: Annotated[Listed, Field(max_length=2)] = ()
    sex: str | None = None
    age: str | None = None
    spacing: Annotated[Listed, Field(max_length=2)] = ()


class Studies(Strict):
    """The images: their folder, the formats that count as images, and a table about them."""

    path: PathText | None = None
    dicomweb: str | None = None
    cache: PathText | None = None
    credentials: PathText | None = None
    formats: Items[ImageFormatName] = ()
    table: StudyTable | None = None

    _archive = model_validator(mode="before")(_as_archive)


class Labels(Table):
    """Image-level labels from a CSV: 1 present, 0 absent, empty or -1 unknown."""

    columns: Where = Field(default_factory=dict)
    words: str | None = None


class Select(Table):
    """Selection of the images that are audited, by the values in their rows."""

    where: Where


class Annotations(Strict):
    """The radiologists' annotations, and the translation of their finding names."""

    path: PathText | None = None
    dicomweb: str | None = None
    sources: Items[Mapping[str, Any]] = ()
    findings: Mapping[str, str | None] = Field(default_factory=dict)
    no_finding: Items[str] = ()
    join: Join | None = None
    labels: Labels | None = None

    _archive = model_validator(mode="before")(_as_archive)


class OwnRule(Strict):
    """Contour settings that differ for one finding."""

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
    findings: Mapping[str, OwnRule] = Field(default_factory=dict)
    minimum_area_px: Annotated[int, Field(ge=0)] = 0
    minimum_area_mm2: Annotated[float, Field(ge=0)] = 0


class OtherImages(Strict):
    """Images outside the audited ones, from which a baseline is made."""

    where: Where


def _tag(value: object) -> str:
    return "<images>" if isinstance(value, Mapping | OtherImages) else "<switch>"


BaselineChoice = Annotated[
    Annotated[bool | None, Tag("<switch>")] | Annotated[OtherImages, Tag("<images>")], Discriminator(_tag)
]
"""Whether a baseline is scored, or the other images from which it is made."""
DEFAULT_BASELINES = {"center_prior": True, "location_prior": None, "random": True, "local_contrast": False}
"""Heatproof's own baselines. Those of other packages are scored if the config names them."""


def _with_defaults(value: object) -> object:
    return {**DEFAULT_BASELINES, **value} if isinstance(value, Mapping) else value


Baselines = Annotated[
    Mapping[str, BaselineChoice],
    BeforeValidator(_with_defaults, json_schema_input_type=Mapping[str, bool | OtherImages | None]),
]
"""Baseline → whether it is scored, or the other images from which it is made."""


class Heatmaps(Strict):
    """Maps that were computed elsewhere, for heatproof score."""

    path: PathText | None = None
    findings: Items[str] = ()
    operating_point: Share = 0.5


class Tuning(Strict):
    """Settings of heatproof tune, which chooses rules, thresholds and gates."""

    where: Where
    rules: Items[str] = ("fraction", "otsu", "percentile")
    minimum_patients: PositiveInt = ENOUGH_PATIENTS


class Tuned(Strict):
    """Record of a tuning, written by heatproof tune."""

    key: str
    method: str
    images: int
    patients: Items[str]
    pixels: Items[str]


class Splits(Strict):
    """Separation of the parts of a study set, such as training and test images."""

    compare_pixels: bool = True


TORCH = "torch"
"""The backend that runs the network without conversion."""
COMPILE = "compile"
"""The backend that runs the network as compiled by torch."""
AUTO = "auto"
"""OpenVINO where it is installed, runs the network and saves more than its start costs; else torch."""


class BackendDrift(Strict):
    """Largest allowed differences between another backend and torch, as shares."""

    logit: Share = 0.02
    iou: Share = 0.05


class Tolerances(Strict):
    """Distances within which a result counts as right."""

    surface_mm: Annotated[float, Field(gt=0)] = 5.0
    surface_px: Annotated[float, Field(gt=0)] = 10.0
    pointing_mm: Annotated[float, Field(gt=0)] = 10.0
    pointing_px: Annotated[float, Field(gt=0)] = 15.0


class SurfaceDistance(Strict):
    """The outlines between which distances are measured."""

    definition: Literal["border_pixel", "surfel"] = "border_pixel"


class Lesions(Strict):
    """When a contour counts as detecting a lesion."""

    criterion: Literal["iou", "box_iou", "centre_hit", "point_in_mask"] = "iou"
    threshold: Share = 0.1
    assignment: Literal["greedy", "optimal", "many_to_one"] = "greedy"


class Readers(Strict):
    """How several readers of one image are combined."""

    consensus: Literal["majority", "staple"] | None = "majority"


class Columns(Table):
    """Columns of a CSV that define groups of images."""

    columns: Listed


class Subgroups(Strict):
    """Groups of images, and the fewest patients for which a group gets numbers."""

    attributes: Items[Attribute] = ("sex", "age", "view", "manufacturer")
    table: Columns | None = None
    minimum_patients: PositiveInt = ENOUGH_PATIENTS


class Statistics(Strict):
    """How confidence intervals are computed."""

    units: Literal["patients", "images"] = "patients"
    interval: Literal["expanded", "bca", "percentile"] = "expanded"
    replicates: PositiveInt = 2000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 0


class BurnedInText(Strict):
    """How text in the pixels is searched for, and whether it is blanked."""

    look: Literal["auto", "tesseract", "contrast", "none"] = "auto"
    mask: bool = False


def restore_off(value: object) -> object:
    """The text "off" for false, as which YAML 1.1 reads an unquoted off."""
    return "off" if value is False else value


Level = Annotated[
    Literal["error", "warning", "note", "off"],
    BeforeValidator(restore_off, json_schema_input_type=Literal["error", "warning", "note", "off", False]),
]


class Validation(Strict):
    """Severity of the checks of `heatproof validate`, what stops a run, and which words are shown."""

    levels: Mapping[str, Level] = Field(default_factory=dict)
    stop: Literal["never", "error", "warning"] = "error"
    public_words: PositiveInt = 5
