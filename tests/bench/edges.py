"""Edges: inputs at the edge of what is read, in three sizes each, with time, memory and growth.

`python -m tests.bench.edges [--edge NAME …]` exits with 1 if the time of an edge grows faster than its size,
or if time or memory exceed what is stated for the largest size.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pydicom import dcmread

from pipeline.annotations.labels import read_labels
from pipeline.cases.readers import MOST_READERS, NEIGHBOURS, score_readers
from pipeline.cohort.index import index_studies
from pipeline.contracts import Scored
from pipeline.errors import CaseError
from pipeline.executors.here import Here
from pipeline.ground_truth.references import read_case_references
from pipeline.loaders import decode
from pipeline.metrics.lesions import candidates
from pipeline.metrics.scoring import scores_of
from pipeline.records import AnnotationItem, Box, Drawing, Reference, Region
from tests.cohort.cases import pseudonym
from tests.study import picture, square, write_image

STEEPEST = 1.3
"""Exponent of growth up to which time counts as linear: three times of a machine that others use, too."""
SHORTEST = 0.5
"""Seconds below which the growth of time is noise."""
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Edge:
    """One kind of input, and what it may cost."""

    prepare: Callable[[Path, int], Callable[[], int]]
    """prepare(folder, size): the work that is measured; it returns a count of what was read or scored."""
    sizes: tuple[int, int, int]
    quick: int
    """A size that takes well below a second."""
    seconds: float
    """For the largest size."""
    mebibytes: int
    """For the largest size, above the memory of a process that has done nothing."""


def readers(_folder: Path, count: int) -> Callable[[], int]:
    """Rows of readers against each other, with a mask of 1,000 × 1,000 pixels each."""
    shape = (1000, 1000)
    masks = [square(shape, 200 + 3 * (number % 90), 250, 500) for number in range(count)]
    references = [
        Reference("case", "nodule", f"reader{number}", "mask", masks=(mask,))
        for number, mask in enumerate(masks)
    ]
    return lambda: len(score_readers(references, shape=shape, metrics=("iou", "dice", "lesion_iou", "hit")))


def private_tags(folder: Path, count: int) -> Callable[[], int]:
    """Images decoded of one DICOM file with so many private elements."""
    path = write_image(folder, 1, picture(1))
    data = dcmread(path)
    for block in range(-(-count // 240)):
        group = 0x0011 + 2 * block
        data.add_new((group, 0x0010), "LO", "EDGE")
        for element in range(min(240, count - 240 * block)):
            data.add_new((group, 0x1000 + element), "LO", "text")
    data.save_as(path)
    return lambda: _decoded(folder)


def files(folder: Path, count: int) -> Callable[[], int]:
    """Images found among so many files, of which one in 500 is an image."""
    for number in range(count):
        (folder / f"note{number}.txt").write_text("no image")
    for number in range(1, count // 500 + 1):
        write_image(folder, number, picture(number % 20))
    return lambda: len(index_studies(folder, executor=Here(), pseudonym=pseudonym).cases)


def frames(folder: Path, count: int) -> Callable[[], int]:
    """Frames decoded of one file."""
    shape = (64, 64)
    path = write_image(folder, 1, picture(1, (count * shape[0], shape[1])))
    data = dcmread(path)
    data.Rows, data.NumberOfFrames = shape[0], count
    data.save_as(path)
    return lambda: _decoded(folder)


def boxes(_folder: Path, count: int) -> Callable[[], int]:
    """Rows of one image with so many boxes of one reader, scored against a drawing of 20 regions."""
    shape = (500, 500)
    found = tuple(Box(number % 490, number // 490, 8, 8) for number in range(count))
    item = AnnotationItem("boxes", "image", "nodule", "anna", payload={"boxes": found})
    regions = tuple(
        Region("case", "nodule", "m", "", 0.5, (20 * n, 10), np.ones((15, 15), np.bool_), (), 1.0)
        for n in range(20)
    )
    drawing = Drawing(regions, np.ones(shape, np.bool_), (9, 9))

    def score() -> int:
        read = read_case_references(
            [item], {}, case_id="case", shape=shape, findings=("nodule",), negative=("labels", "box")
        )
        scored = Scored(drawing, read.references[0])
        candidates(scored, method="m", scores=[1.0] * len(regions))
        return len(scores_of(scored, method="m", metrics=("box_iou", "box_hit")))

    return score


def columns(folder: Path, count: int) -> Callable[[], int]:
    """Images whose labels are read from a table with so many columns."""
    names = [f"Word {number}" for number in range(count - 1)]
    rows = [f"image{number}," + ",".join(["0"] * len(names)) for number in range(100)]
    (folder / "labels.csv").write_text("\n".join([",".join(["file", *names]), *rows]) + "\n")
    wanted = {"nodule": [names[-1]]}
    return lambda: len(read_labels(folder / "labels.csv", image="file", columns=wanted))


def pixels(folder: Path, side: int) -> Callable[[], int]:
    """Images decoded, or refused with a reason, of one with so many pixels on each side."""
    write_image(folder, 1, np.zeros((side, side), np.uint8))
    return lambda: _decoded(folder)


def _decoded(folder: Path) -> int:
    cohort = index_studies(folder, executor=Here(), pseudonym=pseudonym)
    told = len(cohort.skipped)
    for case in cohort.cases:
        try:
            decode(case.source, case_id=case.case_id, window="full")
        except CaseError as error:
            if error.reason != "too_large":
                raise
        told += 1
    return told


def reader_rows(count: int) -> int:
    """The rows that `readers` gives."""
    partners = count - 1 if count <= MOST_READERS else 2 * NEIGHBOURS
    return 4 * count * partners


EDGES: Mapping[str, Edge] = MappingProxyType(
    {
        "readers of one image": Edge(readers, (100, 200, 400), 5, 120, 1200),
        "private elements of a file": Edge(private_tags, (20_000, 40_000, 80_000), 300, 60, 400),
        "files, one in 500 an image": Edge(files, (2_000, 4_000, 8_000), 1_000, 60, 300),
        "frames of a file": Edge(frames, (100, 200, 400), 5, 60, 300),
        "boxes on an image": Edge(boxes, (2_500, 5_000, 10_000), 50, 30, 300),
        "columns of a table": Edge(columns, (2_500, 5_000, 9_999), 100, 30, 300),
        "pixels on a side": Edge(pixels, (2_000, 4_000, 8_000), 200, 60, 1500),
    }
)
"""Name → edge."""
QUADRATIC = frozenset({"pixels on a side"})
"""Edges whose size is a length, and whose time may grow with the area."""


def measured(edge: Edge, size: int) -> tuple[float, float]:
    """Seconds and peak MiB of one size, in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def measure() -> None:
        with tempfile.TemporaryDirectory() as folder:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            work = edge.prepare(Path(folder), size)
            start = time.process_time()
            work()
            seconds = time.process_time() - start
            sender.send((seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))

    process = context.Process(target=measure)
    process.start()
    sender.close()
    try:
        seconds, mebibytes = receiver.recv()
    except EOFError:
        seconds = mebibytes = float("inf")
    process.join()
    return seconds, mebibytes


def growth(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The exponent of the power of the size with which the time grows: the slope of both logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(seconds, 1e-9)), 1)[0])


def faults_of(name: str, edge: Edge, seconds: Sequence[float], mebibytes: Sequence[float]) -> list[str]:
    """What is missed, in words."""
    found = []
    steepest = STEEPEST + (1 if name in QUADRATIC else 0)
    if seconds[-1] > SHORTEST and growth(edge.sizes, seconds) > steepest:
        found.append(f"grows with the power {growth(edge.sizes, seconds):.2f}, at most {steepest}")
    if seconds[-1] > edge.seconds:
        found.append(f"took {seconds[-1]:.0f} s, at most {edge.seconds:.0f}")
    if mebibytes[-1] > edge.mebibytes:
        found.append(f"took {mebibytes[-1]:.0f} MiB, at most {edge.mebibytes}")
    return found


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edge", choices=EDGES, nargs="*", default=list(EDGES), help="default: all")
    options = parser.parse_args()
    missed = False
    for name in options.edge:
        edge = EDGES[name]
        seconds, mebibytes = zip(*(measured(edge, size) for size in edge.sizes), strict=True)
        found = faults_of(name, edge, seconds, mebibytes)
        missed |= bool(found)
        sizes = "  ".join(
            f"{size:,}: {taken:.1f} s, {memory:.0f} MiB"
            for size, taken, memory in zip(edge.sizes, seconds, mebibytes, strict=True)
        )
        told = f"{name:28} {sizes}  growth {growth(edge.sizes, seconds):.2f}"
        sys.stdout.write("  ".join([told, *(f"MISSED: {fault}" for fault in found)]) + "\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
