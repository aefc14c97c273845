"""Suspicions from notices: outputs contradict the card, annotations are in question, parts look alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from pipeline.cohort.alike_parts import ABOUT as ALIKE_PARTS
from pipeline.cohort.index import Pseudonym
from pipeline.records import Notice, Strength, Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS

ANNOTATIONS = "validation."
"""Start of `about` in notices of the checks of annotations."""
LABELS = ("empty_though_present", "drawn_though_absent")
MASKS = (
    "size", "box_outside", "box_shares", "box_percent", "box_columns", "box_tiny", "box_corner",
    "inverted_mask", "wide_mask", "far_larger",
)  # fmt: skip
SUSPECTS: Mapping[str, Suspect] = MappingProxyType(
    {
        "activation": "card",
        "preprocessing": "card",
        ALIKE_PARTS: "too_few",
        **{f"{ANNOTATIONS}{name}": "labels" for name in LABELS},
        **{f"{ANNOTATIONS}{name}": "masks" for name in MASKS},
    }
)
"""What a notice is about → who is suspected; other notices are no sign of a fault of network or input."""


def suspicions_of(notices: Iterable[Notice], pseudonym: Pseudonym) -> Iterator[Suspicion]:
    """Strong for errors, weak for warnings; names of the input are pseudonyms, as in the manifest."""
    for notice in notices:
        if notice.kind != "guess" and notice.about in SUSPECTS:
            strength: Strength = "strong" if notice.kind == "error" else "weak"
            text = notice.text(lambda name: pseudonym("name", name))
            rule = notice.about.removeprefix(ANNOTATIONS)
            yield Suspicion(ALL_FINDINGS, rule, SUSPECTS[notice.about], strength, text)
