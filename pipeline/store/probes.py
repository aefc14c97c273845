"""Probes: the outputs of a network for changed versions of one image, one file per image."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.records import ProbedOutput
from pipeline.run_files.objects import probed_case
from pipeline.store.atomic import write_bytes, writing

FOLDER = "probes"


def write_probed(run: Path, case_id: str, outputs: Sequence[ProbedOutput]) -> None:
    """Write all outputs of the versions of one image."""
    rows = [{key: value for key, value in asdict(row).items() if key != "case_id"} for row in outputs]
    content = json.dumps({"case_id": case_id, "outputs": rows}, ensure_ascii=False, allow_nan=False)
    write_bytes(probed_file(run, case_id), content.encode())


def remove_other_probed(run: Path, case_ids: Iterable[str]) -> None:
    """Remove the outputs of images that are not, or no longer, probed."""
    known = {probed_file(run, case_id) for case_id in case_ids}
    with writing(run):
        for path in (run / FOLDER).glob("*.json"):
            if path not in known:
                path.unlink()


def is_probed(run: Path, case_id: str) -> bool:
    """Whether the image's outputs are on disk, whole."""
    content = probed_case(probed_file(run, case_id))
    return content is not None and content["case_id"] == case_id


def read_probed(run: Path, case_ids: Sequence[str]) -> Iterator[ProbedOutput]:
    """The outputs of those images that were probed, in the order of the images."""
    for case_id in case_ids:
        content = probed_case(probed_file(run, case_id))
        if content is not None and content["case_id"] == case_id:
            yield from (ProbedOutput(case_id, **row) for row in content["outputs"])


def probed_file(run: Path, case_id: str) -> Path:
    """The file of an image's outputs."""
    return run / FOLDER / f"{case_id}.json"
