"""Edges: inputs at the edge of what is read, in growing sizes, with time, memory and growth.

`python -m tests.bench.edges [--edge NAME …]` exits with 1 if the time of an edge grows faster than its size,
or if time or memory exceed what is stated for the largest size. Time is that of the processor.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pydicom import dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import RLELossless

from pipeline.annotations.labels import read_labels
from pipeline.audited_model.loading import open_model
from pipeline.cases.case import decode_case, finish_case
from pipeline.cases.protocol import Protocol
from pipeline.cases.readers import MOST_READERS, NEIGHBOURS, score_readers
from pipeline.cohort.index import index_studies
from pipeline.contracts import Scored
from pipeline.errors import CaseError
from pipeline.executors.here import Here
from pipeline.ground_truth.matching import Truth
from pipeline.ground_truth.references import read_case_references
from pipeline.loaders import decode
from pipeline.metrics import DEFAULT
from pipeline.metrics.lesions import candidates
from pipeline.metrics.scoring import scores_of
from pipeline.records import AnnotationItem, Box, Case, ContourRule, Drawing, Reference, Region, Skipped
from pipeline.run.stream import explain
from pipeline.store.cases import read_case
from tests.cohort.cases import pseudonym
from tests.study import picture, square, write_image, write_mask, write_model

NOISE = 0.3
"""What is added to the power of growth that an edge may have: times of a machine that others use, too."""
SHORTEST = 0.5
"""Seconds below which the growth of time is noise."""
RUNS = 4
"""An edge that is missed is measured up to so often, and the least counts: others on the machine only add."""
PATIENCE = 10
"""Times the seconds of an edge after which it is ended: others on the machine may take most of it."""
DISTANCES = ("boundary_iou", "surface_distance", "hd95")
"""Metrics of outlines, which are not among the default ones."""
LENGTH = struct.Struct("<I")
"""Of the pixel data element, before its value."""
INFINITE = float("inf")
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Edge:
    """One kind of input, and what it may cost."""

    prepare: Callable[[Path, int], Callable[[], int]]
    """prepare(folder, size): the work that is measured; it returns a count of what was read or scored."""
    sizes: tuple[int, ...]
    """One size alone if its time does not grow: a limit refuses all that is larger."""
    quick: int
    """A size that takes well below a second."""
    seconds: float
    """For the largest size."""
    mebibytes: int
    """For the largest size, prepared and done, above the memory of a process that has done the quick one."""
    power: int = 1
    """The power of the size with which time may grow: 2 for the side of an image."""


def readers(_folder: Path, count: int, metrics: Sequence[str] = DEFAULT) -> Callable[[], int]:
    """Rows of readers against each other, with a mask of 1,000 × 1,000 pixels each."""
    shape = (1000, 1000)
    masks = [square(shape, 200 + 3 * (number % 90), 250, 500) for number in range(count)]
    references = [
        Reference("case", "nodule", f"reader{number}", "mask", masks=(mask,))
        for number, mask in enumerate(masks)
    ]
    return lambda: len(score_readers(references, shape=shape, spacing_mm=(0.2, 0.2), metrics=metrics))


def findings(folder: Path, count: int) -> Callable[[], int]:
    """Rows of one image with so many findings: classified, explained, drawn and scored."""
    shape, names = (1000, 1000), [f"finding{number}" for number in range(count)]
    card = write_model(folder, findings=names)
    write_image(folder / "images", 1, picture(1, shape))
    write_mask(folder, names[0], 1, square(shape, 300, 300, 400))
    payload = {"path": str(folder / "masks" / names[0] / "image1.png"), "instances": "whole"}
    items = tuple(AnnotationItem("png", "image1", name, "anna", payload) for name in names)
    rule = ContourRule("fraction", 0.5, gate="all")
    protocol = Protocol(folder / "run", tuple((name, rule) for name in names), 0, 0.0, "mask", "anna")

    def score() -> int:
        model = open_model(
            card, weights=None, allow_pickle=False, device="cpu", precision="float32", methods=("gradcam",)
        )
        (case,) = index_studies(folder / "images", executor=Here(), pseudonym=pseudonym).cases
        truth = Truth({case.case_id: items}, {case.case_id: {}}, (), {}, "mask", "anna", "")
        decoded = decode_case(case, preprocessing=model.classifier.card.preprocessing)
        (explained,) = explain([decoded], model, truth, batch_size=1)
        assert finish_case(explained, protocol=protocol) is None
        done = read_case(protocol.run, case.case_id)
        return 0 if isinstance(done, Skipped) else len(done["scores"])

    return score


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
    path = write_image(folder, 1, picture(1, (64, 64)))
    data = dcmread(path)
    data.NumberOfFrames, data.PixelData = count, data.PixelData * count
    data.save_as(path)
    return lambda: _decoded(folder)


def compressed_frames(folder: Path, count: int) -> Callable[[], int]:
    """Frames decoded of one compressed file without a table of offsets."""
    path = write_image(folder, 1, picture(1, (64, 64)))
    data = dcmread(path)
    data.compress(RLELossless, generate_instance_uid=False)
    frame = get_frame(data.PixelData, 0, number_of_frames=1)
    data.NumberOfFrames, data.PixelData = count, encapsulate([frame] * count, has_bot=False)
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
    return lambda: len(read_labels(folder / "labels.csv", image="file", columns=wanted).by_image)


def pixels(folder: Path, side: int) -> Callable[[], int]:
    """Images decoded of one with so many pixels on each side."""
    write_image(folder, 1, np.zeros((side, side), np.uint8))
    return lambda: _decoded(folder)


def too_many_pixels(folder: Path, side: int) -> Callable[[], int]:
    """Images refused of one with so many pixels on each side, whose file takes no room on the disk."""
    path = write_image(folder, 1, np.zeros((side, 2), np.uint8), Columns=side)
    with path.open("r+b") as file:
        begin = path.stat().st_size - 2 * side
        file.seek(begin - LENGTH.size)
        file.write(LENGTH.pack(side * side))
        file.truncate(begin + side * side)
    return lambda: _decoded(folder, told="too_large")


def _decoded(folder: Path, *, told: str = "") -> int:
    """The number of images that are decoded, or that are refused with the reason `told`."""
    cases = index_studies(folder, executor=Here(), pseudonym=pseudonym).cases
    return sum(_reason(case) == told for case in cases)


def _reason(case: Case) -> str:
    """Why the image is refused; empty if it is decoded."""
    try:
        decode(case.source, case_id=case.case_id, window="full")
    except CaseError as error:
        return error.reason
    return ""


def reader_rows(count: int) -> int:
    """The rows that `readers` gives: those of the default metrics that compare masks without a map."""
    partners = count - 1 if count <= MOST_READERS else 2 * NEIGHBOURS
    return 9 * count * partners


EDGES: Mapping[str, Edge] = MappingProxyType(
    {
        # 400 in 40 s at a growth that is linear: 100 in 10 s.
        "readers of one image": Edge(readers, (100, 200, 400), 5, 40, 1200),
        # Up to 101 readers, each is compared with every other one.
        "readers, distances": Edge(partial(readers, metrics=DISTANCES), (25, 50, 100), 5, 60, 300, power=2),
        "findings of one image": Edge(findings, (75, 150, 300), 5, 60, 1200),
        "private elements of a file": Edge(private_tags, (50_000, 100_000, 200_000), 300, 30, 400),
        "files, one in 500 an image": Edge(files, (2_000, 4_000, 8_000), 500, 60, 300),
        "frames of a file": Edge(frames, (500, 1_000, 2_000), 5, 30, 300),
        "frames of a compressed file": Edge(compressed_frames, (500, 1_000, 2_000), 5, 30, 300),
        "boxes on an image": Edge(boxes, (2_500, 5_000, 10_000), 50, 30, 300),
        "columns of a table": Edge(columns, (2_500, 5_000, 9_999), 100, 30, 100),
        "pixels on a side": Edge(pixels, (2_000, 4_000, 8_000), 200, 60, 1500, power=2),
        "pixels on a side, refused": Edge(too_many_pixels, (20_000,), 9_000, 2, 50),
    }
)
"""Name → edge."""


def measured(edge: Edge) -> tuple[list[float], list[float]]:
    """Seconds and peak MiB of each size, the least of several runs if the first ones miss a limit.

    A size whose process dies, or does not end, takes infinitely much of both, and is not run again.
    """
    seconds, mebibytes = [INFINITE] * len(edge.sizes), [INFINITE] * len(edge.sizes)
    for _ in range(RUNS):
        found = [_measured(edge, size) for size in edge.sizes]
        ended = (INFINITE, INFINITE) not in found
        seconds, mebibytes = (
            [min(pair) if ended else pair[1] for pair in zip(before, now, strict=True)]
            for before, now in zip((seconds, mebibytes), zip(*found, strict=True), strict=True)
        )
        if not ended or not faults_of(edge, seconds, mebibytes):
            break
    return seconds, mebibytes


def _measured(edge: Edge, size: int) -> tuple[float, float]:
    """Seconds and peak MiB of one size, in a process of its own that has done the quick size."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_measure, args=(edge, size, sender))
    process.start()
    sender.close()
    seconds = mebibytes = INFINITE
    with suppress(EOFError):
        if receiver.poll(PATIENCE * edge.seconds):
            seconds, mebibytes = receiver.recv()
    process.kill()
    process.join()
    return seconds, mebibytes


def _measure(edge: Edge, size: int, sender: Connection) -> None:
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as folder:
        edge.prepare(Path(small), edge.quick)()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work = edge.prepare(Path(folder), size)
        start = time.process_time()
        work()
        seconds = time.process_time() - start
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sender.send((seconds, (most - before) / 1024))


def growth(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The power of the size with which the time grows, the slope of both logarithms; 0 for one size."""
    if len(sizes) == 1:
        return 0.0
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(seconds, 1e-9)), 1)[0])


def faults_of(edge: Edge, seconds: Sequence[float], mebibytes: Sequence[float]) -> list[str]:
    """What is missed, in words."""
    found = []
    steepest = edge.power + NOISE
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
        seconds, mebibytes = measured(edge)
        found = faults_of(edge, seconds, mebibytes)
        missed |= bool(found)
        sizes = "  ".join(
            f"{size:,}: {taken:.1f} s, {memory:.0f} MiB"
            for size, taken, memory in zip(edge.sizes, seconds, mebibytes, strict=True)
        )
        told = f"{name:28} {sizes}"
        if len(edge.sizes) > 1:
            told += f"  growth {growth(edge.sizes, seconds):.2f}"
        sys.stdout.write("  ".join([told, *(f"MISSED: {fault}" for fault in found)]) + "\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
