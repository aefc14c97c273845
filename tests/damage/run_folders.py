"""Run folders: finished runs with one file damaged, field by field, or taken from another run."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from pipeline.reporting.run_folder import read_run
from pipeline.reporting.subjects import missed_lesions, results_sha256, subjects
from pipeline.run.output_hashes import hash_outputs, write_output_hashes
from pipeline.run_files.columns import TABLES
from pipeline.run_files.outputs import OUTPUTS
from pipeline.run_files.tables import read_rows
from pipeline.store.tables import write_table
from tests.damage.parquet_tables import OF_TABLES, as_parquet
from tests.damage.parquet_tables import READ as READ_PARQUET
from tests.reporting.run_folder import make_run, provenance

Damage = Callable[[Random, Path], object]
"""Damages a file in place."""
CASES = 6
CASE = "cases/0000c0ffee"
READ = (
    "manifest.json", "provenance.json", "cases.csv", "scores.csv", "predictions.csv", "summary.csv",
    "skipped.csv",
    "verdict.csv", "unmatched.csv", "skill.csv", "policy.csv", "thresholds.csv", "calibration.csv",
    "comparisons.csv", "subgroups.csv", "suspects.csv", "cross.csv", "alignment.csv", "look_alikes.csv",
    "normalisation.csv", "readouts.csv", "attribute_maps.csv", "probes.csv", "causal.csv", "map_tests.csv",
    "lesion_sizes.csv",
    "crosswalk.csv", "review.csv",
    "regions.json", "groups.json", "baselines.npz", "outputs.sha256",
    f"{CASE}/case.json", f"{CASE}/case.js", f"{CASE}/pixels.js", f"{CASE}/thumbnail.jpg",
    f"{CASE}/heatmaps.npz",
)  # fmt: skip
"""Files that compare, report, review or figure read."""
COARSE = ("--dpi", "72", "--methods", "gradcam", "location_prior")
"""Options of a figure that takes little time."""
WORDS = ("many", "nan", "inf", "1e999", "-1", "9" * 400, "0x1f", "²", "../../etc", "\0", "'=1", "a" * 150_000)
VALUES = (None, True, -1, 1e400, 10**300, "x", "\ud800", "../../etc", [], {}, [[]], {"x": 1}, "1")
BOMB_BYTES = 2**29


def make_sound_run(folder: Path) -> Path:
    """A small finished run as its command left it, with every table, one row or more in each."""
    run = make_run(folder, cases=CASES, shape=(24, 32))
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    notice = {"kind": "guess", "about": "annotations.join", "message": "by name", "pin": "join: name"}
    manifest |= {"outputs": OUTPUTS, "annotations_sha256": "ab" * 32, "notices": [notice]}
    for name, content in {"manifest.json": manifest, "provenance.json": provenance(run.name)}.items():
        (run / name).write_text(json.dumps(content), encoding="utf-8")
    cases = [json.loads(path.read_bytes()) for path in sorted(run.glob("cases/*/case.json"))]
    keys = [{name: case[name] for name in ("case_id", "patient_id")} for case in cases]
    rows = [
        {**key, **entry, "label": case["labels"][entry["finding"]]}
        for key, case in zip(keys, cases, strict=True)
        for entry in case["predictions"]
    ]
    write_table(run, "predictions.csv", rows)
    images = [
        {"pseudonym": k["case_id"], "kind": "image", "sop_instance_uid": f"1.{k['case_id']}", "frame": 0}
        for k in keys
    ]
    write_table(run, "crosswalk.csv", images)
    groups = {"site": {key["case_id"]: f"site {n % 2}" for n, key in enumerate(keys)}}
    (run / "groups.json").write_text(json.dumps(groups), encoding="utf-8")
    of = {
        "finding": "benign",
        "reader": "Reader A",
        "method": "gradcam",
        "metric": "hit",
        "n": 4,
        "patients": 3,
    }
    numbers = {"estimate": 0.5, "low": 0.25, "high": 0.75}
    gap = {"difference": 0.25, "difference_low": 0.1, "difference_high": 0.4, "p": 0.01, "corrected_p": 0.02}
    policy = {"rule": "min_hit_rate", "limit": 0.5, "outcome": "warn"}
    write_table(run, "policy.csv", [{**of, **numbers, **policy}])
    write_table(
        run,
        "skill.csv",
        [{**of, **numbers, "measure": "skill", "prior": "center_prior", "ceiling": "perfect"}],
    )
    write_table(run, "thresholds.csv", [{**of, **numbers, "level": level / 20} for level in (5, 10)])
    bins = {"lowest": 0.1, "highest": 0.3, "predicted": 0.2, "observed": 0.25, "low": 0.1, "high": 0.5}
    write_table(run, "calibration.csv", [{**of, **bins}])
    pair = {"first": "gradcam", "second": "center_prior", "first_estimate": 0.5, "second_estimate": 0.25}
    write_table(run, "comparisons.csv", [{**of, **pair, **gap, "standing": "better"}])
    parts = [{"attribute": "sex", "group": group, "too_few": 0, "differs": 0} for group in "FM"]
    write_table(run, "subgroups.csv", [{**of, **numbers, **gap, **part} for part in parts])
    found = {"rule": "order", "suspect": "labels", "strength": "weak", "sentence": "It may."}
    write_table(run, "suspects.csv", [{**of, **numbers, **found}])
    test = {"finding": "(all)", "test": "randomisation", "measure": "hit", "undefined": 0, "better": "higher"}
    versions = (("", ""), ("random_weights", ""), ("random_weights_1", ""), ("", "random_weights"))
    write_table(
        run,
        "map_tests.csv",
        [{**of, **numbers, **test, "variant": a, "compared_with": b} for a, b in versions],
    )
    write_table(run, "cross.csv", [{**of, **numbers, **gap, "output": "malignant", "measure": "auroc"}])
    layer = {
        "variant": "",
        "layer": "norm0",
        "n": 6,
        "channels": 8,
        "distance": 0.1,
        "factor": 1.2,
        "far": 0.0,
        "is_trained": 1,
    }
    write_table(run, "normalisation.csv", [layer])
    probed = {"probe": "lesion", "variant": "inpaint", "measure": "log_odds", "answer": "used"}
    write_table(run, "probes.csv", [{**of, **numbers, **probed}])
    parts = [{"references": name, "better": "higher"} for name in ("all", "used", "not_used")]
    reasons = {"references": "not_judged", "better": "higher", "reasons": "not_probed=4"}
    write_table(run, "causal.csv", [{**of, **numbers, **part} for part in (*parts, reasons)])
    write_table(run, "look_alikes.csv", [{"group": 1, **key} for key in keys[:2]])
    told = {"kind": "finding", "name": "benign", "n": 4, "patients": 3, "positives": 2, "output": 0.75}
    write_table(run, "readouts.csv", [{**told, **gap, "auroc": 0.8, "low": 0.6, "high": 0.9}])
    alike = {"kind": "attribute", "name": "view", "group": "AP"}
    write_table(run, "attribute_maps.csv", [{**of, **numbers, **alike}])
    moved = {"transform": "mirrored", "rank": 0.7, "hits": 0.5}
    write_table(run, "alignment.csv", [{**of, **gap, **moved}])
    write_table(run, "lesion_sizes.csv", [{**of, **numbers, **third} for third in _thirds()])
    write_output_hashes(run, hash_outputs(run))
    return run


def make_reviewed_run(folder: Path) -> Path:
    """The sound run, with the table of a review on which two reviewers differ."""
    run = make_sound_run(folder)
    write_table(run, "review.csv", _reviewed(next(read_rows(run / "cases.csv"))))
    return run


def _thirds() -> Iterator[dict[str, object]]:
    """Lesion sizes of small, medium and large masks."""
    sizes = {"kind": "mask", "unit": "mm2", "smallest": 10.0, "largest": 90.0, "too_few": 0}
    for third in ("small", "medium", "large"):
        yield {**sizes, "third": third}


def _reviewed(case: Mapping[str, str]) -> Iterator[dict[str, object]]:
    """Rows of review.csv: two reviewers differ on one contour."""
    key = {name: case[name] for name in ("case_id", "patient_id")}
    asked = {"kind": "contour", "finding": "benign", "by": "gradcam", "number": 1, "standing": "disputed"}
    for name, answer in (("Ann", "agree"), ("Bob", "unsure")):
        yield {**key, **asked, "reviewer": name, "answer": answer, "seconds": 3.5}


def write_decisions(run: Path, path: Path, *, reviewer: str = "Ann") -> Path:
    """Decisions of one reviewer on everything that the run's pages ask about."""
    folder = read_run(run)
    missed = missed_lesions(folder)
    content = {
        "format": "heatproof-decisions-1",
        "run_id": folder.manifest["run_id"],
        "results_sha256": results_sha256(run),
        "reviewer": reviewer,
        "exported": "2026-11-22",
        "decisions": [
            {"case_id": case_id, **subject._asdict(), "answer": "annotation_wrong", "decided": "2026"}
            for case_id in folder.case_ids
            for subject in subjects(folder.case(case_id), folder.findings, folder.network, missed)
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def cut(random: Random, path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: random.randrange(len(data))])


def cut_at_the_end(random: Random, path: Path) -> None:
    path.write_bytes(path.read_bytes()[: -random.randrange(1, 9)])


def flipped(random: Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(random.choice((1, 4, 32))):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


def other_encoding(random: Random, path: Path) -> None:
    text = path.read_bytes().decode("latin-1")
    path.write_bytes(text.encode(random.choice(("utf-16", "utf-32", "utf-7", "cp037")), "replace"))


def taken_from_elsewhere(random: Random, path: Path) -> None:
    """The content of another file of the run."""
    run = next(parent for parent in path.parents if (parent / "manifest.json").exists())
    shutil.copy(run / random.choice([name for name in READ if run / name != path]), path)


def a_folder(_: Random, path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(_: Random, path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_link(random: Random, path: Path) -> None:
    path.unlink()
    path.symlink_to(random.choice(("/dev/zero", "/etc/passwd", "lost", path.name)))


def noise(random: Random, path: Path) -> None:
    path.write_bytes(random.choice((b"\0", random.randbytes(400), b"[" * 200_000, b'"' * 99, b"\xff\xd8")))


OF_FILES: dict[str, Damage] = {
    "deleted": lambda _, path: path.unlink(),
    "emptied": lambda _, path: path.write_bytes(b""),
    "sparse": lambda _, path: os.truncate(path, 2**40),
    **{
        damage.__name__: damage
        for damage in (cut, cut_at_the_end, flipped, other_encoding, taken_from_elsewhere, a_folder, a_pipe,
                       a_link, noise)
    },
}  # fmt: skip


def _edited(path: Path, edit: Callable[[list[list[str]]], None]) -> None:
    """Change the rows of a table, its header first."""
    rows = list(
        csv.reader(path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True))
    )
    edit(rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape")


def _of_column(column: str, change: Callable[[Random, list[list[str]], int], None]) -> Damage:
    def damage(random: Random, path: Path) -> None:
        _edited(path, lambda rows: change(random, rows, rows[0].index(column)))

    return damage


def _removed(_: Random, rows: list[list[str]], index: int) -> None:
    for row in rows:
        del row[index]


def _renamed(_: Random, rows: list[list[str]], index: int) -> None:
    rows[0][index] += "s"


def _twice(_: Random, rows: list[list[str]], index: int) -> None:
    for row in rows:
        row.append(row[index])


def _blank(_: Random, rows: list[list[str]], index: int) -> None:
    for row in rows[1:]:
        row[index] = ""


def _other_words(random: Random, rows: list[list[str]], index: int) -> None:
    word = random.choice(WORDS)
    for row in random.choice((rows[1:], rows[-1:], rows[1:2])):
        row[index] = word


def _short(_: Random, rows: list[list[str]], index: int) -> None:
    rows[-1] = rows[-1][:index]


def _long(_: Random, rows: list[list[str]], index: int) -> None:
    rows[1].append(rows[0][index])


def _repeated(_: Random, rows: list[list[str]], index: int) -> None:
    rows.append(rows[max(1, index % len(rows))])


OF_COLUMNS = (_removed, _renamed, _twice, _blank, _other_words, _other_words, _short, _long, _repeated)


def _keys(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all keys, of a list only those of its first item."""
    inner = content.items() if isinstance(content, dict) else enumerate(content[:1])
    for key, value in inner:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _keys(value, (*path, key))


def _of_key(path: tuple[str | int, ...], *, retyped: bool) -> Damage:
    def damage(random: Random, file: Path) -> None:
        content = json.loads(file.read_bytes())
        *above, last = path
        place = content
        for key in above:
            place = place[key]
        if retyped:
            place[last] = random.choice(VALUES)
        else:
            del place[last]
        file.write_text(json.dumps(content), encoding="utf-8")

    return damage


def _arrays(**arrays: Any) -> Damage:
    return lambda _, path: np.savez(path, **arrays)


def _zip_bomb(_: Random, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as part:
        part.write(b"\x93NUMPY\1\0")
        for _step in range(BOMB_BYTES >> 24):
            part.write(bytes(2**24))


def _large_shape(_: Random, path: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (4000, 4000)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("gradcam/benign.npy", header.getvalue() + bytes(8))


OF_ARRAYS: Mapping[str, Damage] = {
    "pickle": _arrays(a=np.array([{"a": 1}], object)),
    "not finite": _arrays(a=np.full((3, 3), np.nan, np.float32)),
    "words": _arrays(a=np.array([["a"]])),
    "flat": _arrays(a=np.zeros(9, np.float32)),
    "without cells": _arrays(a=np.zeros((0, 3), np.float32)),
    "bomb": _zip_bomb,
    "large shape": _large_shape,
    "other name": lambda _, path: zipfile.ZipFile(path, "w").writestr("../../a.txt", b"a"),
}


def kinds(run: Path) -> dict[str, tuple[str, Damage]]:
    """Name of each kind → the file that it damages, and how; those of columns and keys are of this run."""
    found: dict[str, tuple[str, Damage]] = {}
    for name in READ:
        short = name.rpartition("/")[2]
        found |= {f"{short}: {kind}": (name, damage) for kind, damage in OF_FILES.items()}
        if short in TABLES:
            with (run / name).open(encoding="utf-8", newline="") as file:
                header = next(csv.reader(file))
            for column in header:
                for number, change in enumerate(OF_COLUMNS):
                    kind = f"{short}: {column}{change.__name__} {number}"
                    found[kind] = (name, _of_column(column, change))
        if short.endswith(".json"):
            for path in _keys(json.loads((run / name).read_bytes())):
                for how, retyped in (("missing", False), ("of another type", True), ("retyped", True)):
                    found[f"{short}: {'.'.join(map(str, path))} {how}"] = (
                        name,
                        _of_key(path, retyped=retyped),
                    )
    for name in ("baselines.npz", f"{CASE}/heatmaps.npz"):
        short = name.rpartition("/")[2]
        found |= {f"{short}: {kind}": (name, damage) for kind, damage in OF_ARRAYS.items()}
    of_parquet = {kind: damage for kind, damage in (OF_FILES | OF_TABLES).items() if kind != "deleted"}
    for name in READ_PARQUET:  # one that is deleted is a CSV that is
        found |= {f"{name}: {kind}": (name, _of_parquet(damage)) for kind, damage in of_parquet.items()}
    return found


def _of_parquet(damage: Damage) -> Damage:
    """Damage to a table that a run of very many images has as Parquet."""

    def damaged(random: Random, path: Path) -> None:
        as_parquet(path)
        damage(random, path)

    return damaged


def write_damaged_runs(
    sound: Path, folder: Path, *, count: int, seed: int, first: int = 0
) -> Iterator[tuple[str, Path]]:
    """Kind and folder of each damaged copy of a run; the same arguments give the same bytes.

    Kinds come in an order of their own, so that any `count` neighbours are of many files.
    """
    known = kinds(sound)
    names = sorted(known, key=lambda name: Random(f"order {name}").random())
    for number, kind in enumerate(islice(cycle(names), first % len(names), None), start=first):
        if number == first + count:
            return
        run = shutil.copytree(sound, folder / f"{number:06}")
        name, damage = known[kind]
        damage(Random(f"{seed} {number} {kind}"), run / name)
        yield kind, run


def words_of(run: Path, other: Path, decisions: Path, command: str) -> list[str]:
    """The words of a command on a damaged run; `other` is a sound one."""
    return {
        "compare": ["compare", str(run), str(other), "--out", str(run.parent / "out")],
        "compared": ["compare", str(other), str(run), "--out", str(run.parent / "out")],
        "report": ["report", str(run)],
        "single": ["report", str(run), "--single-file", str(run.parent / "one.html")],
        "review": ["review", str(run), str(decisions)],
        "figure": ["figure", str(run), CASE.rpartition("/")[2], "--out", str(run.parent / "a.png"), *COARSE],
        "dossier": ["dossier", str(run), "--out", str(run.parent / "dossier")],
    }[command]


COMMANDS = ("compare", "compared", "report", "single", "review", "figure", "dossier")
