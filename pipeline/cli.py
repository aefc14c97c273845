"""Command line: arguments → config → run → exit code. The only file that prints."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from pipeline import __version__
from pipeline.config import AuditConfig, load_config, parse_override
from pipeline.errors import AuditError, OutputError
from pipeline.joints.plan import make_plan, make_validation_plan
from pipeline.records import Progress, Summary

DONE, POLICY_FAILED, NOT_STARTED, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130
INTERRUPTED_SECONDS = 4.0
"""In which an interrupted run ends, whatever a library is still doing: what is finished is on disk."""
CONFIGS = Path(__file__).parents[1] / "configs"
REFERENCE_CARD = Path(__file__).parent / "phantoms" / "reference_model" / "reference_model.yaml"
PHANTOMS = {"seed": 2026, "count": 96}
"""The built-in study set; the reference model was trained on other seeds."""
OPTIONS = {
    "studies": ("studies", "folder with the DICOM files, of any depth"),
    "annotations": ("annotations.path", "folder or file with the radiologists' annotations"),
    "model": ("model", "model card (YAML)"),
    "weights": ("weights", "weights file, in place of the card's"),
    "out": ("out", "folder for the run's folder (default: reports)"),
}
"""Option → (config key, help)."""
INTERRUPTION = {
    "audit": "finished images are kept, the same command goes on from there",
    "validate": "nothing was finished, the same command begins anew",
    "compare": "nothing was written",
}
PLAIN_LINES = 10
"""How many lines a run prints about its progress where there is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code.

    0 done and policy met, 1 done but policy failed, 2 could not start, 3 cannot write on, 130 interrupted.
    """
    options = _parser().parse_args(arguments)
    errors = _console(stderr=True)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _ending_in_time():
            return COMMANDS[options.command](options)
    except OutputError as error:
        errors.print(f"heatproof: {error}")
        return STOPPED
    except AuditError as error:
        errors.print(f"heatproof: {error}")
        return NOT_STARTED
    except KeyboardInterrupt:
        errors.print(f"\nheatproof: interrupted; {INTERRUPTION[options.command]}")
        return INTERRUPTED


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="heatproof", description="Does a classifier look where the radiologist looks?"
    )
    parser.add_argument("--version", action="version", version=f"heatproof {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    audit = commands.add_parser(
        "audit",
        help="score a model's heatmaps against annotations and write a report",
        description="Audit a study set. Without arguments: the built-in phantoms and reference model.",
    )
    _add_options(audit, OPTIONS)
    audit.add_argument(
        "--mask-burned-in",
        action="store_true",
        help="blank what may be text in a picture before the network and the report see it",
    )
    validate = commands.add_parser(
        "validate",
        help="check the annotations themselves and write a page and a table of problems",
        description="Validate annotations. With --model, names of findings are held against its card's.",
    )
    _add_options(validate, [name for name in OPTIONS if name != "weights"])
    _add_compare(
        commands.add_parser(
            "compare",
            help="compare two finished runs on the same images",
            description="Compare two finished runs: paired differences, the first less the second.",
        )
    )
    return parser


def _add_compare(compare: ArgumentParser) -> None:
    compare.add_argument("runs", type=Path, nargs=2, metavar="RUN", help="folder of a finished run")
    compare.add_argument(
        "--methods",
        nargs=2,
        default=(None, None),
        metavar="METHOD",
        help="what is compared in the first and in the second run (default: the first of the network's)",
    )
    compare.add_argument(
        "--intersect", action="store_true", help="compare the images of both where the runs have others, too"
    )
    compare.add_argument("--out", type=Path, default=Path("reports"), help=OPTIONS["out"][1])


def _add_options(command: ArgumentParser, names: Iterable[str]) -> None:
    for name in names:
        command.add_argument(f"--{name}", help=OPTIONS[name][1])
    command.add_argument("--config", type=Path, help="config (YAML); configs/audit.yaml explains every key")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a config key, for example --set contours.threshold=0.5; may be repeated",
    )


def _audit(options: Namespace) -> int:
    console = _console()
    config = _config(options, console)
    plan = make_plan(config)
    from pipeline.audit import audit  # noqa: PLC0415  # loads torch: seconds that no error above should cost

    with _shown(console) as progress:
        outcome = audit(plan, progress=progress)
    console.print(_table(outcome.results.summaries, plan.card.findings))
    audited = len(outcome.results.audited)
    console.print(
        f"{audited} of {outcome.images} images audited, {len(outcome.results.skipped)} entries in skipped.csv"
    )
    console.print(f"Report: {outcome.index}")
    for row in outcome.results.policy:
        console.print(_policy_line(row))
    if outcome.missed_share > config.policy.max_skipped:
        console.print(
            f"Policy failed: {outcome.missed_share:.0%} of the images could not be audited, "
            f"policy.max_skipped allows {config.policy.max_skipped:.0%}."
        )
    return DONE if outcome.passed else POLICY_FAILED


def _policy_line(row: Mapping[str, Any]) -> str:
    found = "no number" if row["estimate"] is None else f"found {row['estimate']:.3g}"
    return f"Policy {row['outcome']}: {row['finding']}, {row['rule']} {row['limit']:g}, {found}"


def _validate(options: Namespace) -> int:
    console = _console()
    plan = make_validation_plan(load_config(options.config, _overrides(options)))
    from pipeline.validate import validate  # noqa: PLC0415  # loads the image libraries

    with _shown(console, verb="Validating") as progress:
        validation = validate(plan, progress=progress)
    for (level, title), count in validation.counts.items():
        console.print(f"{level:<8}{count:>6,}  {title}")
    levels = ", ".join(f"{n:,} {level}{'' if n == 1 else 's'}" for level, n in validation.levels.items())
    console.print(f"{validation.images:,} images validated: {levels}")
    console.print(f"Page: {validation.index}")
    return DONE if validation.passed else POLICY_FAILED


def _compare(options: Namespace) -> int:
    from pipeline.compare import compare  # noqa: PLC0415  # loads pandas
    from pipeline.metrics.bootstrap import Resampling  # noqa: PLC0415

    found = compare(
        tuple(options.runs),
        methods=tuple(options.methods),
        out=options.out,
        intersect=options.intersect,
        resampling=Resampling(),
    )
    console = _console()
    console.print(f"A  {found.names[0]}\nB  {found.names[1]}\n{found.images:,} images of both")
    if not found.same_annotations:
        console.print("Take care: the runs were scored against different annotations.")
    table = Table("finding", "reader", "metric", "n", "A", "B", "A - B", "p (Holm)", box=None, pad_edge=False)
    for row in found.rows:
        table.add_row(*_compared(row))
    console.print(table)
    console.print(f"Page: {found.index}")
    return DONE


def _compared(row: Mapping[str, Any]) -> Iterator[str]:
    def shown(*names: str) -> list[str]:
        return ["-" if row[name] is None else f"{row[name]:.3f}" for name in names]

    yield from (row["finding"], row["reader"], row["metric"], f"{row['n']:,}")
    yield from shown("first_estimate", "second_estimate")
    apart, low, high = shown("difference", "difference_low", "difference_high")
    yield f"{apart} [{low}, {high}]"
    yield from shown("corrected_p")


def _console(*, stderr: bool = False) -> Console:
    """Text as it is: names of findings and folders may hold brackets and colons."""
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


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
    write_study_set(folder, **PHANTOMS)


COMMANDS: Mapping[str, Callable[[Namespace], int]] = {
    "audit": _audit,
    "validate": _validate,
    "compare": _compare,
}


@contextmanager
def _shown(console: Console, *, verb: str = "Auditing") -> Iterator[Callable[[Progress], None]]:
    """Something that shows how far a run is: a bar in a terminal, else a line now and then."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        TextColumn(verb),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[skipped]} skipped"),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(verb, total=None, rate="", skipped=0)
        start, before = time.monotonic(), None

        def show(progress: Progress) -> None:
            nonlocal before
            before = progress.done if before is None else before
            rate = (progress.done - before) / max(time.monotonic() - start, 1e-9)
            bar.update(
                task,
                completed=progress.done,
                total=progress.total,
                rate=f"{rate:.1f} images/s",
                skipped=progress.skipped,
            )

        yield show


def _lines(console: Console) -> Callable[[Progress], None]:
    start = time.monotonic()
    before: int | None = None
    shown = -1

    def show(progress: Progress) -> None:
        nonlocal before, shown
        before = progress.done if before is None else before
        part = PLAIN_LINES * progress.done // max(progress.total, 1)
        if part > shown:
            shown = part
            rate = (progress.done - before) / max(time.monotonic() - start, 1e-9)
            pace = (
                f", {rate:.1f} images/s, {(progress.total - progress.done) / rate:.0f} s left" if rate else ""
            )
            console.print(f"{progress.done} of {progress.total} images, {progress.skipped} skipped{pace}")

    return show


def _table(summaries: Sequence[Summary], findings: Sequence[str]) -> str:
    """Hit rate and overlap of network and baselines, a row a finding, reader and method; never folded."""
    there = {summary.metric for summary in summaries}
    shown = [metric for metric in ("hit", "iou", "box_hit", "box_iou") if metric in there]
    found: dict[tuple[str, str, str], dict[str, Summary]] = {}
    for summary in summaries:
        if summary.metric in shown and summary.n and summary.finding in findings:
            key = (summary.finding, summary.reader, summary.method)
            found.setdefault(key, {})[summary.metric] = summary
    rows = [("finding", "reader", "method", *shown)]
    rows += [(*key, *(_estimate(of.get(metric)) for metric in shown)) for key, of in found.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _estimate(summary: Summary | None) -> str:
    if summary is None or summary.estimate is None:
        return "–"
    if summary.low is None or summary.high is None:
        return f"{summary.estimate:.3f} (n {summary.n})"
    return f"{summary.estimate:.3f} [{summary.low:.3f}–{summary.high:.3f}] (n {summary.n})"


@contextmanager
def _ending_in_time() -> Iterator[None]:
    """Within: this process is gone a few seconds after a signal, also while a library does not come back.

    Python's own handlers wait for the next line of Python; what they write to is read by a thread.
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
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        os.write(tell, b"\0")
        thread.join()
        os.close(tell)
        os.close(heard)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
