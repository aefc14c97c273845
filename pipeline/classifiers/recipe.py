"""Recipe: the preprocessing that a model card declares, done in the order of `Preprocessing`'s fields."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BeforeValidator,
    Field,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from pipeline.records import Shape
from pipeline.registry import did_you_mean
from pipeline.strict import Strict

INTENSITY_PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "none": {"rule": "none"},
        "z_score": {"rule": "z_score"},
        "min_max": {"rule": "min_max"},
        "imagenet": {"rule": "mean_std", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        "torchxrayvision": {"rule": "range", "low": -1024, "high": 1024},
    }
)
"""What a card may write as one word."""
RULE_NEEDS: Final[Mapping[str, set[str]]] = MappingProxyType(
    {"mean_std": {"mean", "std"}, "range": {"low", "high"}}
)
"""The keys that go with an intensity rule; the other rules have none."""


def _pair(value: object) -> object:
    return (value, value) if isinstance(value, int) else value


def _preset(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in INTENSITY_PRESETS:
        raise ValueError(f"unknown preset{did_you_mean(value, INTENSITY_PRESETS)}")
    return INTENSITY_PRESETS[value]


class Resize(Strict):
    """How the image is resampled. The aspect ratio is kept by the rules `shorter_side` and `longer_side`.

    The other side is then rounded as the usual tools do: down for `shorter_side` (torchvision), to the
    nearest for `longer_side` (MONAI).
    """

    rule: Literal["exact", "shorter_side", "longer_side", "none"]
    size: Annotated[tuple[PositiveInt, PositiveInt] | None, BeforeValidator(_pair)] = Field(
        default=None, validate_default=True
    )
    """(height, width) for `exact`; a number, kept as a pair of equals, for either side."""
    filter: Literal["bilinear", "bicubic", "nearest"] = "bilinear"
    """The first two are antialiased when shrinking."""

    @field_validator("size")
    @classmethod
    def _fits_rule(cls, size: Shape | None, info: ValidationInfo) -> Shape | None:
        rule = info.data.get("rule")
        if rule == "none" and size is not None:
            raise ValueError("rule none takes no size")
        if rule in {"exact", "shorter_side", "longer_side"} and size is None:
            raise ValueError(f"is missing; rule {rule} wants one")
        if rule in {"shorter_side", "longer_side"} and size is not None and size[0] != size[1]:
            raise ValueError(f"rule {rule} wants one number")
        return size


class Crop(Strict):
    """What is kept after resizing: (height, width) at the centre; a smaller image is padded with 0."""

    centre: tuple[PositiveInt, PositiveInt] | None = None


class IntensityScaling(Strict):
    """How 0 … 1 becomes what the network was trained on; statistics are of its whole input, padding too."""

    rule: Literal["none", "mean_std", "z_score", "range", "min_max"]
    mean: tuple[FiniteFloat, ...] | None = None
    std: tuple[PositiveFloat, ...] | None = None
    """Of each channel, on the scale 0 … 1."""
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    """What 0 and 1 become."""

    @model_validator(mode="after")
    def _has_what_its_rule_needs(self) -> IntensityScaling:
        given = {key for key in ("mean", "std", "low", "high") if getattr(self, key) is not None}
        wanted = RULE_NEEDS.get(self.rule, set())
        if given != wanted:
            raise ValueError(f"rule {self.rule} goes with {' and '.join(sorted(wanted)) or 'no other key'}")
        return self


class Preprocessing(Strict):
    """From a decoded image to the network's input."""

    window: Literal["header", "full"] | tuple[FiniteFloat, PositiveFloat]
    """The grey levels that become 0 … 1: as the header says, all of the bit depth, or [centre, width]."""
    channels: Literal[1, 3] = 1
    """3: the grey image, copied."""
    pad: Literal["none", "square"] = "none"
    """Before resizing, centred, with 0."""
    resize: Resize
    crop: Crop = Field(default=Crop(), validate_default=True)
    intensity: Annotated[IntensityScaling, BeforeValidator(_preset)] = IntensityScaling(rule="none")

    @property
    def shape(self) -> Shape:
        """(height, width) of every input of the network."""
        shape = _common_shape(self.pad, self.resize, self.crop)
        assert shape is not None
        return shape

    @field_validator("window", mode="wrap")
    @classmethod
    def _is_named_or_a_pair(cls, window: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(window)
        except ValidationError:
            raise ValueError("wanted header, full or [centre, width] with a width above 0") from None

    @field_validator("crop")
    @classmethod
    def _gives_one_shape(cls, crop: Crop, info: ValidationInfo) -> Crop:
        if info.data.keys() >= {"pad", "resize"}:
            pad, resize = info.data["pad"], info.data["resize"]
            if _common_shape(pad, resize, crop) is None:
                raise ValueError(
                    f"resize rule {resize.rule} leaves images of different shapes; "
                    "add crop: {centre: [height, width]} so that they go through the network together"
                )
        return crop

    @field_validator("intensity")
    @classmethod
    def _has_a_mean_for_each_channel(
        cls, intensity: IntensityScaling, info: ValidationInfo
    ) -> IntensityScaling:
        channels = info.data.get("channels")
        for key, values in (("mean", intensity.mean), ("std", intensity.std)):
            if channels is not None and values is not None and len(values) != channels:
                raise ValueError(f"{key} has {len(values)} values, wanted {channels}, one a channel")
        return intensity


def _common_shape(pad: str, resize: Resize, crop: Crop) -> Shape | None:
    """The shape that images of any shape end up with; None where they differ."""
    square = pad == "square" and resize.rule != "none"
    return crop.centre or (resize.size if square or resize.rule == "exact" else None)
