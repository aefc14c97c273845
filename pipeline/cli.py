"""Command line: arguments → config → run → exit code. The only file that prints."""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from unicodedata import category

from rich.console import Console

from pipeline.arguments import OPTIONS, parser_of
from pipeline.config import AuditConfig, load_config, parse_override
from pipeline.errors import AuditError, ConfigError, OutputError
from pipeline.joints.plan import RunPlan, make_plan, make_tuning_plan, make_validation_plan
from pipeline.store.atomic import make_folder, write_bytes, writing
from pipeline.terminal import (
    comparison_table,
    headline_table,
    open_console,
    policy_line,
    set_aside,
    shown,
    verdict_lines,
)

if TYPE_CHECKING:  # loads the tables' libraries
    from pipeline.joints.steps import Outcome

DONE, POLICY_FAILED, NOT_STARTED, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130
INTERRUPTED_SECONDS = 3.0
"""In which an interrupted run ends, whatever a library is still doing: what is finished is on disk."""
CONFIGS = Path(__file__).parents[1] / "configs"
REFERENCE_CARD = Path(__file__).parent / "phantoms" / "reference_model" / "reference_model.yaml"
PHANTOMS = {"seed": 2026, "count": 96}
"""The built-in study set; the reference model was trained on other seeds."""
INTERRUPTION = {
    "audit": "finished images are kept, the same command goes on from there",
    "score": "finished images are kept, the same command goes on from there",
    "tune": "nothing was written, the same command begins anew",
    "validate": "nothing was finished, the same command begins anew",
    "compare": "nothing was written",
    "review": "nothing was written",
    "report": "the report may be half written, the same command mends it",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code.

    0 done and policy met, 1 done but policy failed, 2 could not start, 3 cannot write on, 130 interrupted.
    """
    options = parser_of().parse_args(arguments)
    errors = open_console(stderr=True)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _ending_in_time(lasting=arguments is None):
            return COMMANDS[options.command](options)
    except OutputError as error:
        errors.print(f"heatproof: {_visible(str(error))}")
        return STOPPED
    except AuditError as error:
        errors.print(f"heatproof: {_visible(str(error))}")
        return NOT_STARTED
    except KeyboardInterrupt:
        errors.print(f"\nheatproof: interrupted; {INTERRUPTION[options.command]}")
        return INTERRUPTED


def _visible(text: str) -> str:
    """Text that does nothing to a terminal: controls are their escapes, for strangers name files."""
    return "".join(
        character.encode("unicode_escape").decode()
        if category(character).startswith("C") and character != "\n"
        else character
        for character in text
    )


def _audit(options: Namespace) -> int:
    console = open_console()
    config = _config(options, console)
    plan = make_plan(config)
    from pipeline.audit import audit  # noqa: PLC0415  # loads torch: seconds that no error above should cost

    with shown(console) as progress:
        outcome = audit(plan, progress=progress)
    return _told(outcome, plan, console)


def _score(options: Namespace) -> int:
    console = open_console()
    config = load_config(options.config, _overrides(options))
    from pipeline.joints.score_plan import make_score_plan  # noqa: PLC0415  # loads pydicom
    from pipeline.score import score  # noqa: PLC0415  # loads the image libraries

    plan = make_score_plan(config)
    if plan.gate_opened:
        console.print("No map has a probability: contours are drawn for every finding (contours.gate: all)")
    with shown(console, verb="Scoring") as progress:
        outcome = score(plan, progress=progress)
    return _told(outcome, plan, console)


def _told(outcome: Outcome, plan: RunPlan, console: Console) -> int:
    """The exit code, with the run's numbers printed."""
    console.print(headline_table(outcome.results.summaries, plan.findings))
    for line in verdict_lines(outcome.index.parent):
        console.print(line)
    audited = len(outcome.results.audited)
    console.print(f"{audited} of {outcome.images} images audited{set_aside(outcome.results.skipped)}")
    for row in outcome.results.policy:
        console.print(policy_line(row))
    if outcome.missed_share > plan.config.policy.max_skipped:
        console.print(
            f"Policy failed: {outcome.missed_share:.0%} of the images could not be audited, "
            f"policy.max_skipped allows {plan.config.policy.max_skipped:.0%}."
        )
    console.print(f"Report: {outcome.index}")
    return DONE if outcome.passed else POLICY_FAILED


def _validate(options: Namespace) -> int:
    console = open_console()
    plan = make_validation_plan(load_config(options.config, _overrides(options)))
    from pipeline.validate import validate  # noqa: PLC0415  # loads the image libraries

    with shown(console, verb="Validating") as progress:
        validation = validate(plan, progress=progress)
    for (level, title), count in validation.counts.items():
        console.print(f"{level:<8}{count:>6,}  {title}")
    levels = ", ".join(f"{n:,} {level}{'' if n == 1 else 's'}" for level, n in validation.levels.items())
    console.print(f"{validation.images:,} images validated: {levels}")
    console.print(f"Page: {validation.index}")
    return DONE if validation.passed else POLICY_FAILED


def _compare(options: Namespace) -> int:
    from pipeline.compare import compare  # noqa: PLC0415  # loads pandas

    found = compare(
        tuple(options.runs),
        methods=tuple(options.methods),
        out=options.out,
        intersect=options.intersect,
    )
    console = open_console()
    console.print(f"A  {found.names[0]}\nB  {found.names[1]}\n{found.images:,} images of both")
    if not found.same_annotations:
        console.print("Take care: the runs were scored against different annotations.")
    console.print(comparison_table(found.rows))
    console.print(f"Page: {found.index}")
    return DONE


def _review(options: Namespace) -> int:
    from pipeline.review.results import review  # noqa: PLC0415  # loads the statistics

    console = open_console()
    result = review(options.run, options.decisions)
    for entry in result.agreements:
        low, high = entry.interval.low, entry.interval.high
        shown = "–" if entry.interval.estimate is None else f"{entry.interval.estimate:.3f}"
        bounds = "" if low is None or high is None else f" [{low:.3f}–{high:.3f}]"
        names = ", ".join(entry.reviewers)
        console.print(f"{entry.measure}  {entry.finding}  {names}  {shown}{bounds} (n {entry.n:,})")
    console.print(
        f"{len(result.reviewed):,} contours and missed lesions decided on, "
        f"{len(result.disputed):,} disputed, {result.wrong.count:,} annotations called wrong"
    )
    console.print(f"Page: {result.page}")
    return DONE


def _report(options: Namespace) -> int:
    from pipeline.reporting import write_report  # noqa: PLC0415  # loads numpy and the templates
    from pipeline.reporting.single_file import write_single_file  # noqa: PLC0415

    console = open_console()
    if options.single_file is None:
        with writing(options.run):
            console.print(f"Report: {write_report(options.run, write=write_bytes)}")
        return DONE
    cases: int | list[str] | None = None
    if options.cases is not None:
        cases = int(options.cases) if options.cases.isdecimal() else options.cases.split(",")
    if options.single_file.is_dir():
        raise ConfigError(f"--single-file: {options.single_file} is a folder; name a file in it")
    make_folder(options.single_file.parent)
    with writing(options.run):
        chosen = write_single_file(options.run, options.single_file, cases=cases, write=write_bytes)
    size = options.single_file.stat().st_size / 1e6
    console.print(f"Report: {options.single_file} ({len(chosen)} cases, {size:.1f} MB)")
    return DONE


def _config(options: Namespace, console: Console) -> AuditConfig:
    """The config of the command line; with no input named at all, that of the built-in phantoms."""
    overrides = _overrides(options)
    if options.config or {"studies", "annotations.path", "model", "weights"} & overrides.keys():
        return load_config(options.config, overrides)
    studies = Path(overrides.get("out", "reports")) / "phantoms"
    config = load_config(
        CONFIGS / "phantom.yaml",
        {"studies": str(studies / "images"), "annotations.path": str(studies), "model": str(REFERENCE_CARD)}
        | overrides,
    )
    _make_phantoms(studies, console)
    return config


def _overrides(options: Namespace) -> dict[str, Any]:
    """Dotted keys that the command line sets; --set goes before the options."""
    given = {key: getattr(options, name, None) for name, (key, _) in OPTIONS.items()}
    given["burned_in_text.mask"] = getattr(options, "mask_burned_in", None)
    return {key: value for key, value in given.items() if value} | dict(map(parse_override, options.set))


def _make_phantoms(folder: Path, console: Console) -> None:
    """Write the built-in study set where it is not there yet."""
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
    options.out = None  # a file here, and no folder of runs
    plan, path = make_tuning_plan(load_config(options.config, _overrides(options)), out)
    from pipeline.joints.tuned import gained  # noqa: PLC0415
    from pipeline.tune import tune  # noqa: PLC0415  # loads torch

    with shown(console, verb="Tuning") as progress:
        tuning = tune(plan, path, progress=progress)
    for entry in tuning.chosen:
        console.print(gained(entry))
    console.print(f"{tuning.images - len(tuning.skipped)} of {tuning.images} images used")
    console.print(f"Config: {tuning.path}")
    return DONE


COMMANDS: Mapping[str, Callable[[Namespace], int]] = {
    "audit": _audit,
    "score": _score,
    "tune": _tune,
    "validate": _validate,
    "compare": _compare,
    "review": _review,
    "report": _report,
}


@contextmanager
def _ending_in_time(*, lasting: bool) -> Iterator[None]:
    """Within: this process is gone a few seconds after a signal, also while a library does not come back.

    Python's own handlers wait for the next line of Python; what they write to is read by a thread. `lasting`:
    the clock of an interrupted run goes on behind the block, for the interpreter takes its time to end, too.
    """
    heard, tell = os.pipe()
    os.set_blocking(tell, False)
    before = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    over = threading.Event()

    def watch() -> None:
        os.read(heard, 1)
        if not over.wait(INTERRUPTED_SECONDS):
            os._exit(INTERRUPTED)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    interrupted = False
    try:
        yield
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        signal.set_wakeup_fd(before)
        if not (interrupted and lasting):
            over.set()
            os.write(tell, b"\0")
            thread.join()
            os.close(tell)
            os.close(heard)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
