"""Whole mutation runs on a project of one module: kills, survivors and exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.mutation.__main__ import main
from tests.mutation.killing import TIME_OUT, NotTestedError, Tree, copied
from tests.mutation.mutants import mutants_of

MODULE = """def is_enough(count):
    return count >= 3


def halved(count):
    while count > 2:
        count -= 1
    return count
"""
ENOUGH = "def test_three_are_enough():\n    assert is_enough(3) and not is_enough(2)\n"
HALVED = "def test_it_ends():\n    assert halved(5) == 2\n"
START = "from pipeline.run.tiny import halved, is_enough\n\n\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of one module whose tests kill every mutant."""
    root = tmp_path / "tree"
    for folder in ("pipeline/run", "tests/run"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\n')
    for name in ("pipeline/__init__.py", "pipeline/run/__init__.py"):
        (root / name).touch()
    (root / "pipeline" / "run" / "tiny.py").write_text(MODULE)
    (root / "tests" / "run" / "test_tiny.py").write_text(START + ENOUGH + "\n\n" + HALVED)
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def run(tree: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = main(["--root", str(tree), "--count", "99"])
    return code, capsys.readouterr().out.splitlines()


def test_if_every_mutant_is_killed_the_exit_code_is_0_and_the_project_unchanged(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.mutation.killing.SHORTEST_SECONDS", 6.0)
    before = contents(tree)
    code, lines = run(tree, capsys)
    assert code == 0
    assert contents(tree) == before
    assert [line.split()[0] for line in lines[:-1]] == [f"run/tiny:{line}" for line in (2, 2, 6, 6, 7, 7)]
    assert "tests/run/test_tiny.py::test_three_are_enough" in lines[0]
    assert lines[4].endswith(TIME_OUT)  # += instead of -=
    assert "6 killed, 0 survived, 0 equivalent; 100.0% killed" in lines[-1]


def test_a_survivor_is_listed_and_the_exit_code_is_1(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "pipeline" / "run" / "tiny.py").write_text(MODULE[: MODULE.index("\n\n\n")] + "\n")
    test = "from pipeline.run.tiny import is_enough\n\n\ndef test_four_are():\n    assert is_enough(4)\n"
    (tree / "tests" / "run" / "test_tiny.py").write_text(test)
    code, lines = run(tree, capsys)
    assert code == 1
    assert [line.split()[-1] for line in lines[:-1]] == ["SURVIVED", "SURVIVED"]
    assert "0 killed, 2 survived" in lines[-1]


def test_an_equivalent_mutant_is_listed_and_not_counted(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "pipeline" / "run" / "tiny.py").write_text(MODULE[: MODULE.index("\n\n\n")] + "\n")
    test = "from pipeline.run.tiny import is_enough\n\n\ndef test_three_are():\n    assert is_enough(3)\n"
    (tree / "tests" / "run" / "test_tiny.py").write_text(test)
    known = {"run/tiny": {"return count >= 3": {">= → >": "listed although a test would kill it"}}}
    monkeypatch.setattr("tests.mutation.equivalent.EQUIVALENT", known)
    code, lines = run(tree, capsys)
    assert lines[0].endswith("equivalent: listed although a test would kill it")
    assert lines[1].endswith("tests/run/test_tiny.py::test_three_are")
    assert "1 killed, 0 survived, 1 equivalent; 100.0% killed" in lines[-1]
    assert code == 0


def test_a_test_of_the_room_kills_a_mutant_that_the_modules_own_tests_miss(tree: Path) -> None:
    (tree / "tests" / "run" / "test_tiny.py").write_text(START + HALVED)
    (tree / "tests" / "run" / "test_other.py").write_text(START + ENOUGH)
    mutant = mutants_of(MODULE)[0]
    killer = Tree(tree).killer("run/tiny", mutant, seconds=60)
    assert killer == "tests/run/test_other.py::test_three_are_enough"
    assert (tree / "pipeline" / "run" / "tiny.py").read_text() == MODULE


def test_a_mutant_that_cannot_be_imported_is_killed(tree: Path) -> None:
    path = tree / "pipeline" / "run" / "tiny.py"
    path.write_text(MODULE + "assert 1 < 2\n")
    mutant = next(one for one in mutants_of(path.read_text()) if one.line == 9 and one.before == "1")
    assert Tree(tree).killer("run/tiny", mutant, seconds=60) == "tests/run/test_tiny.py"


def test_bytecode_of_one_mutant_is_not_loaded_for_the_next(tree: Path) -> None:
    """Python recognises bytecode by the time, in seconds, and the size of the source."""
    found = Tree(tree)
    assert found.seconds(["run"]) >= 60
    larger, smaller = (one for one in mutants_of(MODULE) if one.before in {"3", "2"} and one.line in {2, 6})
    assert found.killer("run/tiny", larger, seconds=60) == "tests/run/test_tiny.py::test_three_are_enough"
    assert found.killer("run/tiny", smaller, seconds=60) == "tests/run/test_tiny.py::test_it_ends"
    assert found.failure(["tests/run"], seconds=60) is None


def test_tests_that_fail_without_a_mutant_are_refused(tree: Path) -> None:
    (tree / "tests" / "run" / "test_tiny.py").write_text("def test_a():\n    assert False\n")
    with pytest.raises(NotTestedError, match="test_a fails without a mutant"):
        Tree(tree).seconds(["run"])


def test_a_module_without_tests_is_refused(tree: Path) -> None:
    (tree / "tests" / "run" / "test_tiny.py").write_text("")
    with pytest.raises(NotTestedError, match="ended with 5"):
        Tree(tree).killer("run/tiny", mutants_of(MODULE)[0], seconds=60)


def test_the_tests_of_a_copy_import_the_copy(tree: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    (tree / "tests" / "run" / "test_tiny.py").write_text(
        "from pathlib import Path\n\nimport pipeline.run.tiny\n\n\n"
        f"def test_it_is():\n    assert Path(pipeline.run.tiny.__file__).is_relative_to({str(target)!r})\n"
    )
    assert sys.executable
    assert copied(tree, target).failure(["tests/run"], seconds=60) is None


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (
            ["--module", "run/tyny"],
            "--module: found no 'run/tyny' in {root}/pipeline; did you mean 'run/tiny'?",
        ),
        (["--module", "zzz"], "--module: found no 'zzz' in {root}/pipeline; choose one of: run/tiny"),
        (["--root", "{root}/none"], "--root: found no module below {root}/none/pipeline; give the folder of"),
    ],
)
def test_a_module_or_a_project_that_is_not_there_is_named(
    tree: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], complaint: str
) -> None:
    given = [argument.format(root=tree) for argument in wrong]
    with pytest.raises(SystemExit) as ended:
        main(["--root", str(tree), *given])
    assert ended.value.code == 2
    assert complaint.format(root=tree) in capsys.readouterr().err
