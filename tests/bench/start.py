"""Start: how soon a user sees that an audit began, beside what importing torch alone takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from tests.bench.promises import Promises
from tests.bench.study import ANNOTATIONS, write_densenet121, write_uncompressed_study
from tests.bench.timing import interleaved

FIRST_LINE, IMPORT = "first line of heatproof audit", "import torch"
LIMIT_FIRST_LINE = 1.0
"""Promised ratio: the first line / importing torch alone, which takes longer than a user waits in doubt."""
ROUNDS = 3


def start(folder: Path, promises: Promises) -> Table:
    """Seconds to the first line of an audit, and of importing torch, by turns."""
    write_uncompressed_study(folder, images=1)
    audit = ["audit", "--studies", folder / "images", "--annotations", folder / ANNOTATIONS]
    audit += ["--model", write_densenet121(folder), "--out", folder / "runs"]
    seconds = interleaved((lambda: _first_line(list(map(str, audit))), _import_torch), rounds=ROUNDS)
    table = Table("what", "seconds", "ratio", "promised", box=None, pad_edge=False)
    table.title = "What a user waits for first"
    promised = promises.at_most(FIRST_LINE, seconds[0] / seconds[1], LIMIT_FIRST_LINE)
    table.add_row(FIRST_LINE, f"{seconds[0]:.2f}", f"{seconds[0] / seconds[1]:.2f} × {IMPORT}", promised)
    table.add_row(IMPORT, f"{seconds[1]:.2f}", "", "")
    return table


def _first_line(arguments: Sequence[str]) -> None:
    """Return as soon as the program says that workers start, and end it."""
    program = [sys.executable, "-P", "-c", "from pipeline.cli.main import main; main()"]
    command = [*program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
        assert said.startswith("Starting worker processes"), said


def _import_torch() -> None:
    subprocess.run([sys.executable, "-P", "-c", "import torch"], check=True)
