"""Probes: what a network answers to changed versions of an image."""

from __future__ import annotations

from dataclasses import dataclass

UNCHANGED = "unchanged"
"""Value of `probe` of the image as it is."""
FILLS = ("inpaint", "clone")
"""How a region is replaced, in the order in which they are tried: the first whose control leaves the
output as it is judges the finding."""
LESION, CONTROL = "lesion", "control"
"""The regions that are replaced; the variant of a probe of regions is "fill/region"."""


@dataclass(frozen=True, slots=True)
class ProbedOutput:
    """The network's output for one finding and one version of an image."""

    case_id: str
    probe: str
    """Name of the probe; `UNCHANGED` for the image as it is."""
    variant: str
    finding: str
    logit: float
    """For a softmax, the log-odds."""
