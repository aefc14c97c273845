"""Command line: arguments → config → run → exit code. All output goes through the module terminal."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.cli.arguments import parser_of
from pipeline.cli.card import card
from pipeline.cli.convert import convert
from pipeline.cli.dossier import dossier
from pipeline.cli.export import check_exports, export, export_after_run
from pipeline.cli.figure import figure
from pipeline.cli.filing import sign, verify
from pipeline.cli.inputs import explain_inputs, notify_on
from pipeline.cli.interruption import INTERRUPTED, exit_in_time, interrupt
from pipeline.cli.outcome import print_outcome
from pipeline.cli.progress import progress_display, tell_on
from pipeline.cli.receive import receive
from pipeline.cli.report import report, warn_of_changes
from pipeline.cli.review import review
from pipeline.cli.settings import loaded_config, overrides_of, words_of
from pipeline.cli.terminal import (
    annotation_lines,
    comparison_table,
    findings_of_one,
    lines_of_verdicts,
    open_console,
    visible,
)
from pipeline.cli.view import view
from pipeline.config import AuditConfig, load_config
from pipeline.errors import HOW_TO_REPORT, AuditError, CaseBug, OutputError, place_of
from pipeline.executors.pool import start_fork_server
from pipeline.plan import RunPlan, make_plan
from pipeline.retrieval.door import in_folders
from pipeline.run.steps import STARTING
from pipeline.run.worker_modules import WORKER_MODULES
from pipeline.run_files.within_run import refuse_within_run
from pipeline.store.atomic import make_folder, writing
from pipeline.tuning.plan import make_tuning_plan
from pipeline.validation.plan import make_validation_plan

if TYPE_CHECKING:  # loads pandas
    from pipeline.run.outcome import Outcome

DONE, POLICY_FAILED, NOT_STARTED, STOPPED, BUG = 0, 1, 2, 3, os.EX_SOFTWARE
NO_MEMORY = "not enough memory; close other programs, or set a smaller batch_size"
CONFIGS = Path(__file__).parents[2] / "configs"
REFERENCE_CARD = Path(__file__).parents[1] / "phantoms" / "reference_model" / "reference_model.yaml"
PHANTOMS = {"seed": 2026, "count": 96}
"""Seed and number of images of the built-in study set; the reference model was trained on other seeds."""
INTERRUPTION = {
    "audit": "finished images are kept; rerun the same command to resume",
    "score": "finished images are kept; rerun the same command to resume",
    "tune": "nothing was written; rerun the same command to start again",
    "validate": "nothing was finished; rerun the same command to start again",
    "compare": "nothing was written; rerun the same command to start again",
    "review": "nothing was written; rerun the same command to start again",
    "report": "the report may be incomplete; rerun the same command to regenerate it",
    "figure": "nothing was written; rerun the same command to start again",
    "dossier": "the dossier may be incomplete; rerun the same command to regenerate it",
    "export": "what was written is whole; rerun the same command to write the rest",
    "receive": "what was received is whole; rerun the same command to receive more",
    "view": "nothing was written",
    "verify": "nothing was changed; rerun the same command to start again",
    "sign": "signatures may be missing; rerun the same command to start again",
    "card": "nothing was written; rerun the same command to start again",
    "convert": "nothing was written; rerun the same command to start again",
}
"""Command → message after an interruption."""
OUTPUTS = ("out", "pdf", "single_file", "as_annotations", "template")
"""Options of commands that name what they write."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code.

    0: done, policy met. 1: done, policy failed. 2: could not start. 3: could not write the results, or
    out of memory. 70: a bug of Heatproof (EX_SOFTWARE of sysexits.h). 130: interrupted.
    """
    options = parser_of().parse_args(arguments)
    errors = open_console(stderr=True)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        _refuse_runs(options)
        with exit_in_time(until_exit=arguments is None):
            return COMMANDS[options.command](options)
    except CaseBug as error:
        return _failed(error, error.what, errors)
    except (OutputError, MemoryError) as error:
        why = NO_MEMORY if isinstance(error, MemoryError) else visible(str(error))
        errors.print(f"heatproof: {why}")
        return STOPPED
    except AuditError as error:
        errors.print(f"heatproof: {visible(str(error))}")
        return NOT_STARTED
    except KeyboardInterrupt:
        errors.print(f"\nheatproof: interrupted; {INTERRUPTION[options.command]}")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  whatever nobody foresaw
        return _failed(error, f"{type(error).__name__} in {place_of(error)}", errors)


def _refuse_runs(options: Namespace) -> None:
    """Refuse to write below the folder of a finished run; `report` and `review` are told the run itself."""
    for name in OUTPUTS:
        if path := getattr(options, name, None):
            refuse_within_run(Path(path), f"--{name.replace('_', '-')}")


def _failed(error: Exception, what: str, errors: Console) -> int:
    """Print where Heatproof failed and how to report it; the exit code of a bug."""
    errors.print(visible("".join(traceback.format_exception(error)).rstrip()))
    errors.print(f"heatproof: a bug of Heatproof ({what}); {HOW_TO_REPORT}")
    return BUG


def _audit(options: Namespace) -> int:
    console = open_console()
    config, fetched = in_folders(_config(options, console), _say_on(console))
    plan = replace(make_plan(config, with_weights=not options.explain_inputs), notices=fetched)
    check_exports(config)
    if options.explain_inputs:
        return explain_inputs(plan, console)
    tell = tell_on(console)
    tell(STARTING)
    if config.executor.kind == "pool":
        start_fork_server(WORKER_MODULES)  # so that workers and this process import at the same time
    from pipeline.audit import audit  # noqa: PLC0415  # loads torch, which takes seconds; errors above come first

    with progress_display(console, batch=config.batch_size) as progress:
        outcome = audit(
            plan,
            progress=progress,
            notify=notify_on(console),
            tell=tell,
            command=words_of(options),
        )
    return _ended(outcome, plan, console)


def _ended(outcome: Outcome, plan: RunPlan, console: Console) -> int:
    """Print what came out of a run, and export it if its config says so; returns the exit code."""
    is_met = print_outcome(outcome, plan, console)
    export_after_run(outcome.index.parent, plan.config, console)
    return DONE if is_met else POLICY_FAILED


def _say_on(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(visible(line))


def _score(options: Namespace) -> int:
    console = open_console()
    config, fetched = in_folders(loaded_config(options), _say_on(console))
    from pipeline.external_maps.plan import make_score_plan  # noqa: PLC0415  # loads pydicom
    from pipeline.score import score  # noqa: PLC0415  # loads the image libraries

    plan = replace(make_score_plan(config), notices=fetched)
    check_exports(config)
    for note in plan.notes:
        console.print(visible(note))
    if options.explain_inputs:
        return explain_inputs(plan, console)
    with progress_display(console, verb="Scoring") as progress:
        outcome = score(
            plan,
            progress=progress,
            notify=notify_on(console),
            tell=tell_on(console),
            command=words_of(options),
        )
    return _ended(outcome, plan, console)


def _validate(options: Namespace) -> int:
    console = open_console()
    config, fetched = in_folders(loaded_config(options), _say_on(console))
    plan = replace(make_validation_plan(config), notices=fetched)
    if options.explain_inputs:
        return explain_inputs(plan, console)
    from pipeline.validation.validate import validate  # noqa: PLC0415  # loads the image libraries

    with progress_display(console, verb="Validating") as progress:
        validation = validate(plan, progress=progress, notify=notify_on(console), tell=tell_on(console))
    for (level, title), count in validation.counts.items():
        console.print(f"{level:<8}{count:>6,}  {title}")
    levels = ", ".join(f"{n:,} {level}{'' if n == 1 else 's'}" for level, n in validation.levels.items())
    console.print(f"{validation.images:,} images validated: {levels}")
    console.print(f"Page: {validation.index}")
    return DONE if validation.passed else POLICY_FAILED


def _compare(options: Namespace) -> int:
    from pipeline.comparison.compare import compare  # noqa: PLC0415  # loads pandas

    found = compare(
        tuple(options.runs),
        methods=tuple(options.methods),
        out=options.out,
        intersect=options.intersect,
    )
    console = open_console()
    console.print(f"A  {found.names[0]}\nB  {found.names[1]}\n{found.images:,} images in both runs")
    warn_of_changes(options.runs, console)
    for line in annotation_lines(found):
        console.print(visible(line))
    for line in findings_of_one(found.only_in):
        console.print(line)
    for line in lines_of_verdicts(found.verdicts):
        console.print(line)
    console.print(comparison_table(found.rows))
    console.print(f"Page: {found.index}")
    return DONE


def _config(options: Namespace, console: Console) -> AuditConfig:
    """The config of the command line, or that of the built-in phantoms if no input is given."""
    overrides = overrides_of(options)
    if options.config or {"studies", "annotations.path", "model", "weights"} & overrides.keys():
        return loaded_config(options)
    studies = Path(overrides.get("out", "reports")) / "phantoms"
    config = load_config(
        CONFIGS / "phantom.yaml",
        {"studies": str(studies / "images"), "annotations.path": str(studies), "model": str(REFERENCE_CARD)}
        | overrides,
    )
    _make_phantoms(studies, console)
    return config


def _make_phantoms(folder: Path, console: Console) -> None:
    """Write the built-in study set unless it exists already."""
    if (folder / "labels.csv").exists():
        return
    from pipeline.phantoms.study_set import write_study_set  # noqa: PLC0415  # loads pydicom

    console.print(f"Making {PHANTOMS['count']} phantom radiographs in {folder}")
    make_folder(folder)
    with writing(folder):
        write_study_set(folder, **PHANTOMS)


def _tune(options: Namespace) -> int:
    console = open_console()
    out = Path(options.out) if options.out else None
    options.out = None  # --out of tune is a file, not the folder of runs
    config, fetched = in_folders(loaded_config(options), _say_on(console))
    plan, path = make_tuning_plan(config, out)
    plan = replace(plan, notices=fetched)
    from pipeline.tuning.choice import describe_choice  # noqa: PLC0415
    from pipeline.tuning.tune import tune  # noqa: PLC0415  # loads torch

    with progress_display(console, verb="Tuning", batch=plan.config.batch_size) as progress:
        tuning = tune(plan, path, progress=progress, notify=notify_on(console), tell=tell_on(console))
    for entry in tuning.choices:
        console.print(describe_choice(entry))
    console.print(f"{tuning.images - len(tuning.skipped)} of {tuning.images} images used")
    console.print(f"Config: {tuning.path}")
    return DONE


COMMANDS: Mapping[str, Callable[[Namespace], int]] = {
    "audit": _audit,
    "score": _score,
    "tune": _tune,
    "validate": _validate,
    "compare": _compare,
    "review": review,
    "report": report,
    "figure": figure,
    "dossier": dossier,
    "export": export,
    "receive": receive,
    "view": view,
    "verify": verify,
    "sign": sign,
    "card": card,
    "convert": convert,
}


if __name__ == "__main__":
    sys.exit(main())
