"""Recipe: the preprocessing that a model card declares, applied in the order of `Preprocessing`'s fields."""

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

from pipeline.guards.yaml_models import FROM_YAML, Items, Pair, Strict
from pipeline.records import Shape
from pipeline.registry import did_you_mean

Preset = Literal["none", "z_score", "min_max", "imagenet", "torchxrayvision"]
INTENSITY_PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "none": {"rule": "none"},
        "z_score": {"rule": "z_score"},
        "min_max": {"rule": "min_max"},
        "imagenet": {"rule": "mean_std", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        "torchxrayvision": {"rule": "range", "low": -1024, "high": 1024},
    }
)
"""Preset → intensity rule with its keys; a card may write the preset's name alone."""
RULE_NEEDS: Final[Mapping[str, set[str]]] = MappingProxyType(
    {"mean_std": {"mean", "std"}, "range": {"low", "high"}}
)
"""Intensity rule → its required keys; the other rules take none."""


def _pair(value: object) -> object:
    return (value, value) if isinstance(value, int) else value


def _not_a_flag(value: object) -> object:
    """The value, which must not be true, because Python takes it for 1."""
    if isinstance(value, bool):
        raise ValueError("wanted 1 or 3; set it to one of them")  # noqa: TRY004  # pydantic does not catch TypeError
    return value


def _preset(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in INTENSITY_PRESETS:
        raise ValueError(f"unknown preset{did_you_mean(value, INTENSITY_PRESETS)}")
    return INTENSITY_PRESETS[value]


class Resize(Strict):
    """How the image is resized. The rules `shorter_side` and `longer_side` keep the aspect ratio.

    The other side is rounded down for `shorter_side` (as in torchvision) and to the nearest integer for
    `longer_side` (as in MONAI).
    """

    rule: Literal["exact", "shorter_side", "longer_side", "none"]
    """Side that gets the size: exact (both, aspect ratio not kept), shorter_side, longer_side, or none."""
    size: Annotated[
        Pair[PositiveInt] | None,
        BeforeValidator(_pair, json_schema_input_type=PositiveInt | tuple[PositiveInt, PositiveInt] | None),
    ] = Field(default=None, validate_default=True)
    """In pixels: [height, width] or one number for `exact`, one for the other rules; kept as a pair."""
    filter: Literal["bilinear", "bicubic", "nearest"] = "bilinear"
    """Interpolation; bilinear and bicubic are antialiased when shrinking."""

    @field_validator("size")
    @classmethod
    def _fits_rule(cls, size: Shape | None, info: ValidationInfo) -> Shape | None:
        rule = info.data.get("rule")
        if rule == "none" and size is not None:
            raise ValueError("rule none takes no size; remove it")
        if rule in {"exact", "shorter_side", "longer_side"} and size is None:
            raise ValueError(f"is missing; add the size that rule {rule} needs")
        if rule in {"shorter_side", "longer_side"} and size is not None and size[0] != size[1]:
            raise ValueError(f"rule {rule} takes one number; give the length of that side")
        return size


class Crop(Strict):
    """Centre crop after resizing; a smaller image is zero-padded."""

    centre: Pair[PositiveInt] | None = None
    """[height, width] of the crop in pixels; null: no crop."""


class IntensityScaling(Strict):
    """Scaling from 0 … 1 to the network's intensities; statistics include padding."""

    rule: Literal["none", "mean_std", "z_score", "range", "min_max"]
    """none, mean_std (subtract mean, divide by std), z_score or min_max (per input), range (low to high)."""
    mean: Items[FiniteFloat] | None = None
    """For mean_std: the mean of each channel, on the scale 0 … 1."""
    std: Items[PositiveFloat] | None = None
    """For mean_std: the standard deviation of each channel, on the scale 0 … 1."""
    low: FiniteFloat | None = None
    """For range: the value that 0 is scaled to."""
    high: FiniteFloat | None = None
    """For range: the value that 1 is scaled to."""

    @model_validator(mode="after")
    def _has_what_its_rule_needs(self) -> IntensityScaling:
        given = {key for key in ("mean", "std", "low", "high") if getattr(self, key) is not None}
        wanted = RULE_NEEDS.get(self.rule, set())
        if given != wanted:
            remedy = [f"add {key}" for key in sorted(wanted - given)]
            remedy += [f"remove {key}" for key in sorted(given - wanted)]
            keys = " and ".join(sorted(wanted)) or "no other key"
            raise ValueError(f"rule {self.rule} takes {keys}; {', '.join(remedy)}")
        return self


class Preprocessing(Strict):
    """Preprocessing of a decoded image to the network's input."""

    window: Literal["header", "full"] | Annotated[tuple[FiniteFloat, PositiveFloat], FROM_YAML]
    """Grey levels scaled to 0 … 1: header (the file's window), full (the bit depth), or [centre, width]."""
    channels: Annotated[Literal[1, 3], BeforeValidator(_not_a_flag)] = 1
    """Channels of the network's input; 3: the greyscale image repeated."""
    pad: Literal["none", "square"] = "none"
    """square: zero-pad the image to a square before resizing, centred."""
    resize: Resize
    crop: Crop = Field(default=Crop(), validate_default=True)
    intensity: Annotated[
        IntensityScaling, BeforeValidator(_preset, json_schema_input_type=Preset | IntensityScaling)
    ] = IntensityScaling(rule="none")

    @property
    def shape(self) -> Shape:
        """(height, width) of every input of the network."""
        shape = _common_shape(self.pad, self.resize, self.crop)
        assert shape is not None
        return shape

    @field_validator("window", mode="wrap")
    @classmethod
    def _is_name_or_pair(cls, window: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(window)
        except ValidationError:
            raise ValueError("choose header, full or [centre, width] with a width above 0") from None

    @field_validator("crop")
    @classmethod
    def _gives_one_shape(cls, crop: Crop, info: ValidationInfo) -> Crop:
        if info.data.keys() >= {"pad", "resize"}:
            pad, resize = info.data["pad"], info.data["resize"]
            if _common_shape(pad, resize, crop) is None:
                raise ValueError(
                    f"resize rule {resize.rule} leaves images of different shapes; "
                    "add crop: {centre: [height, width]} so that they fit in one batch"
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
                raise ValueError(
                    f"{key} has {len(values)} values, wanted {channels}; "
                    "give one per channel or change channels"
                )
        return intensity


def _common_shape(pad: str, resize: Resize, crop: Crop) -> Shape | None:
    """The shape of every preprocessed image; None if it depends on the image."""
    square = pad == "square" and resize.rule != "none"
    return crop.centre or (resize.size if square or resize.rule == "exact" else None)
