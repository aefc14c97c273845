"""Verdict sentence: conclusion and standing of a finding as one sentence of ten to fifteen words.

A conclusion that puts annotations, labels, card or weights at fault needs no more. Any other joins up to
seven words about the network with seven about its map, so that no combination needs a sentence of its own.
What speaks against the network comes first; else the map does, because the row has the colour of its
standing. "It" is the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.reporting.verdict import Sentence

FAULTS: Mapping[str, str] = {
    "weights": "The weights seem broken or foreign; check them before reading anything into the maps.",
    "card": "The model card seems to prepare images wrongly; correct it before judging the maps.",
    "masks": "The annotations seem to belong elsewhere; check them before judging where the network looks.",
    "labels": "The labels seem wrong, or the outputs are in another order than the card’s.",
}
"""Conclusion → sentence, whatever the map does."""
AGAINST: Mapping[str, str] = {
    "not_used": "It does not use the annotated lesions",
    "shortcut": "It relies on something other than the lesions",
}
"""Conclusion → first part, before the map."""
USES: Mapping[str, str] = {
    "shown": "it uses the annotated lesions",
    "not_shown": "it uses the annotated lesions",
    "used": "it uses the annotated lesions",
    "too_few": "whether it uses the lesions is unclear",
    "": "this run stored no conclusion on it",
}
"""Conclusion → second part, after the map."""
NOT_TESTED: Mapping[str, str] = {
    "probes": "use of lesions not tested (probes: off)",
    "maps": "use of lesions not tested, only maps",
}
"""Why a run without a conclusion on the network has none → second part."""
SHOWN: Mapping[str, str] = {
    "better": "It uses the annotated lesions, and its map points better than any baseline.",
    "no_better": "It uses the annotated lesions and usually points there; baselines may match it.",
    "unconfirmed better": "It uses the annotated lesions and usually points there; "
    "better than baselines, not confirmed.",
    "unconfirmed worse": "It uses the annotated lesions and usually points there; a baseline may do better.",
    "worse": "A baseline points better, though it uses the annotated lesions and usually points there.",
    "same_place no_better": "It uses the annotated lesions and usually points there, as a fixed spot would.",
    "unknown": "It uses the annotated lesions and usually points there; too few patients to compare.",
}
"""What the map does → sentence, where the network uses lesions and the map shows it."""
POINTING: Mapping[str, str] = {
    "better": "its map points better than any baseline",
    "no_better": "its map does not clearly beat baselines",
    "unconfirmed better": "its map may beat baselines, not confirmed",
    "unconfirmed worse": "its map may trail baselines, not confirmed",
    "worse": "its map points worse than a baseline",
    "same_place no_better": "pointing cannot tell: always the same place",
    "same_place worse": "its map points away from their place",
    "unknown": "too few patients to judge its map",
    "auroc_low": "an output near chance makes maps meaningless",
    "auroc_turned": "its output is inverted, so maps mislead",
    "auroc_uncertain": "its output is not shown above chance",
    "no_annotation": "no scored image was annotated with it",
    "no_baseline": "no baseline was scored to compare with",
}
"""What the map does → second part."""
CONTOURS: Mapping[str, str] = {
    "better": "its contours fit better than any baseline",
    "no_better": "its contours do not clearly beat baselines",
    "unconfirmed better": "its contours may beat baselines, not confirmed",
    "unconfirmed worse": "its contours may trail baselines, not confirmed",
    "worse": "its contours fit worse than a baseline",
    "unknown": "too few patients to judge its contours",
}
"""What the contours do → second part, for maps without a peak."""
UNSCORED = "Not scored: no annotations of lesions, so the pictures only show where it looks."
NOT_STORED = "This run of an older version stored no verdict; rerun the audit for one."


def verdict_sentence(
    conclusion: str, answers: Sequence[Sentence], *, untested: str = "", partly: bool = False
) -> str:
    """The sentence for a conclusion (`records.names.Conclusion`, empty if none is stored) and its answers.

    `untested` is a key of `NOT_TESTED` where no image was changed; `partly`: the output falls without the
    lesions, but most decisions stay.
    """
    if conclusion in FAULTS:
        return FAULTS[conclusion]
    told = _joined(conclusion, answers, untested)
    return told.replace("t uses ", "t partly uses ") if partly else told


def _joined(conclusion: str, answers: Sequence[Sentence], untested: str) -> str:
    answer = next((one for one in answers if one.question == "pointing"), None) or next(iter(answers), None)
    what = "no_annotation" if answer is None else _what(answer)
    asked = "" if answer is None else answer.question
    if conclusion == "shown" and what in SHOWN and asked == "pointing":
        return SHOWN[what]
    of_map = (CONTOURS.get(what) if asked == "contours" else None) or POINTING[what]
    if conclusion in AGAINST:
        return f"{AGAINST[conclusion]}; {of_map}."
    of_use = NOT_TESTED[untested] if untested and conclusion == "too_few" else USES[conclusion]
    return f"{of_map[0].upper()}{of_map[1:]}; {of_use}."


def _what(answer: Sentence) -> str:
    """What a map does, as a key of `POINTING`."""
    if answer.lacks:
        return answer.lacks
    if answer.because == "same_place":
        return f"same_place {answer.standing}"
    if answer.because in POINTING and answer.standing == "unknown":
        return answer.because
    return f"unconfirmed {answer.unconfirmed}" if answer.unconfirmed else answer.standing
