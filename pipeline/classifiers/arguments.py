"""Arguments: what a model card may state of a network's class; one model per family of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, PositiveFloat, PositiveInt

from pipeline.guards.yaml_models import FROM_YAML, Items, Strict

Layer = str | Annotated[tuple[str, Mapping[str, Any]], FROM_YAML]
"""A name known to MONAI's layer factories, alone or with arguments."""
Sides: TypeAlias = Annotated[Items[PositiveInt], Field(min_length=2, max_length=2)]
Rate: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Number: TypeAlias = bool | int | float | str | None


def _plain(value: object) -> object:
    """The value, with a list as a tuple. Raises ValueError for mappings, dates and lists of lists."""
    entries = value if isinstance(value, list | tuple) else [value]
    if not all(entry is None or isinstance(entry, bool | int | float | str) for entry in entries):
        raise ValueError("wanted a number, a text, true, false, null or a list of these; write one of them")
    return tuple(entries) if isinstance(value, list | tuple) else value


PlainValue: TypeAlias = Annotated[Any, BeforeValidator(_plain, json_schema_input_type=Number | list[Number])]
"""What an argument of another library's network may be: never an object or a function."""


class Arguments(Strict):
    """What every class takes."""

    spatial_dims: Literal[2] = 2
    """Dimensions of the input: 2, images."""
    in_channels: PositiveInt
    """Channels of the input; must equal preprocessing.channels."""
    out_channels: PositiveInt
    """Number of logits, one per finding."""


class DenseNetArguments(Arguments):
    """Arguments of MONAI's DenseNet."""

    init_features: PositiveInt | None = None
    """Filters of the first convolution."""
    growth_rate: PositiveInt | None = None
    """Filters that each layer adds (k in the paper)."""
    block_config: Annotated[Items[PositiveInt], Field(min_length=1)] | None = None
    """Layers in each dense block."""
    bn_size: PositiveInt | None = None
    """Bottleneck factor: bottleneck layers have bn_size × growth_rate filters."""
    act: Layer | None = None
    """Activation layer: a name that MONAI knows, or [name, arguments]."""
    norm: Layer | None = None
    """Normalisation layer: a name that MONAI knows, or [name, arguments]."""
    dropout_prob: Rate | None = None
    """Dropout rate after each dense layer."""


class ResNetArguments(Arguments):
    """Arguments of ResNet-18 to 152; omitted ones are those of the paper and of torchvision."""

    conv1_t_size: PositiveInt | None = None
    """Side of the first convolution's kernel: 7 in the paper."""
    conv1_t_stride: PositiveInt | None = None
    """Stride of the first convolution: 2 in the paper, 1 in networks made by MONAI's resnet50()."""
    no_max_pool: bool | None = None
    """Whether the maximum pool after the first convolution is left out."""
    bias_downsample: bool | None = None
    """Whether the shortcuts' convolutions have biases, as in networks made by MONAI's resnet50()."""
    widen_factor: PositiveFloat | None = None
    """Factor of all filters' numbers."""


class FreeResNetArguments(ResNetArguments):
    """Arguments of MONAI's ResNet of any size; omitted ones keep MONAI's defaults."""

    block: Literal["basic", "bottleneck"]
    """Kind of residual block: basic (two convolutions) or bottleneck (three)."""
    layers: Annotated[Items[PositiveInt], Field(min_length=4, max_length=4)]
    """Blocks in each of the four stages."""
    block_inplanes: Annotated[Items[PositiveInt], Field(min_length=4, max_length=4)]
    """Filters in each of the four stages."""


class SENetArguments(Arguments):
    """Arguments of MONAI's SENet, SE-ResNet and SE-ResNeXt."""

    reduction: PositiveInt | None = None
    """Channels per channel of the gate's hidden layer."""
    inplanes: PositiveInt | None = None
    """Filters of the first stage."""


class EfficientNetArguments(Arguments):
    """Arguments of MONAI's EfficientNetBN."""

    model_name: Literal[
        "efficientnet-b0", "efficientnet-b1", "efficientnet-b2", "efficientnet-b3", "efficientnet-b4",
        "efficientnet-b5", "efficientnet-b6", "efficientnet-b7", "efficientnet-b8", "efficientnet-l2",
    ]  # fmt: skip
    """Size of the network."""
    norm: Layer | None = None
    """Normalisation layer: a name that MONAI knows, or [name, arguments]."""


class VGGArguments(Arguments):
    """Arguments of VGG."""

    batch_norm: bool | None = None
    """Whether batch norm follows each convolution (torchvision's vgg16_bn); false if omitted."""
    hidden: PositiveInt | None = None
    """Outputs of each hidden linear layer; 4096 if omitted."""


class AlexNetArguments(Arguments):
    """Arguments of AlexNet."""

    hidden: PositiveInt | None = None
    """Outputs of each hidden linear layer; 4096 if omitted."""


class SqueezeNetArguments(Arguments):
    """Arguments of SqueezeNet."""


class XceptionArguments(Arguments):
    """Arguments of Xception."""

    epsilon: PositiveFloat | None = None
    """What batch norm adds to variances; 0.00001 if omitted, 0.001 for weights that came from Keras."""


class ViTArguments(Arguments):
    """Arguments of MONAI's ViT, a classifier of images; omitted ones keep MONAI's defaults."""

    img_size: PositiveInt | Sides
    """Side of the input in pixels, or [rows, columns]: as many as preprocessing gives."""
    patch_size: PositiveInt | Sides
    """Side of a patch in pixels, or [rows, columns]."""
    hidden_size: PositiveInt | None = None
    """Channels of a token; 768 if omitted."""
    mlp_dim: PositiveInt | None = None
    """Outputs of the hidden linear layer of each block; 3072 if omitted."""
    num_layers: PositiveInt | None = None
    """Blocks; 12 if omitted."""
    num_heads: PositiveInt | None = None
    """Heads of each attention; 12 if omitted."""
    proj_type: Literal["conv", "perceptron"] | None = None
    """What makes tokens of patches: a convolution, or a linear layer; conv if omitted."""
    pos_embed_type: Literal["learnable", "sincos", "fourier", "none"] | None = None
    """How positions were made; changes nothing, because the file of weights holds them."""
    classification: Literal[True] | None = None
    """Whether the network classifies."""
    qkv_bias: bool | None = None
    """Whether queries, keys and values have biases; false if omitted."""
    post_activation: Literal["Tanh", "none"] | None = None
    """What follows the last linear layer; Tanh if omitted, none for logits that are not bounded."""


class LibraryArguments(Arguments):
    """Arguments of a network of another library: plain values, compared with its class when it is built."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, PlainValue]
