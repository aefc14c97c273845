"""Contract of probes, which change an image and ask whether the network's output follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from pipeline.records import Image, Intensity, Mask

if TYPE_CHECKING:
    from pipeline.classifiers import Preprocessing

Question: TypeAlias = Literal["regions", "shortcut", "card"]
"""What a probe asks. regions: does the network need the annotated region? shortcut: does it need what no
lesion changes? card: does it do better with other preprocessing than the card's?"""


@dataclass(frozen=True, slots=True)
class ProbedImage:
    """What a probe may use of one image."""

    image: Image
    preprocessing: Preprocessing
    """That of the model card."""
    regions: Mapping[str, Mask] = field(default_factory=dict)
    """Finding that is present → all of its annotated pixels, by any reader, (rows, columns)."""
    asked: tuple[str, ...] = ()
    """Those findings of `regions` whose region is to be replaced."""
    other: Image | None = None
    """An image of another patient, whatever its labels; None if the study set has none."""

    @property
    def marked(self) -> Mask:
        """Every annotated pixel of any finding."""
        marked = self.image.pixels < 0
        for region in self.regions.values():
            marked |= region
        return marked


@dataclass(frozen=True, slots=True)
class Variant:
    """One changed version of an image."""

    name: str
    """"inpaint/lesion": what distinguishes it within its probe."""
    pixels: Intensity
    """0 … 1, in the shape of the image."""
    finding: str = ""
    """The finding whose output is asked for; empty: every finding's."""
    preprocessing: Preprocessing | None = None
    """Preprocessing in place of the card's; None: the card's."""


@dataclass(frozen=True, slots=True)
class Probe:
    """An intervention: changed versions of one image, from which no network is needed."""

    asks: Question
    draw: Callable[[ProbedImage], Iterable[Variant]]
    """The changed versions; none where the image does not allow the change. The same in every run."""
    title: str
    """What changes, for tables: "another image's frame"."""
    most: int = 1
    """Most versions of one image; of a probe of regions, for each finding."""
    needs_other: bool = False
    """Whether it needs an image of another patient."""
