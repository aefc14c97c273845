"""Inside: rules about the layers in which the audited images differ from the network's training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.records import LayerStatistics, Strength, Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.rules.tables import RunTables, percent

BROKEN_SHARE = 0.35
"""Share of far channels from which on a layer is not that of the training. On images that were inverted, cropped
to a sixth or turned upside down at most .21 were; behind one broken convolution, .5 and more."""
SOUND = 1.25
"""Most factor of the variances in a first layer in which images and training meet."""
OTHER_CONTRAST = 2.5
"""Factor of the variances in the first layer that only another scaling or window makes: of four unlike study sets
the largest was 1.7."""
UNLIKE = 1.8
"""Factor of the variances, in any layer, from which on images are of another kind than those of the training."""


def normalisation(tables: RunTables) -> Iterator[Suspicion]:
    """Images that differ from the training: from the first layer on, gradually, or behind one layer.

    Wrong weights change what follows them and nothing before; a wrong card changes the first layer; images of
    another kind, or at another place, differ little at first and more with each layer.
    """
    layers = [layer for layer in tables.layers if not layer.variant]
    if not layers or layers[0].n < tables.minimum:
        return
    broken, worst = first_broken(layers), max(layers, key=_factor)
    farthest = max(layers, key=lambda layer: layer.far)
    if broken is not None:
        yield _suspicion("broken_layer", "weights", "strong", BROKEN.format(
            layer=broken.layer, far=percent(farthest.far), count=layers.index(broken)), farthest)  # fmt: skip
    elif _factor(layers[0]) >= OTHER_CONTRAST or layers[0].far >= BROKEN_SHARE:
        yield _suspicion("other_contrast", "card", "strong", CONTRAST.format(
            layer=layers[0].layer, factor=_times(layers[0])), layers[0])  # fmt: skip
    elif _factor(worst) >= UNLIKE:
        yield _suspicion("unlike_training", "card", "weak", UNLIKE_SENTENCE.format(
            layer=worst.layer, factor=_times(worst)), worst)  # fmt: skip


BROKEN = (
    "From {layer} on the network is unlike its training, in up to {far} of the channels of a layer, although the "
    "{count} normalisations before it agree: weights between them may be damaged, untrained or another network's."
)
CONTRAST = (
    "Already in the first normalisation ({layer}) the variance of the images differs from that of the training by "
    "a factor of {factor}: the card may state a wrong window or scaling of brightness."
)
UNLIKE_SENTENCE = (
    "Inside the network the images differ from those of its training, most in {layer}: by a factor of {factor} in "
    "variance. They may be prepared otherwise (inverted, turned, cropped), or be images of another kind."
)


def first_broken(layers: Sequence[LayerStatistics]) -> LayerStatistics | None:
    """The first layer unlike that of the training, if the first of all is like it and some layer is another one.

    None if images and training differ from the start, or nowhere by enough.
    """
    if _factor(layers[0]) > SOUND or all(layer.far < BROKEN_SHARE for layer in layers):
        return None
    return next(layer for layer in layers if _factor(layer) >= UNLIKE or layer.far >= BROKEN_SHARE)


def is_unlike_training(layers: Sequence[LayerStatistics]) -> bool:
    """Whether the images differ from the training from the first layer on, or in any layer."""
    return any(_factor(layer) >= UNLIKE for layer in layers)


def _factor(layer: LayerStatistics) -> float:
    return float("inf") if layer.factor is None else layer.factor


def _times(layer: LayerStatistics) -> str:
    return "more than any number" if layer.factor is None else f"{layer.factor:,.2g}"


def _suspicion(
    rule: str, suspect: Suspect, strength: Strength, sentence: str, layer: LayerStatistics
) -> Suspicion:
    return Suspicion(ALL_FINDINGS, rule, suspect, strength, sentence, layer.far, n=layer.n)
