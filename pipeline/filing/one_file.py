"""One file: a single-file report, or any other file that is signed alone, against its seal and signature."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.filing.signatures import SUFFIX, signature_of
from pipeline.guards.reading import MIB, named, read_file
from pipeline.run_files.sealing import is_sealed

LARGEST_BYTES = 2**12 * MIB


def is_as_written(path: Path) -> bool | None:
    """Whether a single-file report is as Heatproof wrote it; None for a signed file without a seal.

    The seal shows changes by mistake, as those of a mail gateway or an editor. Whoever changes the file on
    purpose can write another seal, but no signature. Raises ConfigError if there is nothing to compare with.
    """
    with named(path):
        content = read_file(path, most_bytes=LARGEST_BYTES)
    found = is_sealed(content)
    if found is None and not signature_of(path).is_file():
        raise ConfigError(
            f"{path}: has neither a seal, as single-file reports have in their last line, nor a signature "
            f"{path.name}{SUFFIX} beside it; give a run folder, or the file as it was written"
        )
    return found
