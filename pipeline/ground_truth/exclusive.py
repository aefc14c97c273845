"""Exclusive: whether labels contradict a softmax, of whose classes every image has exactly one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.records import Labels, Notice

CLEAR_SHARE = 0.1
"""Share of labelled images with several findings from which on it is no matter of single labels."""


def exclusive_notices(
    labels: Iterable[Labels], findings: Sequence[str], *, activation: str
) -> tuple[Notice, ...]:
    """An error or a warning if images have several findings by their labels, and the card says softmax."""
    known = [[of.get(finding) for finding in findings] for of in labels]
    labelled = [values for values in known if any(value is not None for value in values)]
    several = sum(values.count(1) > 1 for values in labelled)
    if activation != "softmax" or not several:
        return ()
    return (
        Notice(
            "error" if several >= CLEAR_SHARE * len(labelled) else "warning",
            "activation",
            f"The card states softmax, which says that findings exclude each other, but {several:,} of "
            f"{len(labelled):,} labelled images have several. The network may end in sigmoids: set "
            "activation: sigmoid, or correct the labels.",
        ),
    )
