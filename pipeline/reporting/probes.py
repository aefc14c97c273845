"""Probes: the rows of probes.csv as text: what the network needs, and what else moves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, number_of

ANSWERS: Mapping[str, str] = {
    "used": "needed",
    "not_used": "not needed",
    "follows": "follows the lesion",
    "only_at_its_place": "follows it only to its usual place",
    "does_not_follow": "does not follow it",
    "drops": "worse",
    "rises": "better",
    "holds": "no matter",
    "cannot_tell": "cannot tell",
}
REASONS: Mapping[str, str] = {
    "few_patients": "too few patients",
    "control_moves": "the control moves the output, too",
    "unclear": "the interval is too wide, or the places contradict each other",
    "other_fill": "",
    "no_healthy_image": "no image of another patient without the finding",
    "no_other_image": "no other patient with the finding",
    "fits_nowhere": "no annotated lesion large enough, or it fits nowhere else",
    "no_image": "the change is possible on no image",
    "one_class": "no images both with and without the finding",
    "same_output": "the output is the same for all images",
}
"""Why a probe cannot tell → in words."""
SWAPS: Mapping[str, str] = {
    "same_place": "Lesion cloned into a healthy image, same place",
    "elsewhere": "Lesion cloned into a healthy image, another place",
    "both_places": "Same place compared with another",
    "surroundings": "Surroundings from a healthy image",
}
"""Variant of a swap → its title."""
CHANGES: Mapping[str, str] = {
    "lesion": "Annotated region replaced",
    "swap": "Lesion in another image",
    "low_pass": "Fine detail blurred",
    "brightness": "Mean brightness of another image",
    "frame": "Border of another image",
    "background": "Outside of the body black",
    "outside": "Outside of the body from another image",
    "stripes": "Stripes removed",
    "text": "Text and markers",
    "card": "Other card",
}
FORMS: Mapping[str, str] = {"inpaint": "smooth", "clone": "texture from elsewhere", "of_another_image": ""}
"""Variant → what it adds to its probe's title; others are shown by their names."""


class Change(NamedTuple):
    """What one change of the images does to one finding."""

    finding: str
    title: str
    measure: str
    before: str
    """AUROC of the images as they are, or the change of the output with, or without, the lesion."""
    after: str
    """AUROC of the changed images, or the change of the output with the control."""
    difference: str
    """With its interval."""
    n: str
    answer: str


class Needs(NamedTuple):
    """What changed images show."""

    regions: tuple[Change, ...]
    swaps: tuple[Change, ...]
    """Lesions in other patients' images."""
    matter: tuple[Change, ...]
    """Changes of whole images that change the AUROC."""
    others: int
    """Number of changes of whole images that do not, or whose images are too few or not there."""


def needs(run: RunFolder) -> Needs | None:
    """What probes found; None for a run without probes."""
    rows = run.table("probes")
    if not rows:
        return None
    whole = [row for row in rows if row["measure"] == "auroc"]
    wrong_card = [row for row in whole if row["probe"] == "card" and row["answer"] == "drops"]
    matter = [row for row in whole if row["answer"] in {"drops", "rises"} and row not in wrong_card]
    return Needs(
        tuple(_regions([row for row in rows if row["measure"] == "log_odds"])),
        tuple(_swap(row) for row in rows if row["measure"] in {"rise", "surroundings"}),
        tuple(map(_change, matter)),
        len(whole) - len(matter),
    )


def _regions(rows: Sequence[Mapping[str, str]]) -> Iterator[Change]:
    """One row per finding and fill; a fill after the one that answers has no answer of its own."""
    answered: set[str] = set()
    for row in rows:
        change = _change(row)
        yield change._replace(answer="–" if row["finding"] in answered else _with_reason(row))
        if row["answer"] != "cannot_tell":
            answered.add(row["finding"])


def _swap(row: Mapping[str, str]) -> Change:
    """A row about the lesion in another image; the reason stands beside an answer that cannot tell."""
    words_of = {"drops": "falls", "holds": "holds"} if row["measure"] == "surroundings" else {}
    title = SWAPS.get(row["variant"], words.spaced(row["variant"]).capitalize())
    return _change(row)._replace(title=title, answer=words_of.get(row["answer"], _with_reason(row)))


def _with_reason(row: Mapping[str, str]) -> str:
    """The answer; where it cannot tell, with the reason."""
    answer, why = ANSWERS[row["answer"]], REASONS.get(row.get("because", ""), "")
    return f"{answer}: {why}" if why else answer


def _change(row: Mapping[str, str]) -> Change:
    is_auroc = row["measure"] == "auroc"
    before, after, estimate, low, high = (
        number_of(row[key]) for key in ("before", "after", "estimate", "low", "high")
    )
    form = FORMS.get(row["variant"], words.spaced(row["variant"]))
    title = CHANGES.get(row["probe"], words.spaced(row["probe"]).capitalize())
    interval = "" if low is None or high is None else f" [{_signed(low)} to {_signed(high)}]"
    return Change(
        row["finding"],
        f"{title}: {form}" if form else title,
        "AUROC" if is_auroc else "SD of the output",
        _signed(before),
        _signed(after),
        f"{_signed(estimate)}{interval}",
        row["n"],
        ANSWERS[row["answer"]],
    )


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")
