"""Matching: assign external maps to the images of a study set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.cohort.index import Cohort, Pseudonym
from pipeline.cohort.lookup import ImageLookup, Join
from pipeline.errors import CaseError
from pipeline.external_maps.plan import ScorePlan
from pipeline.records import Case, HeatmapItem, Skipped

UNKNOWN_FINDING = (
    "{word} is not one of the scored findings (crosswalk.csv has the original word); add it to "
    "heatmaps.findings, or map it to a finding in annotations.findings"
)
"""Contains a pseudonym, because a file name may contain anything, also a patient's name."""


@dataclass(frozen=True, slots=True)
class MatchedMaps:
    """The maps of each image."""

    items: Mapping[str, tuple[HeatmapItem, ...]]
    """Case id → maps, with findings as the run names them."""
    cases: tuple[Case, ...]
    """The chosen cases that have a map."""
    skipped: tuple[Skipped, ...]
    """Unusable files, maps without image or finding, and chosen cases without a map."""
    names: Mapping[str, str]
    """Pseudonym → file, or image name of a map, for the crosswalk."""
    unknown_words: Mapping[str, str]
    """Pseudonym → finding of a map that is not scored, for the crosswalk."""


def match_maps(plan: ScorePlan, cohort: Cohort, *, pseudonym: Pseudonym) -> MatchedMaps:
    """The maps of each chosen case, and the cases that are scored."""
    found = match_items(
        plan.items,
        cohort.cases,
        findings=plan.findings,
        pseudonym=pseudonym,
        join=plan.config.annotations.join or "auto",
    )
    chosen = {case.case_id for case in cohort.chosen}
    bad_files = {pseudonym("heatmap", name): name for name, _ in plan.files.problems}
    skipped = (
        *(
            Skipped(pseudonym("heatmap", name), "heatmaps", error.reason, error.message)
            for name, error in plan.files.problems
        ),
        *(s for s in found.skipped if s.subject in chosen or not s.subject.startswith("case-")),
        *_without_map(cohort.chosen, found.items),
    )
    return MatchedMaps(
        items=found.items,
        cases=tuple(case for case in cohort.chosen if case.case_id in found.items),
        skipped=skipped,
        names={**bad_files, **found.names},
        unknown_words=found.unknown_words,
    )


def match_items(
    items: Sequence[HeatmapItem],
    cases: Sequence[Case],
    *,
    findings: Sequence[str],
    pseudonym: Pseudonym,
    join: Join = "auto",
) -> MatchedMaps:
    """The maps of each case; `cases` is the whole study set."""
    images = ImageLookup(cases, (item.image for item in items), join=join)
    matched: dict[str, list[HeatmapItem]] = defaultdict(list)
    skipped: list[Skipped] = []
    names: dict[str, str] = {}
    words: dict[str, str] = {}
    for item in items:
        subject = pseudonym("heatmap", item.image, item.frame or 0)
        try:
            subject = images.owner(item, what="heatmap").case_id
            if item.finding not in findings:
                word = pseudonym("finding", item.finding)
                words[word] = item.finding
                message = UNKNOWN_FINDING.format(word=word)
                skipped.append(Skipped(subject, "heatmaps", "unknown_finding", message))
                continue
            _refuse_conflicts(item, matched[subject])
            matched[subject].append(item)
        except CaseError as error:
            if subject.startswith("heatmap-"):
                names[subject] = item.image
            skipped.append(Skipped(subject, "heatmaps", error.reason, error.message))
    by_case = {case_id: tuple(found) for case_id, found in matched.items() if found}
    return MatchedMaps(by_case, tuple(cases), tuple(skipped), names, words)


def _refuse_conflicts(item: HeatmapItem, accepted: Sequence[HeatmapItem]) -> None:
    """Raise CaseError if a map conflicts with the accepted maps of the same image."""
    same_finding = [other for other in accepted if other.finding == item.finding]
    if any(other.method == item.method for other in same_finding):
        raise CaseError(
            "heatmap_twice",
            "There is another map of the same image, finding and method; remove one, or name the methods.",
        )
    if any(other.probability != item.probability for other in same_finding):
        raise CaseError(
            "probability_contradicts",
            "Maps of one finding on one image have different probabilities; score one network at a time.",
        )


def _without_map(cases: Sequence[Case], items: Mapping[str, object]) -> Iterator[Skipped]:
    """Chosen images that have no map."""
    message = "the image has no usable map; add one, or leave the image out with `select`"
    for case in cases:
        if case.case_id not in items:
            yield Skipped(case.case_id, "explain", "image_without_heatmap", message)
