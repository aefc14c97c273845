"""Map testing: the tests of attribution methods on a few images, on disk image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from pipeline.audited_model.loading import AuditedModel
from pipeline.cases.burned_in_text import text_search
from pipeline.ground_truth.matching import Truth
from pipeline.plan import AuditPlan
from pipeline.probes.drawing import settings_of
from pipeline.probes.map_tests.judged import JudgedImage, Judging
from pipeline.probes.map_tests.measuring import measured, most_passes
from pipeline.probes.map_tests.tasks import map_tasks, reading_of
from pipeline.probes.selection import ProbeTask
from pipeline.records import Case, Intensity, Progress, Skipped
from pipeline.run.opening import Run
from pipeline.store.cases import why_skipped
from pipeline.store.map_tests import is_map_tested, remove_other_map_tests, write_map_tests


def judge_maps(
    plan: AuditPlan,
    run: Run,
    cases: Sequence[Case],
    truth: Truth,
    model: AuditedModel,
    baselines: Mapping[str, Intensity],
) -> tuple[Skipped, ...]:
    """Test the maps of a few images, at the level `probes: full`; returns those that could not be read.

    Batches are computed whole, so that an interrupted run goes on with the next batch and ends with the same
    numbers.
    """
    config = plan.config
    audited = [case for case in cases if why_skipped(run.folder, case.case_id) is None]
    tasks = map_tasks(config.probes, audited, truth, plan.findings)
    remove_other_map_tests(run.folder, [task.case_id for task in tasks])
    batches = [tasks[start : start + config.batch_size] for start in range(0, len(tasks), config.batch_size)]
    pending = [batch for batch in batches if not _is_done(run, batch)]
    judging = Judging(model, config.batch_size, config.contours.scaling, baselines)
    doing = f"Testing maps, at most {most_passes(len(batches), judging):,} forward passes,"
    done = len(tasks) - sum(map(len, pending))
    if tasks:
        run.progress(Progress(done, len(tasks), 0, doing))
    reading = reading_of(settings_of(plan.findings, model.preprocessing, text_search(plan)))
    images = run.map(reading, chain.from_iterable(pending), stage="probe")
    skipped: list[Skipped] = []
    for batch in pending:
        of_batch = [next(images) for _ in batch]
        skipped += [image for image in of_batch if isinstance(image, Skipped)]
        _write(run, [image for image in of_batch if not isinstance(image, Skipped)], judging)
        done += len(batch)
        run.progress(Progress(done, len(tasks), len(skipped), doing))
    return tuple(skipped)


def _is_done(run: Run, batch: Sequence[ProbeTask]) -> bool:
    return all(is_map_tested(run.folder, task.case_id) for task in batch)


def _write(run: Run, images: Sequence[JudgedImage], judging: Judging) -> None:
    """Write the numbers of the images of a batch."""
    values = list(measured(images, judging)) if images else []
    for image in images:
        write_map_tests(run.folder, image.case_id, [one for one in values if one.case_id == image.case_id])
