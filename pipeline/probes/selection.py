"""Selection: the few images that probes change, spread over the study set and the same in every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from pipeline.annotations import kind_of
from pipeline.ground_truth.matching import Truth
from pipeline.probes import PROBES
from pipeline.probes.pairing import paired, rotated
from pipeline.records import AnnotationItem, Case, Labels

Level: TypeAlias = Literal["off", "quick", "full"]
LEVELS: tuple[Level, ...] = get_args(Level)

MOST_POSITIVES = 40
"""Images of a finding whose annotated regions are replaced by the level "quick"."""
MOST_IMAGES = 64
"""Images that are changed as a whole by the level "quick"."""


MOST_READ = 2048
"""Images whose features are read by the level "full"."""
MOST_VARIED = 32
"""Images that are compared with the network's training in each variant of the card."""
CARD = "card"
"""The probe that prepares images otherwise than the card says."""


@dataclass(frozen=True, slots=True)
class Partner:
    """An image of another patient, with what is known of it."""

    case: Case
    items: tuple[AnnotationItem, ...]
    labels: Labels


@dataclass(frozen=True, slots=True)
class ProbeTask:
    """What is to be probed on one image."""

    case: Case
    items: tuple[AnnotationItem, ...]
    labels: Labels
    regions: tuple[str, ...]
    """Findings whose annotated regions are replaced."""
    whole: bool
    """Whether the image is also changed as a whole."""
    other: Case | None
    """An image of another patient, if the image is changed as a whole."""
    healthy: Mapping[str, Partner] = field(default_factory=dict)
    """Finding of `regions` → an image without it, into which its region is cloned."""
    alike: Mapping[str, Partner] = field(default_factory=dict)
    """Finding of `regions` → an image with it, into which its region is cloned."""
    level: Level = "quick"

    @property
    def case_id(self) -> str:
        """The image's pseudonym."""
        return self.case.case_id


@dataclass(frozen=True, slots=True)
class ReadTask:
    """An image on which the inside of the network is read."""

    case: Case
    variants: bool
    """Whether the image is also prepared as in each variant of the card."""


def tasks_of(level: Level, cases: Sequence[Case], truth: Truth, findings: Sequence[str]) -> list[ProbeTask]:
    """What a level of `probes` probes: nothing if off, a bounded part if quick, everything if full."""
    if level == "off":
        return []
    limits = (MOST_POSITIVES, MOST_IMAGES) if level == "quick" else (None, None)
    return probe_tasks(cases, truth, findings, most_positives=limits[0], most_images=limits[1], level=level)


def most_forwards(tasks: Sequence[ProbeTask], reads: Sequence[ReadTask]) -> int:
    """The largest number of forward passes of the tasks, which does not depend on the images."""
    most = {
        (level, of_findings): sum(
            probe.most
            for probe in PROBES.values()
            if probe.is_of_findings is of_findings and probe.runs_at(level)
        )
        for level in LEVELS
        for of_findings in (True, False)
    }
    of_probes = sum(
        1 + most[task.level, True] * len(task.regions) + most[task.level, False] * task.whole
        for task in tasks
    )
    return of_probes + sum(1 + PROBES[CARD].most * task.variants for task in reads)


def read_tasks(level: Level, tasks: Iterable[ProbeTask], cases: Sequence[Case]) -> list[ReadTask]:
    """The images on which the inside of the network is read: those changed as a whole, up to a number.

    Without labels no image is changed as a whole; then some of all `cases`, because normalisations need none.
    """
    if level == "off":
        return []
    cases = [task.case for task in tasks if task.whole][:MOST_READ] or in_turn(cases)[:MOST_IMAGES]
    return [ReadTask(case, variants=number < MOST_VARIED) for number, case in enumerate(cases)]


def probe_tasks(
    cases: Sequence[Case],
    truth: Truth,
    findings: Sequence[str],
    *,
    most_positives: int | None,
    most_images: int | None,
    level: Level = "quick",
) -> list[ProbeTask]:
    """The tasks of a study set, in the order of its cases; None: no limit.

    Positives of a finding are images with a region of it. Of the images that are changed as a whole, each
    finding has as many with as without it, as far as there are labels. Patients come before their further
    images.
    """
    chosen = {finding: in_turn(annotated(cases, truth, finding))[:most_positives] for finding in findings}
    regions = {finding: {case.case_id for case in of} for finding, of in chosen.items()}
    whole = _balanced(cases, truth.labels, findings, most_images)
    other = _others(whole)
    healthy, alike = _partners(cases, truth, chosen) if level == "full" else ({}, {})
    tasks = []
    for case in cases:
        of_case = tuple(finding for finding in findings if case.case_id in regions[finding])
        if of_case or case.case_id in other:
            tasks.append(
                ProbeTask(
                    case,
                    tuple(truth.items.get(case.case_id, ())),
                    truth.labels[case.case_id],
                    of_case,
                    case.case_id in other,
                    other.get(case.case_id),
                    {
                        finding: healthy[finding, case.case_id]
                        for finding in of_case
                        if (finding, case.case_id) in healthy
                    },
                    {
                        finding: alike[finding, case.case_id]
                        for finding in of_case
                        if (finding, case.case_id) in alike
                    },
                    level,
                )
            )
    return tasks


def spread(cases: Sequence[Case]) -> list[Case]:
    """The cases in an order of which every beginning is spread evenly over them: first, middle, quarters."""
    size = len(cases)
    width = max(size - 1, 1).bit_length()
    order = (int(format(number, f"0{width}b")[::-1], 2) for number in range(2**width))
    return [cases[position] for position in order if position < size]


def annotated(cases: Sequence[Case], truth: Truth, finding: str) -> list[Case]:
    """Cases with a region of the finding; points have none."""
    return [
        case
        for case in cases
        if truth.labels[case.case_id].get(finding) != 0
        and any(
            item.finding == finding and kind_of(item) != "point" for item in _present(truth, case.case_id)
        )
    ]


def _present(truth: Truth, case_id: str) -> list[AnnotationItem]:
    """Annotations of what is there."""
    return [item for item in truth.items.get(case_id, ()) if not item.absent and not item.denies]


def _partners(
    cases: Sequence[Case], truth: Truth, chosen: Mapping[str, Sequence[Case]]
) -> tuple[dict[tuple[str, str], Partner], dict[tuple[str, str], Partner]]:
    """(Finding, case id) → an image of another patient without the finding, and one with it."""
    healthy: dict[tuple[str, str], Partner] = {}
    alike: dict[tuple[str, str], Partner] = {}
    present = {case.case_id: {item.finding for item in _present(truth, case.case_id)} for case in cases}
    for finding, positives in chosen.items():
        without = _healthy(cases, truth.labels, present, finding)
        for pairs, others in ((healthy, without), (alike, rotated(positives))):
            for case_id, other in paired(positives, others).items():
                items = tuple(truth.items.get(other.case_id, ()))
                pairs[finding, case_id] = Partner(other, items, truth.labels[other.case_id])
    return healthy, alike


def _healthy(
    cases: Sequence[Case], labels: Mapping[str, Labels], present: Mapping[str, set[str | None]], finding: str
) -> list[Case]:
    """Cases whose labels say that the finding is absent; those in which nothing is annotated come first."""
    without = [
        case
        for case in cases
        if labels[case.case_id].get(finding) == 0 and finding not in present[case.case_id]
    ]
    return sorted(in_turn(without), key=lambda case: bool(present[case.case_id]))


def in_turn(cases: Iterable[Case]) -> list[Case]:
    """One case per patient, then each patient's second, and so on; each of these spread over the cases."""
    seen: dict[str, int] = {}
    by_rank: dict[int, list[Case]] = {}
    for case in cases:
        seen[case.patient_id] = rank = seen.get(case.patient_id, 0) + 1
        by_rank.setdefault(rank, []).append(case)
    return [case for rank in sorted(by_rank) for case in spread(by_rank[rank])]


def _balanced(
    cases: Sequence[Case], labels: Mapping[str, Labels], findings: Sequence[str], most: int | None
) -> list[Case]:
    """Cases in turn from the positives and negatives of each finding, without repeats."""
    queues = [
        in_turn(case for case in cases if labels[case.case_id].get(finding) == value)
        for finding in findings
        for value in (1, 0)
    ]
    wanted = len(cases) if most is None else most
    chosen: dict[str, Case] = {}
    for rank in range(max(map(len, queues), default=0)):
        for queue in queues:
            if rank < len(queue) and len(chosen) < wanted:
                chosen.setdefault(queue[rank].case_id, queue[rank])
    return list(chosen.values())


def _others(cases: Sequence[Case]) -> dict[str, Case | None]:
    """Case id → the case half the list away whose patient is another, whatever its labels."""
    size, half = len(cases), len(cases) // 2
    return {
        case.case_id: next(
            (
                other
                for step in range(size)
                if (other := cases[(position + half + step) % size]).patient_id != case.patient_id
            ),
            None,
        )
        for position, case in enumerate(cases)
    }
