"""Tasks: the few images whose maps are tested, and what a worker makes of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.classifiers import prepare
from pipeline.ground_truth.matching import Truth
from pipeline.probes.drawing import Settings, read_task
from pipeline.probes.map_tests.judged import JudgedImage
from pipeline.probes.selection import Level, ProbeTask, annotated, in_turn
from pipeline.records import Case

MOST_IMAGES = 32
"""Images whose maps are tested, over all findings: each takes some twenty maps of every method."""


def map_tasks(
    level: Level, cases: Sequence[Case], truth: Truth, findings: Sequence[str], *, most: int = MOST_IMAGES
) -> list[ProbeTask]:
    """Images in turn from those with a region of each finding; none unless the level is "full".

    A finding without regions is judged on images with its label; without such labels, on all images. The
    findings that are judged on an image are the task's `regions`.
    """
    if level != "full":
        return []
    queues = {finding: _images(cases, truth, finding) for finding in findings}
    chosen: dict[str, Case] = {}
    for rank in range(max(map(len, queues.values()), default=0)):
        for queue in queues.values():
            if rank < len(queue) and len(chosen) < most:
                chosen.setdefault(queue[rank].case_id, queue[rank])
    judged = {finding: {case.case_id for case in queue} for finding, queue in queues.items()}
    return [
        ProbeTask(
            case,
            tuple(truth.items.get(case.case_id, ())),
            truth.labels[case.case_id],
            tuple(finding for finding in findings if case.case_id in judged[finding]),
            whole=False,
            other=None,
        )
        for case in cases
        if case.case_id in chosen
    ]


def read_judged(task: ProbeTask, settings: Settings) -> JudgedImage:
    """The image as an input of the network, with its regions. Raises CaseError."""
    image, regions = read_task(task, settings)
    return JudgedImage(task.case_id, prepare(image, settings.preprocessing), task.regions, regions)


def reading_of(settings: Settings) -> partial[JudgedImage]:
    """`read_judged` with the settings of the run, to be called by workers."""
    return partial(read_judged, settings=settings)


def _images(cases: Sequence[Case], truth: Truth, finding: str) -> list[Case]:
    present = [case for case in cases if truth.labels[case.case_id].get(finding) == 1]
    return in_turn(annotated(cases, truth, finding) or present or cases)
