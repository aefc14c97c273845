"""Provenance: who ran an audit, when, with which command, code and machine, for the end of the overview."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.reporting.run_folder import RunFolder
from pipeline.run_files.objects import read_object
from pipeline.run_files.outputs import PROVENANCE
from pipeline.run_files.shapes import Provenance

TIMES = {1: "once", 2: "twice"}
SHOWN = 20
"""Most attempts that the page lists one by one, the last ones."""


def provenance(run: RunFolder) -> list[tuple[str, str]]:
    """Facts about the run's attempts; empty for runs of older versions, which recorded none."""
    path = run.path / PROVENANCE
    if not path.exists():
        return []
    content = read_object(path, Provenance)
    attempts = content["attempts"]
    return list(_facts(attempts, is_lost=content["is_lost"])) if attempts else []


def _facts(attempts: Sequence[Mapping[str, Any]], *, is_lost: bool) -> Iterator[tuple[str, str]]:
    first, last = attempts[0], attempts[-1]
    yield "Started", moment(first["started"])
    yield "Results written", moment(last["finished"])
    yield "Attempts", _attempts(attempts, is_lost=is_lost)
    if last["clock"] != "system":
        yield "Clock", f"set by {last['clock']}, not the time of the run"
    yield "Operator", last["operator"] or "not stated"
    yield "Command", shlex.join(last["command"]) or "none: started from Python"
    yield "Heatproof", version(last)
    yield "Python", ", ".join([last["python"], *(f"{name} {of}" for name, of in last["packages"].items())])
    yield "Host", host(last["host"])
    if len(attempts) > 1:
        start = max(0, len(attempts) - SHOWN)
        for number, attempt in enumerate(attempts[start:], start=start + 1):
            yield f"Attempt {number}", _attempt(attempt)


def _attempts(attempts: Sequence[Mapping[str, Any]], *, is_lost: bool) -> str:
    again = len(attempts) - 1
    often = f"resumed or repeated {TIMES.get(again, f'{again} times')}" if again else "not resumed"
    lost = "; records of earlier attempts were damaged and are lost" if is_lost else ""
    return f"{len(attempts)}, {often}{lost}"


def _attempt(attempt: Mapping[str, Any]) -> str:
    """One attempt in a line: times, operator, version and host."""
    ended = f"to {moment(attempt['finished'])}" if attempt["finished"] else "not finished"
    operator = f"; {attempt['operator']}" if attempt["operator"] else ""
    code = f"Heatproof {version(attempt)}; {host(attempt['host'])}"
    return f"{moment(attempt['started'])} {ended}{operator}; {code}"


def moment(text: str | None) -> str:
    """A stored moment as readers write it, such as 2026-11-30 19:55:01 UTC; None: not finished."""
    return "not finished" if text is None else text.replace("T", " ").replace("Z", " UTC")


def version(attempt: Mapping[str, Any]) -> str:
    """Heatproof's version, with the commit if it ran from a checkout."""
    if attempt["commit"] is None:
        return f"{attempt['version']} (installed; no commit known)"
    changed = ", with changes that are not committed" if attempt["is_changed"] else ""
    return f"{attempt['version']}, commit {attempt['commit']}{changed}"


def host(facts: Mapping[str, Any]) -> str:
    """The kind of machine in a line."""
    cores, usable = facts["cores"], facts["usable_cores"]
    memory, threads = facts["memory_gib"], facts.get("threads")
    parts = [
        facts["system"],
        " ".join(part for part in (facts["processor"], facts["machine"]) if part),
        f"{cores} cores" + (f", of which {usable} may be used" if usable != cores else "") if cores else "",
        f"{memory:g} GiB memory" if memory else "",
        facts.get("accelerator") or "no GPU used",
        f"{threads} {'thread' if threads == 1 else 'threads'} of torch" if threads else "",
    ]
    return "; ".join(part for part in parts if part)
