"""Orientation: masks that fit much better when flipped or rotated, single ones or all of a reader.

The contrast across outlines shows the right orientation only if the masks follow edges, as tightly drawn ones
do and boxes do not. So every study set is its own reference: a single mask is judged only if most of the
reader's masks of the finding fit best as drawn, and all of a reader's masks are judged together if most fit
better in another orientation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from scipy.stats import binomtest

from pipeline.validation.checks.check import Check, Found, found_in, measured_references, percent
from pipeline.validation.contrast import AS_DRAWN, BAND, TURNS
from pipeline.validation.facts import ImageFacts, MeasuredReference, StudySet

ReaderMasks: TypeAlias = list[tuple[ImageFacts, MeasuredReference]]

POOR, GAIN = 0.25, 0.4
"""Largest contrast as drawn, and least gain of another orientation, of a mask that is reported. On 517 masks
of a real set none is reported; of the same masks flipped or rotated, 6 in 10 are."""
FEWEST = 8
"""Fewest masks per finding and reader that are judged."""
USUAL_SHARE, USUAL_CONTRAST = 0.75, 0.4
"""Outlines follow edges if at least this share of masks fit best as drawn, with at least this median
contrast."""
PROVABLE = 14
"""Fewest masks for which the sign test below can prove a turn: 2⁻¹³ is above `CHANCE`."""
FEWEST_CLEAR, CLEAR_SHARE = 2, 1 / 3
"""Fewest masks, and least share, that are clearly turned where masks are few. Of 8,000 samples of 2 … 13
masks of a real set none is reported; flipped, half of the samples of 3 masks are, and 9 in 10 of those of 10.
Of samples whose outlines follow no edges, at most 3 in 100 are."""
CHANCE = 1e-4
"""Largest p-value of a one-sided sign test over masks: whether more than half fit better in the other
orientation."""


def _single(study: StudySet) -> Iterator[Found]:
    for members in _by_reader(study).values():
        if not _follow_edges(members):
            continue
        for image, entry in members:
            turn = _best_turn(entry.contrasts)
            before, after = entry.contrasts[AS_DRAWN], entry.contrasts[turn]
            if before <= POOR and after - before >= GAIN:
                yield found_in(
                    image,
                    entry,
                    f"The mask fits much better {turn}: the contrast across its outline is then {after:.2f} "
                    f"instead of {before:.2f} (median of the reader's masks: "
                    f"{_median_contrast(members):.2f}).",
                )


def _throughout(study: StudySet) -> Iterator[Found]:
    for (finding, reader), members in _by_reader(study).items():
        turned = [fit for turn in TURNS if (fit := _turned_fit(members, turn)).proven]
        if turned:
            best = max(turned, key=lambda fit: fit.share)
            yield Found(
                f"{best.count:,} of {best.of:,} masks fit better {best.turn}: the median contrast across "
                f"outlines is then {best.after:.2f} instead of {best.before:.2f}.",
                finding=finding,
                reader=reader,
            )


@dataclass(frozen=True, slots=True)
class TurnedFit:
    """How well masks fit in one other orientation, compared with their own."""

    turn: str
    count: int
    """Number of masks that fit better in the other orientation."""
    of: int
    """Number of masks that the turn moves."""
    before: float
    """Median contrast as drawn."""
    after: float
    """Median contrast in the other orientation."""

    @property
    def share(self) -> float:
        """Share (0 … 1) of the masks that fit better in the other orientation."""
        return self.count / self.of

    @property
    def proven(self) -> bool:
        """Whether most masks fit better in the other orientation: clearly, and not by chance."""
        if self.of < FEWEST or self.share < USUAL_SHARE:
            return False
        by_chance = binomtest(self.count, self.of, alternative="greater").pvalue
        return bool(
            by_chance <= CHANCE and self.after >= USUAL_CONTRAST and self.after - self.before >= GAIN / 2
        )


def _few(study: StudySet) -> Iterator[Found]:
    for (finding, reader), members in _by_reader(study).items():
        few = [fit for turn in TURNS if (fit := _few_fit(members, turn)) is not None]
        if few:
            best = max(few, key=lambda fit: fit.clear)
            yield Found(
                f"{best.clear:,} of {best.of:,} masks, which have hardly any contrast across their outline, "
                f"fit much better {best.turn}; none fits clearly worse. This is probable, not certain: "
                f"{best.of:,} masks are few.",
                tuple(image.case_id for image, entry in members if best.turn in entry.contrasts),
                finding,
                reader,
            )


@dataclass(frozen=True, slots=True)
class FewFit:
    """How few masks fit in one other orientation."""

    turn: str
    clear: int
    """Number of masks without contrast as drawn and with contrast in the other orientation."""
    of: int
    """Number of masks that the turn moves."""


def _few_fit(members: ReaderMasks, turn: str) -> FewFit | None:
    """The fit if the masks are few and probably turned, by the rule of `TURNED_FEW`; else None."""
    pairs = [(found[AS_DRAWN], found[turn]) for _, entry in members if turn in (found := entry.contrasts)]
    clear = sum(before <= POOR and after - before >= GAIN for before, after in pairs)
    better = sum(after > before for before, after in pairs)
    worse = any(before - after >= GAIN / 2 for before, after in pairs)
    if len(pairs) >= PROVABLE or clear < FEWEST_CLEAR or worse:
        return None
    if clear < CLEAR_SHARE * len(pairs) or better < USUAL_SHARE * len(pairs):
        return None
    return FewFit(turn, clear, len(pairs))


def _turned_fit(members: ReaderMasks, turn: str) -> TurnedFit:
    pairs = [
        (entry.contrasts[AS_DRAWN], entry.contrasts[turn]) for _, entry in members if turn in entry.contrasts
    ]
    if not pairs:
        return TurnedFit(turn, 0, 0, 0.0, 0.0)
    return TurnedFit(
        turn,
        sum(after > before for before, after in pairs),
        len(pairs),
        median(before for before, _ in pairs),
        median(after for _, after in pairs),
    )


def _follow_edges(members: Sequence[tuple[ImageFacts, MeasuredReference]]) -> bool:
    """Whether most of a reader's masks of a finding fit best as drawn."""
    if len(members) < FEWEST:
        return False
    best = [entry.contrasts[AS_DRAWN] >= entry.contrasts[_best_turn(entry.contrasts)] for _, entry in members]
    return sum(best) >= USUAL_SHARE * len(best) and _median_contrast(members) >= USUAL_CONTRAST


def _median_contrast(members: Sequence[tuple[ImageFacts, MeasuredReference]]) -> float:
    return median(entry.contrasts[AS_DRAWN] for _, entry in members)


def _best_turn(contrasts: Mapping[str, float]) -> str:
    return max((turn for turn in contrasts if turn != AS_DRAWN), key=contrasts.__getitem__)


def _by_reader(study: StudySet) -> dict[tuple[str, str], ReaderMasks]:
    """Finding and reader → masks that look different in at least one other orientation."""
    found: dict[tuple[str, str], ReaderMasks] = {}
    for image, entry in measured_references(study, "mask"):
        if len(entry.contrasts) > 1:
            found.setdefault((entry.finding, entry.reader), []).append((image, entry))
    return found


def _count_examined(study: StudySet) -> int:
    return sum(len(members) for members in _by_reader(study).values() if _follow_edges(members))


def _enough(study: StudySet) -> int:
    return sum(len(members) for members in _by_reader(study).values() if len(members) >= FEWEST)


TURNED = Check(
    title="Mask that may be flipped or rotated",
    level="warning",
    looks_for="masks whose contrast (|mean inside − mean outside| in standard deviations, in bands of "
    f"{percent(BAND)} of the square root of the area on either side of the outline) is at most {POOR:g} as "
    f"drawn and at least {GAIN:g} higher when {', '.join(TURNS)} (the last in square images only). Masks "
    f"are judged if the reader drew at least {FEWEST} masks of the finding, at least {percent(USUAL_SHARE)} "
    f"of them fit best as drawn, and their median contrast is at least {USUAL_CONTRAST:g}. Otherwise "
    "outlines do not follow edges, and contrast cannot show the orientation",
    remedy="Look at the picture, and export the mask again if it is flipped or rotated. The check finds "
    "about 6 in 10 such masks: a mask in the middle of its image looks the same in each orientation.",
    of="masks",
    count=_count_examined,
    find=_single,
    reads="pixels",
)
TURNED_THROUGHOUT = Check(
    title="All masks of a reader flipped or rotated",
    level="error",
    looks_for="readers whose masks of a finding mostly have a higher contrast when flipped or rotated in "
    f"the same way: at least {percent(USUAL_SHARE)} of at least {FEWEST} masks (sign test, p at most "
    f"{CHANCE:g}), with a median contrast of at least {USUAL_CONTRAST:g} and at least {GAIN / 2:g} above "
    "that as drawn",
    remedy="Correct the export, which mixed up rows and columns or the direction of an axis. For NIfTI and "
    "NRRD, set first_axis of the source.",
    of="masks",
    count=_enough,
    find=_throughout,
    reads="pixels",
    stops_at=0,
)
TURNED_FEW = Check(
    title="Few masks, probably all flipped or rotated",
    level="warning",
    looks_for=f"readers with fewer than {PROVABLE} masks of a finding, of which at least {FEWEST_CLEAR}, and "
    f"at least a third, have a contrast of at most {POOR:g} as drawn and one at least {GAIN:g} higher "
    f"when flipped or rotated in the same way; at least {percent(USUAL_SHARE)} fit better so, and none is "
    f"worse by {GAIN / 2:g}",
    remedy="Look at the pictures, and correct the export if the masks are flipped or rotated. Of sets whose "
    "outlines follow edges and are right, fewer than 1 in 1,000 are reported; of sets whose outlines follow "
    "no edges, 3 in 100.",
    of="masks",
    count=lambda study: sum(len(members) for members in _by_reader(study).values()),
    find=_few,
    reads="pixels",
)
