"""Map tests: the numbers of the tests of the maps of one image, one file per image."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.records import MapTestValue
from pipeline.run_files.objects import map_tested_case
from pipeline.store.atomic import write_bytes, writing

FOLDER = "map_tests"


def write_map_tests(run: Path, case_id: str, values: Sequence[MapTestValue]) -> None:
    """Write all numbers of one image."""
    rows = [{key: value for key, value in asdict(row).items() if key != "case_id"} for row in values]
    content = json.dumps({"case_id": case_id, "values": rows}, ensure_ascii=False, allow_nan=False)
    write_bytes(map_tests_file(run, case_id), content.encode())


def remove_other_map_tests(run: Path, case_ids: Iterable[str]) -> None:
    """Remove the numbers of images whose maps are not, or no longer, tested."""
    known = {map_tests_file(run, case_id) for case_id in case_ids}
    with writing(run):
        for path in (run / FOLDER).glob("*.json"):
            if path not in known:
                path.unlink()


def is_map_tested(run: Path, case_id: str) -> bool:
    """Whether the image's numbers are on disk, whole."""
    content = map_tested_case(map_tests_file(run, case_id))
    return content is not None and content["case_id"] == case_id


def read_map_tests(run: Path, case_ids: Sequence[str]) -> Iterator[MapTestValue]:
    """The numbers of those images whose maps were tested, in the order of the images."""
    for case_id in case_ids:
        content = map_tested_case(map_tests_file(run, case_id))
        if content is not None and content["case_id"] == case_id:
            yield from (MapTestValue(case_id, **row) for row in content["values"])


def map_tests_file(run: Path, case_id: str) -> Path:
    """The file of an image's numbers."""
    return run / FOLDER / f"{case_id}.json"
