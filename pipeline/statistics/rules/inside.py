"""Inside: rules about the layers in which the audited images differ from the network's training.

Batch normalisations hold mean and variance of each channel in training. Wrong weights change what follows
them and nothing before; wrong preprocessing changes the first layer or, like images turned or mirrored, more
with each layer, and agrees with the training once it is put right. No labels are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from pipeline.records import LayerStatistics, Strength, Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.rules.tables import RunTables, percent
from pipeline.statistics.variants import form_of

State: TypeAlias = Literal["unknown", "untrained", "like_training", "broken", "other_card", "unlike"]
"""How images and training compare: no normalisations tell it; there was no training; alike; alike up to a
layer and not beyond; alike with another card; unlike throughout."""
BROKEN_SHARE = 0.35
"""Share of far channels from which on a layer is not that of the training. On phantoms that were inverted,
cropped to a sixth or turned upside down at most .21 were; behind one broken convolution, .5 and more."""
SOUND = 1.25
"""Most factor of the variances with which images and training agree: in the first layer, and on average."""
OTHER_CONTRAST = 2.5
"""Factor of the variances in the first layer that only another scaling or window makes. CT slices shown to a
network for ultrasound reached 1.7, phantoms with a window three times too wide 3.0."""
UNLIKE = 1.8
"""Factor of the variances, in any layer, from which on images are of another kind than in training."""
LEAST_GAIN, MOST_LEFT = 0.04, 0.67
"""What a variant of the card must take from the mean log factor, and what may be left of it. Clean phantoms
lost at most .02; mirrored ones, the least of the faults, .06 of .09."""
HUGE = 1e9
"""Factor beyond which all count alike."""

BETTER_CARD = (
    "With {form}, the layers of the network agree with its training ({count}): variances differ by a factor "
    "of {after:.2f} on average, and of {before:.2f} with the card as it is. The card may state the "
    "preprocessing wrongly, or the images are stored so."
)
UNTRAINED = (
    "The network has {count} batch normalisations, and each holds mean 0 and variance 1, as before any "
    "training: the weights may be untrained, or were saved without their statistics."
)
BROKEN = (
    "From {layer} on the network is unlike its training, in up to {far} of the channels of a layer, although "
    "{before} ({n} images): weights between them may be damaged, untrained or another network's."
)
CONTRAST = (
    "Already in the first normalisation ({layer}) the images are unlike those of the training: in {far} of "
    "its channels, in variance by a factor of {factor} ({n} images). The card may state a wrong window or "
    "scaling of brightness."
)
UNLIKE_TRAINING = (
    "Inside the network the images differ from those of its training, most in {layer}: by a factor of "
    "{factor} in variance ({n} images). They may be prepared otherwise, or be images of another kind."
)


def normalisation(tables: RunTables) -> Iterator[Suspicion]:
    """Images that differ from the training: because of the card, behind broken weights, or throughout."""
    own = [layer for layer in tables.layers if not layer.variant]
    if not own:
        return
    farthest, worst = max(own, key=lambda layer: layer.far), max(own, key=_factor)
    match state_of(tables.layers, minimum=tables.minimum):
        case "untrained":
            yield _suspicion("untrained", "weights", "strong", UNTRAINED.format(count=len(own)), own[0])
        case "other_card":
            yield _better_card([layer for layer in tables.layers if layer.n >= tables.minimum])
        case "broken":
            yield _suspicion("broken_layer", "weights", "strong", _broken(own, farthest), farthest)
        case "unlike" if _factor(own[0]) >= OTHER_CONTRAST or own[0].far >= BROKEN_SHARE:
            text = CONTRAST.format(
                layer=own[0].layer, far=percent(own[0].far), factor=_times(own[0]), n=own[0].n
            )
            yield _suspicion("other_contrast", "card", "strong", text, own[0])
        case "unlike":
            text = UNLIKE_TRAINING.format(layer=worst.layer, factor=_times(worst), n=worst.n)
            yield _suspicion("unlike_training", "card", "weak", text, worst)


def state_of(layers: Sequence[LayerStatistics], *, minimum: int) -> State:
    """How images and training compare; `minimum`: the least number of images that tells it.

    Broken is what lies behind a first layer like that of the training. Where that has the variances of the
    training but other means, as without an offset of brightness, the card may be wrong.
    """
    own = [layer for layer in layers if not layer.variant]
    if not own or own[0].n < minimum:
        return "unknown"
    if not any(layer.is_trained for layer in own):
        return "untrained"
    drifts = drifts_of([layer for layer in layers if layer.n >= minimum])
    before, after = drifts[""], min(drifts.values())
    if before - after >= LEAST_GAIN and after <= min(MOST_LEFT * before, np.log(SOUND)):
        return "other_card"
    is_first_far = own[0].far >= BROKEN_SHARE
    if not is_first_far and _factor(own[0]) <= SOUND and max(layer.far for layer in own) >= BROKEN_SHARE:
        return "broken"
    return "unlike" if is_first_far or max(map(_factor, own)) >= UNLIKE else "like_training"


def drifts_of(layers: Sequence[LayerStatistics]) -> Mapping[str, float]:
    """Variant → mean over layers of the logarithm of the factor between variances."""
    by_variant: dict[str, list[float]] = {}
    for layer in layers:
        by_variant.setdefault(layer.variant, []).append(float(np.log(min(_factor(layer), HUGE))))
    return {variant: float(np.mean(values)) for variant, values in by_variant.items()}


def _better_card(layers: Sequence[LayerStatistics]) -> Suspicion:
    drifts = drifts_of(layers)
    variant = min(drifts, key=lambda name: drifts[name])
    of_variant = [layer for layer in layers if layer.variant == variant]
    before, after = (float(np.exp(drifts[name])) for name in ("", variant))
    text = BETTER_CARD.format(form=form_of(variant), count=len(of_variant), before=before, after=after)
    return Suspicion(ALL_FINDINGS, f"trained_{variant}", "card", "strong", text, before, n=of_variant[0].n)


def _broken(own: Sequence[LayerStatistics], farthest: LayerStatistics) -> str:
    first = next(
        number for number, layer in enumerate(own) if _factor(layer) >= UNLIKE or layer.far >= BROKEN_SHARE
    )
    before = (
        "the normalisation before it agrees" if first == 1 else f"the {first} normalisations before it agree"
    )
    return BROKEN.format(layer=own[first].layer, far=percent(farthest.far), before=before, n=farthest.n)


def _factor(layer: LayerStatistics) -> float:
    return float("inf") if layer.factor is None else layer.factor


def _times(layer: LayerStatistics) -> str:
    return "more than a number can hold" if layer.factor is None else f"{layer.factor:,.2g}"


def _suspicion(
    rule: str, suspect: Suspect, strength: Strength, sentence: str, layer: LayerStatistics
) -> Suspicion:
    return Suspicion(ALL_FINDINGS, rule, suspect, strength, sentence, layer.far, n=layer.n)
