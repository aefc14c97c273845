"""Examine: the outcome of one damaged file in the audit's stages, in a worker process."""

from __future__ import annotations

import hashlib
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.cases.case import decode_case
from pipeline.classifiers import Preprocessing
from pipeline.errors import CaseError
from pipeline.loaders import Packed, find_files, read_header, read_study_file
from pipeline.records import Case, DecodedCase, ImageSource
from pipeline.store.cases import case_folder
from tests.damage.rights import without_override

AUDITED = "audited"
UNHANDLED = "UNHANDLED"
MOST_FRAMES = 3
"""Of a file; a header may announce thousands."""
RECIPE = Preprocessing.model_validate(
    {"window": "header", "resize": {"rule": "exact", "size": 32}, "intensity": "z_score"}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a file, and its cost."""

    result: str
    """`AUDITED`, a reason code, or `UNHANDLED`."""
    seconds: float = 0.0
    peak_mb: float = 0.0
    """Peak memory of the worker during the file, including its own baseline."""
    detail: str = ""
    """Traceback of an unhandled error; for an audited file a hash of all results."""


def examine(path: Path) -> Outcome:
    """The outcome of a file, or of the files that a folder's listing finds in a folder."""
    return measured(lambda: _unprivileged(path))


def measured(what: Callable[[], tuple[str, str]]) -> Outcome:
    """The outcome of a call with its cost; any other exception counts as unhandled."""
    start = time.perf_counter()
    _forget_peak()
    try:
        result, detail = what()
    except MemoryError:
        raise
    except BaseException:  # noqa: BLE001  what nothing handles is what is looked for
        result, detail = UNHANDLED, traceback.format_exc()
    return Outcome(result, time.perf_counter() - start, _peak_mb(), detail)


def _unprivileged(path: Path) -> tuple[str, str]:
    with without_override():
        return _result(path)


def failed(_path: Path, error: CaseError) -> Outcome:
    """The outcome of a file whose worker died."""
    return Outcome(error.reason)


def found(folder: Path) -> list[Path]:
    """The damaged files in the listing of their folder, as in an audit."""
    return list(find_files(folder))


def _result(path: Path) -> tuple[str, str]:
    digest = hashlib.sha256()
    try:
        for source in _sources(path):
            problem = _loaded(source, path, digest.update)
            if problem:
                return problem, ""
    except CaseError as error:
        _check_words(error.reason, error.message, path)
        return error.reason, ""
    return AUDITED, digest.hexdigest()


def _sources(path: Path) -> Iterator[ImageSource]:
    """The first images of a file or of each of the first files of an archive."""
    for found in read_study_file(path, root=path.parent)[:MOST_FRAMES]:
        if isinstance(found, Packed):
            yield from read_header(found, root=path.parent)[:MOST_FRAMES]
        else:
            yield found


def _loaded(source: ImageSource, path: Path, digest: object) -> str:
    """Reason why the image was skipped; empty if it was decoded and its pictures are written."""
    run = path.parent.parent / f"pictures-{path.name[:6]}"
    case = Case(case_id="case-1", patient_id="patient-1", source=source)
    loaded = decode_case(case, preprocessing=RECIPE, run=run)
    if not isinstance(loaded, DecodedCase):
        _check_words(loaded.reason, loaded.message, path)
        return loaded.reason
    tensor = loaded.model_input.tensor
    assert np.isfinite(tensor).all()
    assert loaded.shape == source.shape
    for name in ("pixels.js", "thumbnail.jpg"):
        assert (case_folder(run, "case-1") / name).stat().st_size > 0
    shutil.rmtree(run)
    assert callable(digest)
    digest(tensor.tobytes())
    return ""


def _check_words(reason: str, message: str, path: Path) -> None:
    """Check that the reason is a code and that the message holds no path and no text of the header."""
    assert reason.replace("_", "").isalnum()
    assert reason.islower()
    assert not any(secret in message for secret in (path.name, "Roe", "1.2.826", "/"))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float:
    return _status_mb("VmHWM:")


def resident_mb() -> float:
    """Resident memory of this process."""
    return _status_mb("VmRSS:")


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024
