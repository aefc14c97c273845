"""Brightness of the network's inputs, compared with that of the card's example."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.records import ModelInput, Notice

DARK, BRIGHT = 5, 95
"""Percentiles of the input between which its brightness is said to lie."""
TIMES = 4.0
"""Times by which the width of the range differs that is told; images of one kind differ by less."""


def brightness_of(model_input: ModelInput) -> tuple[float, float]:
    """5th and 95th percentile of the values that the network reads."""
    low, high = np.percentile(model_input.tensor, (DARK, BRIGHT))
    return float(low), float(high)


def unlike_example(example: tuple[float, float], inputs: Sequence[ModelInput]) -> Notice | None:
    """A notice if the inputs' values lie elsewhere than those of the example, or in another range; else None.

    The example proves the network. Where it is given as the network's input, or as a file of another kind, it
    says nothing of how the images of the study set are read.
    """
    low, high = np.median([brightness_of(one) for one in inputs], axis=0)
    widths = sorted((high - low, example[1] - example[0]))
    apart = low > example[1] or high < example[0]
    if not apart and widths[1] <= TIMES * widths[0]:
        return None
    return Notice(
        "warning",
        "preprocessing",
        f"The network's input lies between {low:.3g} and {high:.3g} on {len(inputs)} images ({DARK}th to "
        f"{BRIGHT}th percentile), but between {example[0]:.3g} and {example[1]:.3g} for the card's example; "
        "compare window and scaling on the card with the network's training",
    )
