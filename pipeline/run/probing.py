"""Probing: the network's outputs for changed versions of a few images, on disk image by image."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.audited_model.loading import AuditedModel
from pipeline.cases.burned_in_text import text_search
from pipeline.ground_truth.matching import Truth
from pipeline.plan import AuditPlan
from pipeline.probes.drawing import Settings, drawing_of, inputs_of, settings_of
from pipeline.probes.outputs import outputs_of
from pipeline.probes.reading import read_network
from pipeline.probes.selection import ReadTask, most_forwards, read_tasks, tasks_of
from pipeline.records import Case, Progress, Skipped
from pipeline.run.opening import Run
from pipeline.store.cases import why_skipped
from pipeline.store.probes import is_probed, remove_other_probed, write_probed
from pipeline.store.readings import is_reading_of, remove_reading, write_reading

MOST_GRIDS = 64
"""Images whose activations are kept at `probes: full`: some 7 MB with 1,024 channels of 7 × 7 cells."""


def probe(
    plan: AuditPlan, run: Run, cases: Sequence[Case], truth: Truth, model: AuditedModel
) -> tuple[Skipped, ...]:
    """Probe the images that the config's level asks for; returns those that could not be changed, with why.

    An image's outputs are written as a whole, so an interrupted run goes on with the next image.
    """
    audited = [case for case in cases if why_skipped(run.folder, case.case_id) is None]
    tasks = tasks_of(plan.config.probes, audited, truth, plan.findings)
    remove_other_probed(run.folder, [task.case.case_id for task in tasks])
    pending = [task for task in tasks if not is_probed(run.folder, task.case.case_id)]
    reads = read_tasks(plan.config.probes, tasks, audited)
    doing = f"Probing, at most {most_forwards(tasks, reads):,} forward passes,"
    done = len(tasks) - len(pending)
    run.progress(Progress(done, len(tasks), 0, doing))
    settings = settings_of(plan.findings, model.preprocessing, text_search(plan))
    skipped = []
    for drawn in run.map(drawing_of(settings), pending, stage="probe"):
        if isinstance(drawn, Skipped):
            skipped.append(drawn)
        else:
            write_probed(
                run.folder,
                drawn.case_id,
                list(outputs_of(drawn, model, batch_size=plan.config.batch_size)),
            )
        done += 1
        run.progress(Progress(done, len(tasks), len(skipped), doing))
    unread = {skip.subject for skip in skipped}
    readable = [task for task in reads if task.case.case_id not in unread]
    _read(run, readable, model, settings, plan)
    return tuple(skipped)


def _read(
    run: Run, tasks: Sequence[ReadTask], model: AuditedModel, settings: Settings, plan: AuditPlan
) -> None:
    """Write what the network makes of these images inside, unless it is on disk."""
    if not tasks:
        remove_reading(run.folder)
    elif not is_reading_of(run.folder, [task.case.case_id for task in tasks]):
        prepared = run.map(inputs_of(settings), tasks, stage="probe")
        versions = (version for drawn in prepared if not isinstance(drawn, Skipped) for version in drawn)
        found = read_network(
            versions,
            model.classifier,
            batch_size=plan.config.batch_size,
            most_grids=MOST_GRIDS if plan.config.probes == "full" else 0,
        )
        write_reading(run.folder, found)
