"""Colours: Photometric Interpretation against codestream and samples → the colour model to read.

The header states a colour model, a codestream may state another, and samples can rule one out. The statement
that samples can only obey is read, with a caution that names both; where none decides, the image is refused.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CaseError
from pipeline.loaders.codestream import Codestream, Model
from pipeline.loaders.elements import Warn
from pipeline.loaders.luminance import FULL_RANGE, PARTIAL_RANGE
from pipeline.records import Caution

JPEG_2000_ONLY: Final = ("YBR_RCT", "YBR_ICT")
"""Models that JPEG 2000 decodes to RGB, PS3.3, C.7.6.3.1.2."""
CONTRADICTION: Final = "colour_contradiction"
"""Reason of a caution, or of an image that is skipped because nothing decides."""
_TOLERANCE: Final = 16 / 255
"""Distance from 0 … 1 by which lossy compression may move red, green and blue."""
_RULED_OUT: Final = 0.1
"""Share of pixels without a colour in YBR from which on the samples are not YBR; YBR has about none."""
_STRAYS: Final = 0.02
"""Share up to which all pixels count as having a colour in YBR."""
_SPREAD: Final = 0.5
"""Spread of the first sample (1: all values) over which RGB images have pixels without a colour in YBR.

The second and third sample of YBR are near their middle where the first is near its ends, so black, white and
all strong colours of an RGB image are ruled out.
"""


def colour_model(
    label: str, stream: Codestream | None, samples: NDArray[np.integer], *, bits: int, warn: Warn
) -> str:
    """The photometric interpretation of decoded (rows, columns, 3) samples without any transform left.

    `label` is that of the header. Raises CaseError "colour_contradiction" where nothing decides.
    """
    labelled = _labelled(label)
    if labelled is None and label not in JPEG_2000_ONLY:
        return label
    if stream and stream.family == "JPEG 2000" and stream.model:
        return _followed(label, "RGB", f"{stream.by} is on", warn) if labelled == "YBR" else "RGB"
    if label in JPEG_2000_ONLY:
        return _without_transform(label, stream, samples, bits=bits, warn=warn)
    if stream and stream.model:
        if stream.model == labelled:
            return label
        return _contradicted(label, stream, samples, bits=bits, warn=warn)
    return _unstated(label, stream, samples, bits=bits, warn=warn)


def _labelled(label: str) -> Model | None:
    if label == "RGB":
        return "RGB"
    return "YBR" if label in (*FULL_RANGE, *PARTIAL_RANGE) else None


def _contradicted(
    label: str, stream: Codestream, samples: NDArray[np.integer], *, bits: int, warn: Warn
) -> str:
    """The model where label and codestream differ: what samples can only be, else that of the codestream."""
    if stream.model == "RGB":
        if stream.subsampled or only_ybr(samples, bits=bits):
            return _followed(label, label, f"{stream.by} states RGB, but only YBR has such values", warn)
        return _followed(label, "RGB", f"{stream.by} states it", warn)
    if not stream.subsampled and not_ybr(samples, bits=bits):
        return _followed(label, label, f"{stream.by} states YBR, but YBR has no such values", warn)
    if stream.family == "lossless JPEG" and not only_ybr(samples, bits=bits):
        raise _undecided(label, f"{stream.by} of the lossless JPEG frame states YBR")
    return _followed(label, "YBR_FULL", f"{stream.by} states it", warn)


def _unstated(
    label: str, stream: Codestream | None, samples: NDArray[np.integer], *, bits: int, warn: Warn
) -> str:
    """The model where only the label states one."""
    if stream and stream.subsampled:
        if label != "RGB":
            return label
        return _followed(label, "YBR_FULL", "its second and third component have fewer samples", warn)
    if label == "RGB" and only_ybr(samples, bits=bits):
        if stream and stream.numbered:
            by = "the components have the numbers 1, 2, 3 of YBR, and only YBR has such values"
            return _followed(label, "YBR_FULL", by, warn)
        warn(_unlike("RGB", "YBR"))
    if label in FULL_RANGE and not_ybr(samples, bits=bits):
        warn(_unlike(label, "RGB"))
    return label


def _without_transform(
    label: str, stream: Codestream | None, samples: NDArray[np.integer], *, bits: int, warn: Warn
) -> str:
    """The model of samples that the label says JPEG 2000 has transformed, although it has not."""
    found = (
        "the multiple component transform is off"
        if stream and stream.family == "JPEG 2000"
        else f"the pixel data are {stream.family if stream else 'not JPEG 2000'}"
    )
    if not_ybr(samples, bits=bits):
        return _followed(label, "RGB", f"{found}, and YBR has no such values", warn)
    if only_ybr(samples, bits=bits):
        return _followed(label, "YBR_FULL", f"{found}, and only YBR has such values", warn)
    raise _undecided(label, found)


def _followed(label: str, model: str, by: str, warn: Warn) -> str:
    read = "RGB" if model == "RGB" else "YBR"
    message = f"Photometric Interpretation is {label}, but the pixels were read as {read}, because {by}"
    if model == label:
        message = f"the pixels were read as {label}, the Photometric Interpretation: {by}"
    warn(Caution(CONTRADICTION, message))
    return model


def _unlike(label: str, other: Model) -> Caution:
    message = f"the pixels were read as {label}, the Photometric Interpretation, but look like {other}"
    return Caution(CONTRADICTION, message)


def _undecided(label: str, found: str) -> CaseError:
    return CaseError(
        CONTRADICTION,
        f"Photometric Interpretation is {label}, but {found}, and the pixels could be RGB or YBR; "
        "correct the element and export the file again",
    )


def not_ybr(samples: NDArray[np.integer], *, bits: int) -> bool:
    """Whether too many pixels have no colour in YBR_FULL for the samples to be YBR."""
    return _strays(samples, bits=bits) > _RULED_OUT


def only_ybr(samples: NDArray[np.integer], *, bits: int) -> bool:
    """Whether samples of such a spread would have more pixels without a colour in YBR_FULL, were they RGB."""
    first = samples[..., 0]
    spread = (float(first.max()) - float(first.min())) / (2.0**bits - 1)
    return spread >= _SPREAD and _strays(samples, bits=bits) <= _STRAYS


def _strays(samples: NDArray[np.integer], *, bits: int) -> float:
    """Share of pixels whose red, green or blue leaves 0 … 1, if they are YBR_FULL. PS3.3, C.7.6.3.1.2."""
    y, blue, red = (samples[..., i].astype(np.float32) / (2.0**bits - 1) for i in range(3))
    blue, red = blue - 128 / 255, red - 128 / 255
    colours: list[Any] = [y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue]
    outside = [(colour < -_TOLERANCE) | (colour > 1 + _TOLERANCE) for colour in colours]
    return float(np.mean(outside[0] | outside[1] | outside[2]))
