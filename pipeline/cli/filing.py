"""Filing: `heatproof verify` and `heatproof sign`."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.cli.terminal import aligned, open_console, visible
from pipeline.errors import ConfigError
from pipeline.reporting.words import plural
from pipeline.store.atomic import writing

if TYPE_CHECKING:
    from pipeline.filing.signatures import SignatureCheck
    from pipeline.filing.verification import State, Verification

DONE, FAILED = 0, 1
SHOWN = 200
"""Most files of a table in the terminal."""
STATES: Mapping[State, str] = {
    "changed": "not as the run wrote it",
    "missing": "the run wrote it, and it is not here",
    "added": "no command of Heatproof wrote it",
    "unreadable": "a link, or not to be read",
}
"""State → what it means."""


def add_filing(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add both commands with their options."""
    checking = commands.add_parser(
        "verify",
        help="compare the files of a run with the hashes that it wrote, and check its signature",
        description="Compare every file of a run folder with the hashes that the run wrote: changed, missing "
        "and added files are named, with exit code 1. A single-file report is compared with the hash in its "
        "last line.",
    )
    checking.add_argument(
        "path", type=Path, metavar="RUN", help="folder of a finished run, or a single-file report"
    )
    checking.add_argument(
        "--public-key", type=Path, metavar="FILE", help="also check the signature: public key of minisign"
    )
    signing = commands.add_parser(
        "sign",
        help="sign a finished run, or a file, with your own key",
        description="Sign the hashes of a finished run, or a file such as a PDF, with a key of minisign. The "
        "signature is written beside what it signs.",
    )
    signing.add_argument(
        "path", type=Path, metavar="RUN", help="folder of a finished run, or a file to sign alone"
    )
    signing.add_argument("--key", type=Path, required=True, metavar="FILE", help="secret key of minisign")


def verify(options: Namespace) -> int:
    """Run `heatproof verify`, and return its exit code."""
    console = open_console()
    if options.path.is_dir():
        return _verify_run(options.path, options.public_key, console)
    from pipeline.filing.one_file import is_as_written  # noqa: PLC0415

    found = is_as_written(options.path)
    if found is None and options.public_key is None:
        raise ConfigError(
            f"{options.path}: has no seal, and nothing but its signature can be checked; give --public-key"
        )
    if found is not None:
        console.print(
            visible(
                f"{options.path} is {'' if found else 'not '}as Heatproof wrote it (SHA-256 in its last line)"
            )
        )
    is_signed = _signatures_are_good([options.path], options.public_key, console)
    return DONE if found is not False and is_signed else FAILED


def sign(options: Namespace) -> int:
    """Run `heatproof sign`, and return its exit code."""
    from pipeline.filing.signatures import sign as sign_file  # noqa: PLC0415

    console, path = open_console(), options.path
    files, note = [path], ""
    if path.is_dir():
        from pipeline.filing.verification import SIGNED, verify_run  # noqa: PLC0415  # loads numpy

        found = verify_run(path)
        if not found.passed:
            _print(found, console)
            console.print("Nothing was signed, because the folder is not as Heatproof wrote it.")
            return FAILED
        files, note = (
            [path / name for name in SIGNED if (path / name).is_file()],
            f"run:{path.resolve().name}",
        )
    else:
        _refuse_part_of_run(path)
    passwords: list[str] = []

    def password() -> str:
        if not passwords:
            passwords.append(_asked())
        return passwords[0]

    for file in files:
        with writing(file):
            console.print(visible(f"Signature: {sign_file(file, options.key, password=password, note=note)}"))
    return DONE


def _refuse_part_of_run(path: Path) -> None:
    """Refuse to sign one file of a run alone: its signature would be a file that the run did not write."""
    from pipeline.filing.verification import SIGNED  # noqa: PLC0415
    from pipeline.run_files.within_run import run_around  # noqa: PLC0415

    run = run_around(path.parent)
    if run is not None and not (path.name in SIGNED and path.resolve().parent == run):
        raise ConfigError(
            f"{path}: lies in the folder of a finished run, whose files are signed together; sign the run: "
            f"heatproof sign {path.parent if path.resolve().parent == run else run} --key …"
        )


def _asked() -> str:
    """The password, typed unseen, or the first line of the standard input where nobody can type."""
    if sys.stdin.isatty():
        return getpass.getpass("Password of the key: ")
    return sys.stdin.readline().rstrip("\r\n")


def _verify_run(run: Path, key: Path | None, console: Console) -> int:
    from pipeline.filing.verification import verify_run  # noqa: PLC0415  # loads numpy
    from pipeline.run_files.outputs import LATER, OUTPUTS  # noqa: PLC0415

    found = verify_run(run)
    _print(found, console)
    needed = [run / OUTPUTS] + ([run / LATER] if found.counts["later"] else [])
    is_signed = _signatures_are_good(needed, key, console)
    return DONE if found.passed and is_signed else FAILED


def _print(found: Verification, console: Console) -> None:
    # A name with the end of a line in it could say anything on a line of its own.
    rows = [(file.state, file.name.replace("\n", "\\n"), STATES[file.state]) for file in found.faults]
    if rows:
        console.print(visible(aligned([("state", "file", "what it means"), *rows[:SHOWN]])))
        if len(rows) > SHOWN:
            console.print(f"and {plural(len(rows) - SHOWN, 'further file')}")
    for line in _summary(found):
        console.print(visible(line))


def _summary(found: Verification) -> Iterator[str]:
    counts = found.counts
    total = len(found.files)
    faults = ", ".join(f"{counts[state]:,} {state}" for state in STATES if counts[state])
    sound = f"{counts['as_written']:,} of {plural(total, 'file')} as the run wrote them"
    yield f"{sound}; {faults}" if faults else sound
    for by in sorted({file.by for file in found.files if file.state == "later"}):
        names = [file.name for file in found.files if file.by == by]
        few = f": {', '.join(names)}" if len(names) <= 5 else ""  # noqa: PLR2004
        yield f"{plural(len(names), 'file')} written later by {by}{few}"
    if counts["uncovered"]:
        yield f"{plural(counts['uncovered'], 'page')} without a hash, because the run is of an older version"
    yield f"crosswalk.csv {found.crosswalk}"
    yield f"SHA-256 of outputs.sha256: {found.sha256}"


def _signatures_are_good(files: list[Path], key: Path | None, console: Console) -> bool:
    """Whether all files are signed by the key; True without a key, when nothing can be said of signatures."""
    from pipeline.filing.signatures import check_signature, signature_of  # noqa: PLC0415

    if key is None:
        for file in files:
            if signature_of(file).exists():
                console.print(visible(f"{signature_of(file).name} was not checked; give --public-key"))
        return True
    checks: list[SignatureCheck] = [check_signature(file, key) for file in files]
    for check in checks:
        console.print(
            visible(f"Signature {'good' if check.is_good else 'BAD'}: {check.path.name} {check.text}")
        )
    return all(check.is_good for check in checks)
