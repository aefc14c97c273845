"""Run folders: every command on a run ends with a result, or names the damaged file and a remedy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import pytest

from pipeline.cli.main import main
from tests.damage.parquet_tables import OF_TABLES, as_parquet
from tests.damage.parquet_tables import READ as PARQUET
from tests.damage.run_folders import (
    COMMANDS,
    OF_FILES,
    make_reviewed_run,
    words_of,
    write_damaged_runs,
    write_decisions,
)

COUNT = 25
ELSEWHERE = ("use --intersect", "no image in common", "decisions on another version", "to be reviewed",
             "is not a method of the run")  # fmt: skip
"""Messages on a file that is sound by itself, but not of the other run or of the decisions."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_reviewed_run(tmp_path_factory.mktemp("sound") / "run")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["statistics"]["replicates"] = 20
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def decisions(sound: Path) -> Path:
    return write_decisions(sound, sound.parent / "decisions.json")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_sound_run(
    sound: Path, decisions: Path, tmp_path: Path, command: str
) -> None:
    other = shutil.copytree(sound, tmp_path / "other")  # compare refuses a run with itself
    assert main(words_of(sound, other, decisions, command)) == 0


@pytest.fixture(scope="module")
def large(sound: Path) -> Path:
    """The sound run with the tables that one of very many images has as Parquet."""
    run = shutil.copytree(sound, sound.parent / "large")
    for name in PARQUET:
        as_parquet(run / name)
    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_run_whose_tables_are_parquet(
    sound: Path, large: Path, tmp_path: Path, command: str
) -> None:
    run = shutil.copytree(large, tmp_path / "run")
    decisions = write_decisions(run, tmp_path / "decisions.json")
    assert main(words_of(run, sound, decisions, command)) == 0


@pytest.mark.parametrize(
    ("name", "command"),
    [("scores.parquet", "compare"), ("unmatched.parquet", "report"), ("predictions.parquet", "dossier")],
)
@pytest.mark.parametrize("kind", ["cut", "noise", "not text", "no finding", "removed 0", "other_type 0"])
def test_a_damaged_parquet_table_is_named_with_a_remedy(
    sound: Path, large: Path, decisions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str,
    name: str, command: str,
) -> None:  # fmt: skip
    run = shutil.copytree(large, tmp_path / "run")
    (OF_FILES | OF_TABLES)[kind](Random(kind), run / name)
    assert main(words_of(run, sound, decisions, command)) == 2
    said = "".join(capsys.readouterr().err.split("\n"))
    assert name in said
    assert "; rerun to regenerate it" in said


@pytest.mark.parametrize("command", ["compared", "single", "review", "figure", "dossier"])
def test_a_damaged_run_ends_with_a_result_or_the_file_and_a_remedy(
    sound: Path, decisions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    codes = set()
    first = COUNT * COMMANDS.index(command)
    for kind, run in write_damaged_runs(sound, tmp_path, count=COUNT, seed=5, first=first):
        code = main(words_of(run, sound, decisions, command))
        said = "".join(capsys.readouterr().err.split("\n"))
        codes.add(code)
        assert code in {0, 2, 3}, kind
        if code and not any(words in said for words in ELSEWHERE):
            assert kind.partition(":")[0] in said, kind
            assert "; " in said, kind
    assert codes >= {0, 2}
