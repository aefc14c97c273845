"""Contract of probes, which change an image and ask whether the network's output follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from pipeline.records import Image, Intensity, Mask

if TYPE_CHECKING:
    from pipeline.classifiers import Preprocessing

Question: TypeAlias = Literal["regions", "swap", "shortcut", "card"]
"""What a probe asks. regions: does the network need the annotated region? swap: does its output follow a
lesion into another patient's image? shortcut: does it need what no lesion changes? card: does it do better
with other preprocessing than the card's?"""
OF_FINDINGS: frozenset[Question] = frozenset({"regions", "swap"})
"""Questions about annotated regions, which are asked for each finding on its own."""


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
    healthy: Mapping[str, ProbedImage] = field(default_factory=dict)
    """Finding of `asked` → an image of another patient without it."""
    alike: Mapping[str, ProbedImage] = field(default_factory=dict)
    """Finding of `asked` → an image of another patient with it."""

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
    """0 … 1, in the shape of the image, or of the other image into which something is swapped."""
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
    """Most versions of one image; of a probe of annotated regions, for each finding."""
    needs_other: bool = False
    """Whether it needs an image of another patient."""
    level: Literal["quick", "full"] = "quick"
    """The least level of the config's `probes` at which it runs."""

    @property
    def is_of_findings(self) -> bool:
        """Whether it changes annotated regions, of one finding at a time."""
        return self.asks in OF_FINDINGS

    def runs_at(self, level: str) -> bool:
        """Whether it runs at a level of the config's `probes`."""
        return level in {self.level, "full"}
