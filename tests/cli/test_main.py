"""Command line: exit codes and messages; whole runs are in test_audit."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from pipeline import __version__
from pipeline.cli import arguments, main, progress, terminal
from pipeline.cli.outcome import NO_LIMITS
from pipeline.errors import CaseBug, CheckError
from pipeline.plan import AuditPlan
from pipeline.records import Progress, Skipped, Summary
from pipeline.run.outcome import Outcome
from pipeline.run.steps import STARTING
from pipeline.run.tables import Results

CARD = main.CONFIGS / "models" / "pneumonia_densenet121.yaml"
NEEDS = ["--studies", "images", "--annotations", "notes", "--model", str(CARD), "--weights", "w.pt"]

COMPLAINTS = {
    "no-studies": (["--model", str(CARD)], "studies: is missing; give --studies <folder>"),
    "lost-studies": (["--studies", "lost"], "studies: lost does not exist"),
    "no-annotations": (["--annotations", "lost"], "annotations.path: lost does not exist"),
    "no-model": (NEEDS[:4], "model: is missing; give --model <model card>"),
    "lost-model": ([*NEEDS[:4], "--model", "lost.yaml"], "model: lost.yaml does not exist"),
    "no-model-card": (
        [*NEEDS[:4], "--model", "wrong.yaml"],
        "wrong.yaml: tilte: unknown key; choose one of: ",
    ),
    "lost-weights": ([*NEEDS, "--weights", "lost.pt"], "weights: lost.pt does not exist"),
    "lost-config": (["--config", "lost.yaml"], "lost.yaml: cannot be read (No such file or directory)"),
    "wrong-key-in-file": (
        ["--config", "wrong.yaml"],
        "wrong.yaml: tilte: unknown key; did you mean 'title'?",
    ),
    "wrong-key": (
        [*NEEDS, "--set", "contours.ruel=otsu"],
        "contours.ruel: unknown key; did you mean 'rule'?",
    ),
    "no-value": ([*NEEDS, "--set", "contours.rule"], "--set contours.rule: found no key=value"),
    "unknown-method": (
        [*NEEDS, "--set", "methods=[gradcma@last]"],
        "unknown attribution method 'gradcma'; did you mean 'gradcam'?",
    ),
    "unknown-rule": (
        [*NEEDS, "--set", "contours.rule=otzu"],
        "unknown threshold rule 'otzu'; did you mean 'otsu'?",
    ),
    "wrong-threshold": (
        [*NEEDS, "--set", "contours.threshold=60"],
        "contours.threshold: found 60; rule 'fraction' takes",
    ),
    "prior-of-nothing": (
        [*NEEDS, "--set", "baselines.location_prior.where={split: train}"],
        "baselines.location_prior: needs select",
    ),
    "unknown-finding": (  # this check is the last one, so all others also run without torch
        [*NEEDS, "--set", "contours.rule=otsu", "--set", "annotations.findings={Mass: nodule}"],
        "annotations.findings: nodule: not a finding of the model pneumonia_densenet121, which has pneumonia",
    ),
}
"""Name → arguments of `heatproof audit`, and part of its error message."""

ASK = """
import contextlib, io, json, sys
from pipeline.cli.main import main
answers = []
for arguments in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = end.code
    answers.append([code, said.getvalue(), sorted({"torch", "monai", "pydicom"} & set(sys.modules))])
json.dump(answers, sys.stdout)
"""


def ask(lines: Sequence[Sequence[str]], folder: Path) -> list[tuple[int, str, list[str]]]:
    """Exit code, output and heavy modules loaded so far, for each of several command lines in one process."""
    ended = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(lines),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(main.CONFIGS.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [(code, said, heavy) for code, said, heavy in json.loads(ended.stdout)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the inputs that `NEEDS` names; they are empty."""
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("images", "notes"):
        (folder / name).mkdir()
    (folder / "wrong.yaml").write_text("tilte: x\n")
    (folder / "w.pt").touch()
    return folder


@pytest.fixture(scope="module")
def answers(folder: Path) -> dict[str, tuple[int, str, list[str]]]:
    lines = [["audit", *arguments] for arguments, _ in COMPLAINTS.values()]
    return dict(zip(COMPLAINTS, ask(lines, folder), strict=True))


@pytest.fixture
def audit(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Runs `heatproof audit` with a replacement for the audit; returns exit code, stdout and stderr.

    The first line, which comes before the audit is loaded, is left out.
    """
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(folder)

    def run(instead: Callable[..., Outcome], *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("pipeline.audit.audit", instead)
        monkeypatch.setattr("pipeline.cli.outcome.verdict_lines", lambda run: [f"what {run} says first"])
        code = main.main(["audit", *NEEDS, *arguments])
        out, err = capsys.readouterr()
        first, _, rest = out.partition("\n")
        assert first == f"{STARTING} …"
        return code, rest, err

    yield run
    signal.signal(signal.SIGTERM, before)


def summary(finding: str, method: str, metric: str, **facts: Any) -> Summary:
    given: dict[str, Any] = {"n": 8, "estimate": 0.25, "low": 0.125, "high": 0.5, **facts}
    return Summary(finding, "a reader", method, metric, undefined={}, patients=8, **given)


POLICY = {"finding": "nodule", "rule": "min_hit_rate", "limit": 0.5, "estimate": 0.25, "outcome": "fail"}
UNKNOWN = {"rule": "min_iou", "estimate": None, "outcome": "unknown", "because": "too_few"}


def outcome(*summaries: Summary, passed: bool = True) -> Outcome:
    policy = () if passed else (POLICY, POLICY | UNKNOWN)
    results = Results(("case-1",), (Skipped("case-2", "load", "no", "No."),), summaries, policy, ())
    return Outcome(
        Path("out/[run]/index.html"), results, images=2, missed_share=0.0 if passed else 0.5, passed=passed
    )


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"heatproof {__version__}\n"


def test_help_names_every_option_and_loads_nothing_heavy(folder: Path) -> None:
    general, of_audit, version, nothing = ask([["--help"], ["audit", "--help"], ["--version"], []], folder)
    assert [answer[0] for answer in (general, of_audit, version, nothing)] == [0, 0, 0, 2]
    assert "audit" in general[1]
    assert all(f"--{name}" in of_audit[1] for name in ({*arguments.OPTIONS, "config", "set"} - {"heatmaps"}))
    assert nothing[2] == []


@pytest.mark.parametrize("name", COMPLAINTS)
def test_what_cannot_start_says_why_with_code_2(
    answers: dict[str, tuple[int, str, list[str]]], name: str
) -> None:
    code, said, _ = answers[name]
    assert code == 2
    assert said.startswith("heatproof: ")
    assert COMPLAINTS[name][1] in said


def test_no_complaint_loads_anything_heavy(answers: dict[str, tuple[int, str, list[str]]]) -> None:
    assert [name for name, (_, _, heavy) in answers.items() if heavy] == []


def test_a_complaint_writes_nothing(answers: dict[str, tuple[int, str, list[str]]], folder: Path) -> None:
    assert len(answers) == len(COMPLAINTS)
    assert {path.name for path in folder.rglob("*")} == {"images", "notes", "w.pt", "wrong.yaml"}


def test_a_run_ends_with_its_table_and_the_place_of_the_report(audit: Any) -> None:
    found = outcome(summary("pneumonia", "gradcam", "iou"))
    code, out, err = audit(lambda _plan, **_: found)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "finding    reader    method   iou",
        "pneumonia  a reader  gradcam  0.250 [0.125 to 0.500] (n 8)",
        "what out/[run] says first",
        "1 of 2 images audited; 1 image skipped, see skipped.csv",
        NO_LIMITS,
        "Report: out/[run]/index.html",
    ]


def test_a_failed_policy_ends_with_code_1_and_says_so(audit: Any) -> None:
    limits = ("--set", "policy.max_skipped=0.2", "--set", "policy.min_iou=0.5")
    code, out, _ = audit(lambda _plan, **_: outcome(passed=False), *limits)
    assert code == 1
    assert out.splitlines()[-4:-1] == [
        "Policy fail: nodule, min_hit_rate 0.5, found 0.25",
        "Policy unknown: nodule, min_iou 0.5, too few patients for an interval",
        "Policy failed: 50% of the images could not be audited; policy.max_skipped allows 20%.",
    ]


def test_suspicion_that_is_allowed_is_told_where_a_config_states_some(audit: Any) -> None:
    stated = ("--set", "policy.max_suspicion={network: weak}")
    _, out, _ = audit(lambda _plan, **_: outcome(), *stated)
    allowed = "card weak, masks weak, network weak, weights weak"
    assert f"allowed: {allowed} (max_suspicion, with the built-in values)" in out
    _, out, _ = audit(lambda _plan, **_: outcome())
    assert "max_suspicion" not in out


@pytest.mark.parametrize(("kind", "servers"), [("pool", 1), ("ray", 0)])
def test_workers_start_beside_the_imports_where_this_machine_has_some(
    audit: Any, monkeypatch: pytest.MonkeyPatch, kind: str, servers: int
) -> None:
    started: list[Sequence[str]] = []
    monkeypatch.setattr(main, "start_fork_server", started.append)
    code, _, _ = audit(lambda _plan, **_: outcome(), "--set", f"executor.kind={kind}")
    assert (code, len(started)) == (0, servers)


def test_steps_before_the_first_image_are_lines(audit: Any) -> None:
    def instead(_plan: AuditPlan, *, tell: Callable[[str], None], **_: object) -> Outcome:
        tell("Loading the model a\x1b[2J")
        return outcome()

    _, out, _ = audit(instead)
    assert out.splitlines()[0] == "Loading the model a\\x1b[2J …"


def test_a_failed_self_check_ends_with_code_2(audit: Any) -> None:
    def instead(_plan: AuditPlan, **_: object) -> Outcome:
        raise CheckError("the map [lights] elsewhere")

    assert audit(instead) == (2, "", "heatproof: the map [lights] elsewhere\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_with_code_130_and_says_how_to_go_on(audit: Any, number: int) -> None:
    def instead(_plan: AuditPlan, **_: object) -> Outcome:
        os.kill(os.getpid(), number)
        return outcome()

    code, out, err = audit(instead)
    assert (code, out) == (130, "")
    assert "finished images are kept; rerun the same command to resume" in err


def test_too_little_memory_is_no_bug(audit: Any) -> None:
    def instead(_plan: AuditPlan, **_: object) -> Outcome:
        raise MemoryError

    assert audit(instead) == (3, "", f"heatproof: {main.NO_MEMORY}\n")


def test_a_reader_of_the_output_that_has_gone_is_no_broken_policy(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from pipeline.cli import main\n"
        "os.dup2(int(sys.argv[1]), 1)\n"
        "main.COMMANDS = {'report': lambda _: main.open_console().print('Report')}\n"
        "sys.exit(main.main(['report', sys.argv[2]]))\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-c", script, str(writer), str(tmp_path)],
        pass_fds=[writer],
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == "heatproof: the program that read this output has ended; let it read to the end\n"


def test_a_bug_keeps_its_traceback(audit: Any) -> None:
    def instead(_plan: AuditPlan, **_: object) -> Outcome:
        raise ZeroDivisionError

    code, _, said = audit(instead)
    assert code == main.BUG
    assert "ZeroDivisionError" in said


def test_without_a_terminal_progress_is_a_line_for_every_tenth(audit: Any) -> None:
    def instead(_plan: AuditPlan, *, progress: Callable[[Progress], None], **_: object) -> Outcome:
        for done in range(201):
            progress(Progress(done, 200, skipped=done // 100))
        return outcome()

    _, out, _ = audit(instead)
    lines = [line.partition(" skipped")[0] + " skipped" for line in out.splitlines() if " skipped" in line]
    assert lines[:11] == [f"{20 * n} of 200 images, {n // 5} skipped" for n in range(11)]


def test_a_run_that_goes_on_starts_where_it_was(audit: Any) -> None:
    def instead(_plan: AuditPlan, *, progress: Callable[[Progress], None], **_: object) -> Outcome:
        for done in (7, 8, 9):
            progress(Progress(done, 9, skipped=0))
        return outcome()

    _, out, _ = audit(instead)
    assert [line.partition(" images")[0] for line in out.splitlines()[:3]] == ["7 of 9", "8 of 9", "9 of 9"]


def test_what_starting_takes_is_not_in_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first batch of 8 of a resumed run is finished at 100 s, the others 4 s apart; three give a pace."""
    now = iter([100.0, 108.0, 112.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    console = Console(file=StringIO(), width=100)
    with progress.progress_display(console, batch=8) as show:
        for done in (8, 16, 24, 32, 40):
            show(Progress(done, 80, skipped=0))
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "8 of 80 images, 0 skipped",
        "16 of 80 images, 0 skipped",
        "24 of 80 images, 0 skipped",
        "32 of 80 images, 0 skipped, 2.0 images/s, 24 s left",
        "40 of 80 images, 0 skipped, 2.0 images/s, 20 s left",
    ]


def test_images_that_finish_together_have_no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 100.00001, 102.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    console = Console(file=StringIO(), width=100)
    with progress.progress_display(console) as show:
        for done in (0, 1, 2, 3, 5):
            show(Progress(done, 9, skipped=0))
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "0 of 9 images, 0 skipped",
        "1 of 9 images, 0 skipped",
        "2 of 9 images, 0 skipped",
        "3 of 9 images, 0 skipped",
        "5 of 9 images, 0 skipped, 2.0 images/s, 2 s left",
    ]


def test_what_has_no_images_has_no_line() -> None:
    console = Console(file=StringIO(), width=100)
    with progress.progress_display(console) as show:
        show(Progress(0, 0, skipped=0, doing="Probing"))
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]


def test_in_a_terminal_progress_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter((100.0, 104.0))
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(now)))
    console = Console(file=StringIO(), force_terminal=True, width=100)
    with progress.progress_display(console) as show:
        for done in (1, 2, 3, 4):
            show(Progress(done, 20, skipped=2))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(part in shown for part in ("Auditing", "4/20", "images/s, 32 s left", "2 skipped"))


def test_the_table_has_a_row_a_finding_reader_and_method() -> None:
    summaries = [
        summary("nodule [new]", "gradcam", "hit"),
        summary("nodule [new]", "gradcam", "iou", low=None, high=None),
        summary("nodule [new]", "center_prior", "iou"),
        summary("effusion", "gradcam", "iou", n=0, estimate=None),
        summary("all findings", "gradcam", "iou"),
        summary("nodule [new]", "gradcam", "dice"),
    ]
    table = terminal.headline_table(summaries, ["nodule [new]", "effusion"])
    assert table.splitlines() == [
        "finding       reader    method        hit                           iou",
        "nodule [new]  a reader  gradcam       0.250 [0.125 to 0.500] (n 8)  0.250 (n 8)",
        "nodule [new]  a reader  center_prior  –                             0.250 [0.125 to 0.500] (n 8)",
    ]


def test_an_option_is_a_config_key_and_set_beats_it() -> None:
    options = arguments.parser_of().parse_args(
        ["audit", "--studies", "a", "--out", "b", "--set", "studies=c", "--set", "contours.threshold=0.25"]
    )
    config = main._config(options, Console())
    assert (config.studies.path, config.out, config.contours.threshold) == (Path("c"), Path("b"), 0.25)


def test_without_any_input_the_phantoms_are_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    monkeypatch.setattr(main, "_make_phantoms", lambda folder, _console: made.append(folder))
    options = arguments.parser_of().parse_args(
        ["audit", "--out", "elsewhere", "--set", "statistics.replicates=10"]
    )
    config = main._config(options, Console())
    assert made == [Path("elsewhere/phantoms")]
    assert (config.studies.path, config.annotations.path) == (made[0] / "images", made[0])
    assert (config.model, config.statistics.replicates) == (main.REFERENCE_CARD, 10)


def test_phantoms_are_made_once(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    main._make_phantoms(tmp_path, Console(file=StringIO()))
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]


@pytest.mark.parametrize("error", [KeyError("Doe"), CaseBug("KeyError in pipeline/a.py:1"), AttributeError()])
def test_what_nobody_foresaw_ends_with_its_own_code(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_options: object) -> int:
        raise error

    monkeypatch.setattr(main, "COMMANDS", {"audit": broken})
    assert main.main(["audit"]) == os.EX_SOFTWARE == 70
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert (
        f"heatproof: a bug of Heatproof ({'KeyError' if 'KeyError' in repr(error) else 'AttributeError'} in"
        in (" ".join(said.split()))
    )
    assert ".github/CONTRIBUTING.md" in said


def test_pipes_sockets_and_devices_are_refused_at_once(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    lines = [
        line
        for path in (str(tmp_path / kind) for kind in ("pipe", "device", "socket"))
        for line in (
            ["audit", "--config", path],
            ["audit", *NEEDS[:4], "--model", path],
            ["audit", *NEEDS, "--weights", path],
            ["audit", "--studies", "images", "--annotations", path, *NEEDS[4:]],
            ["audit", "--studies", path, *NEEDS[2:]],
            ["card", "new", path, "--out", str(tmp_path / "card.yaml")],
            ["card", "check", path],
            ["card", "check", str(CARD), "--image", path, "--weights", path],
        )
    ]
    for line, (code, said, _) in zip(lines, ask(lines, folder), strict=True):
        assert code == 2, line
        assert "regular file" in said or "is not a file" in said, line
