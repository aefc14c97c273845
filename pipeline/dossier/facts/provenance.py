"""Questions about the run itself: its identity, time, command, code, operator and hashes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.dossier.answers import Answer, Find, Question, Source, of_manifest
from pipeline.dossier.material import Material
from pipeline.reporting.provenance import host, moment
from pipeline.run_files.outputs import OUTPUTS, PROVENANCE, sentence_about

SHOWN: Mapping[str, Callable[[Any], str]] = {
    "started": moment, "finished": moment, "command": shlex.join, "host": host,
}  # fmt: skip
"""Key of an attempt → its value as text; others are text."""

SIGNATURES = (".minisig", ".asc", ".sig")
"""Ends of the names of signatures of minisign and GnuPG."""


def of_attempts(key: str, text: str) -> Find:
    """Function that answers with a fact of each attempt in provenance.json; older runs have none."""

    def find(material: Material) -> Iterator[Answer]:
        for number, attempt in enumerate(material.attempts):
            if value := attempt[key]:
                shown = SHOWN.get(key, str)(value)
                which = "" if len(material.attempts) == 1 else f" (attempt {number + 1})"
                source = Source(PROVENANCE, fields=(f"attempts.{number}.{key}",))
                yield Answer(f"{text.format(shown)}{which}.", source)

    return find


def _created(material: Material) -> Iterator[Answer]:
    if created := material.manifest.get("created"):
        yield Answer(f"The run was made on {created}.", of_manifest("created"))


def _identity(material: Material) -> Iterator[Answer]:
    manifest = material.manifest
    version = f", Heatproof {manifest['version']}" if manifest.get("version") else ""
    yield Answer(f"Run {manifest['run_id']}{version}.", of_manifest("run_id", "version"))


def _inputs(material: Material) -> Iterator[Answer]:
    studies = material.manifest.get("studies", {})
    if studies.get("sha256"):
        yield Answer(f"SHA-256 of the study set: {studies['sha256']}.", of_manifest("studies.sha256"))
    if sha256 := material.manifest.get("annotations_sha256"):
        yield Answer(f"SHA-256 of the annotations: {sha256}.", of_manifest("annotations_sha256"))


def _outputs(material: Material) -> Iterator[Answer]:
    if (material.run.path / OUTPUTS).exists():
        state = sentence_about(material.changed) or "All tables match their hashes."
        yield Answer(f"{OUTPUTS} has the SHA-256 of every file with results. {state}", Source(OUTPUTS))


def _signature(material: Material) -> Iterator[Answer]:
    """A signature beside the hashes, by the names that minisign and GnuPG give; it is not checked."""
    for suffix in SIGNATURES:
        if (material.run.path / f"{OUTPUTS}{suffix}").exists():
            yield Answer(
                f"{OUTPUTS}{suffix} is to be the signature of these hashes; “heatproof verify” with the "
                "public key checks it, this dossier did not.",
                Source(f"{OUTPUTS}{suffix}"),
            )


def _files(material: Material) -> Iterator[Answer]:
    tables = sorted(path.name for path in material.run.path.glob("*.csv") if path.name != "crosswalk.csv")
    yield Answer(
        f"The report (index.html), one page per image, and the tables {', '.join(tables)}.",
        Source("index.html"),
    )


QUESTIONS = {
    "run.identity": Question("run id and version of Heatproof", _identity),
    "run.created": Question("date of the run", _created),
    "run.started": Question("start of the run (UTC)", of_attempts("started", "Started {}")),
    "run.ended": Question("end of the run (UTC)", of_attempts("finished", "Finished {}")),
    "run.command": Question("command line", of_attempts("command", "Command: {}")),
    "run.commit": Question("git commit", of_attempts("commit", "Commit {}")),
    "run.operator": Question("operator of the run", of_attempts("operator", "Operator: {}")),
    "run.host": Question("kind of host", of_attempts("host", "Host: {}")),
    "run.inputs": Question("hashes of images and annotations", _inputs),
    "run.outputs": Question("hashes of the results", _outputs),
    "run.signature": Question("signature of the results", _signature),
    "run.files": Question("files of the run", _files),
}
