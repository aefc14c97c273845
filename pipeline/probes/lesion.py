"""Lesion: the annotated region replaced, and beside it a control region of the same shape.

A network that needs the lesion loses it with the first and not with the second. The control shows what the
replacement itself does: a fill that moves the output where no lesion was cannot judge a lesion.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.contracts import Probe, ProbedImage, Variant
from pipeline.probes.fills import cloned, inpainted
from pipeline.probes.regions import Shift, body, moved, places, widened
from pipeline.records import Intensity, Mask
from pipeline.records.probes import CONTROL, FILLS, LESION


def lesion_against_control(probed: ProbedImage) -> Iterator[Variant]:
    """Per finding and fill, the image without its lesion and the image without a control region.

    Nothing for a finding whose region fits nowhere else in the body.
    """
    pixels, tissue, marked = probed.image.pixels, body(probed.image.pixels), probed.marked
    for finding in probed.asked:
        wide = widened(probed.regions[finding])
        elsewhere = places(pixels, wide, within=tissue, without=marked)
        if not elsewhere:
            continue
        control, *others = elsewhere
        pairs = (LESION, wide), (CONTROL, moved(wide, control))
        for name, part in pairs:
            yield Variant(f"inpaint/{name}", inpainted(pixels, part), finding)
        for name, filled in _clones(pixels, wide, control, others):
            yield Variant(f"clone/{name}", filled, finding)


def _clones(
    pixels: Intensity, lesion: Mask, control: Shift, others: list[Shift]
) -> Iterator[tuple[str, Intensity]]:
    """Lesion and control region, both with the texture of a third place."""
    for donor in others[:1]:
        from_control = Shift(donor.rows - control.rows, donor.columns - control.columns, donor.contrast)
        yield LESION, cloned(pixels, lesion, donor)
        yield CONTROL, cloned(pixels, moved(lesion, control), from_control)


LESION_AGAINST_CONTROL = Probe(
    "regions", lesion_against_control, "the annotated region replaced", most=2 * len(FILLS)
)
