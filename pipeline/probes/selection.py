"""Selection: the few images that probes change, spread over the study set and the same in every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.annotations import kind_of
from pipeline.ground_truth.matching import Truth
from pipeline.probes import PROBES
from pipeline.records import AnnotationItem, Case, Labels

Level: TypeAlias = Literal["off", "quick", "full"]

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
    return probe_tasks(cases, truth, findings, most_positives=limits[0], most_images=limits[1])


def most_forwards(tasks: Sequence[ProbeTask]) -> int:
    """The largest number of forward passes of the tasks, which does not depend on the images."""
    of_region, of_image = (
        sum(probe.most for probe in PROBES.values() if (probe.asks == "regions") is is_region)
        for is_region in (True, False)
    )
    changed = sum(1 + of_region * len(task.regions) + of_image * task.whole for task in tasks)
    return changed + sum(1 + PROBES[CARD].most * task.variants for task in read_tasks(tasks))


def read_tasks(tasks: Iterable[ProbeTask]) -> list[ReadTask]:
    """The images whose features are read: those that are changed as a whole, up to a number."""
    cases = [task.case for task in tasks if task.whole][:MOST_READ]
    return [ReadTask(case, variants=number < MOST_VARIED) for number, case in enumerate(cases)]


def probe_tasks(
    cases: Sequence[Case],
    truth: Truth,
    findings: Sequence[str],
    *,
    most_positives: int | None,
    most_images: int | None,
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
            item.finding == finding and not item.absent and not item.denies and kind_of(item) != "point"
            for item in truth.items.get(case.case_id, ())
        )
    ]


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
