"""Crosswalk: the only table that links pseudonyms to input files and names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pipeline.cohort.index import Cohort
from pipeline.cohort.pseudonyms import Pseudonyms
from pipeline.ground_truth.matching import Truth
from pipeline.records import Case
from pipeline.run_files.outputs import CROSSWALK
from pipeline.store.cases import hash_files
from pipeline.store.tables import read_table, write_table

SEAL = "crosswalk_hmac_sha256"
"""Key of the manifest."""


def write_crosswalk(
    run: Path,
    cohort: Cohort,
    truth: Truth,
    *,
    audited: Sequence[Case],
    words: Mapping[str, str] = MappingProxyType({}),
    heatmaps: Mapping[str, str] = MappingProxyType({}),
    names: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Write crosswalk.csv; returns one hash over the hashes of all `audited` inputs.

    The hashes are read from files in the case folders, which are then deleted, or from the crosswalk of an
    interrupted run. `words` (pseudonym → unknown finding name), `heatmaps` (pseudonym → file name of an
    external map) and `names` (pseudonym → name of the input in a notice) become rows too.
    """
    hashes = {row["pseudonym"]: row["sha256"] for row in read_table(run, CROSSWALK)}
    files = dict(hash_files(run, (case.case_id for case in audited)))
    hashes |= {case_id: path.read_text() for case_id, path in files.items()}
    by_kind = {
        "file": {**cohort.skipped_files, **truth.unread_files},
        "device": cohort.devices,
        "finding": {**truth.unknown_words, **words},
        "annotation": truth.skipped_images,
        "heatmap": heatmaps,
        "name": names,
    }
    write_table(run, CROSSWALK, [*_images(cohort, hashes), *_names(by_kind)])
    for path in files.values():
        path.unlink()
    known = sorted(hashes[case.case_id] for case in audited if hashes.get(case.case_id))
    return hashlib.sha256("".join(known).encode()).hexdigest()


def crosswalk_seal(run: Path, pseudonyms: Pseudonyms) -> dict[str, str]:
    """The manifest's entry about crosswalk.csv: its keyed hash, which tells nothing without the key."""
    path = run / CROSSWALK
    return {SEAL: pseudonyms.seal(CROSSWALK, path.read_bytes())} if path.is_file() else {}


def _images(cohort: Cohort, hashes: Mapping[str, str]) -> Iterator[dict[str, object]]:
    for case in cohort.cases:
        yield {
            "pseudonym": case.case_id,
            "kind": "image",
            "sop_instance_uid": case.source.sop_instance_uid,
            "frame": case.source.frame,
            "file": case.source.relative_path,
            "sha256": hashes.get(case.case_id, ""),
        }


def _names(names: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, object]]:
    for kind, texts in names.items():
        for pseudonym, text in texts.items():
            yield {"pseudonym": pseudonym, "kind": kind, "file": text}
