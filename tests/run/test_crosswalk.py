"""Crosswalk: the way back from every pseudonym, for the owner alone, and the hash over all inputs."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.cohort.index import Cohort
from pipeline.ground_truth.matching import Truth
from pipeline.records import Case
from pipeline.run.crosswalk import write_crosswalk
from pipeline.store.cases import write_case
from pipeline.store.tables import read_table
from tests.cohort.cases import case
from tests.store.finished import finished_case

CASES = (case("a", uid="1.2.3", frame=4), case("b", uid="1.2.4"), case("c"))
TRUTH = Truth({}, {}, (), {"annotation-1": "image77"}, "mask", "anna", "", {"finding-1": "Verschattung"})


def write(run: Path, audited: Sequence[Case], **changes: Any) -> str:
    cohort = Cohort(3, CASES, (), {"file-1": "folder/notes.txt"}, {"model-1": "Dr. Who's unit"})
    return write_crosswalk(run, replace(cohort, chosen=tuple(audited)), TRUTH, audited=audited, **changes)


def finish(run: Path, hashes: Mapping[int, str]) -> None:
    for place, sha256 in hashes.items():
        write_case(run, finished_case(case_id=CASES[place].case_id, sha256=sha256))


def rows(run: Path, kind: str) -> list[tuple[str, ...]]:
    """Pseudonym, UID, frame, file and hash of each row of a kind."""
    keys = ("pseudonym", "sop_instance_uid", "frame", "file", "sha256")
    return [
        tuple(row[key] for key in keys) for row in read_table(run, "crosswalk.csv") if row["kind"] == kind
    ]


def over(*hashes: str) -> str:
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def test_every_image_of_the_study_set_is_named_and_the_audited_ones_by_their_hash(tmp_path: Path) -> None:
    finish(tmp_path, {0: "ff", 1: "aa"})
    write(tmp_path, CASES[:2])
    assert rows(tmp_path, "image") == [
        ("case-a-4", "1.2.3", "4", "folder/a.dcm", "ff"),
        ("case-b-0", "1.2.4", "0", "folder/b.dcm", "aa"),
        ("case-c-0", "", "0", "folder/c.dcm", ""),
    ]


def test_files_devices_words_annotations_and_maps_are_named_by_their_pseudonyms(tmp_path: Path) -> None:
    write(
        tmp_path,
        (),
        words={"finding-2": "Rundherd"},
        heatmaps={"heatmap-1": "image9"},
        names={"name-1": "a.csv"},
    )
    named = {kind: [(row[0], row[3]) for row in rows(tmp_path, kind)] for kind in
             ("file", "device", "finding", "annotation", "heatmap", "name")}  # fmt: skip
    assert named == {
        "file": [("file-1", "folder/notes.txt")],
        "device": [("model-1", "Dr. Who's unit")],
        "finding": [("finding-1", "Verschattung"), ("finding-2", "Rundherd")],
        "annotation": [("annotation-1", "image77")],
        "heatmap": [("heatmap-1", "image9")],
        "name": [("name-1", "a.csv")],
    }


def test_the_crosswalk_is_its_owners_alone(tmp_path: Path) -> None:
    write(tmp_path, ())
    assert stat.S_IMODE((tmp_path / "crosswalk.csv").stat().st_mode) == 0o600


def test_hashes_beside_the_cases_go_when_the_crosswalk_has_them(tmp_path: Path) -> None:
    finish(tmp_path, {0: "ff", 1: "aa"})
    assert len(list(tmp_path.glob("cases/*/.sha256"))) == 2
    write(tmp_path, CASES[:2])
    assert not list(tmp_path.glob("cases/*/.sha256"))


def test_the_hash_over_all_inputs_does_not_know_their_order(tmp_path: Path) -> None:
    finish(tmp_path, {0: "ff", 1: "aa"})
    assert write(tmp_path, CASES[:2]) == over("aa", "ff")
    assert write(tmp_path, CASES[1::-1]) == over("aa", "ff")


def test_an_audited_image_without_a_hash_has_no_part_in_it(tmp_path: Path) -> None:
    finish(tmp_path, {0: "ff"})  # the second was skipped
    assert write(tmp_path, CASES[:2]) == over("ff")


def test_hashes_of_earlier_tries_are_taken_from_the_crosswalk(tmp_path: Path) -> None:
    finish(tmp_path, {0: "ff", 1: "aa"})
    write(tmp_path, CASES[:2])
    finish(tmp_path, {1: "bb"})  # done again
    assert write(tmp_path, CASES[:2]) == over("bb", "ff")
    assert [row[-1] for row in rows(tmp_path, "image")] == ["ff", "bb", ""]


def test_an_image_that_is_no_longer_audited_has_no_part_in_the_hash(tmp_path: Path) -> None:
    finish(tmp_path, {0: "ff", 1: "aa"})
    write(tmp_path, CASES[:2])
    assert write(tmp_path, CASES[:1]) == over("ff")
