"""View: the images of a run and everything that can be exported of it, in Orthanc and OHIF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.delivery.export import Exported, ExportOptions, export
from pipeline.delivery.sources import content_of, source_files
from pipeline.errors import CaseError
from pipeline.exports.objects import ExportedObject, encoded
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.viewer.ohif import address_of_study, ohif
from pipeline.viewer.orthanc import Orthanc, orthanc


@dataclass(frozen=True, slots=True)
class View:
    """What is shown, and where."""

    address: str
    """Of the list of studies."""
    studies: tuple[str, ...]
    """Pages of the studies with results, in the order of the run."""
    exported: Exported
    oblong: int
    """Images whose pixels are not square: OHIF 3.13 draws outlines of reports at a wrong place there."""


@dataclass(slots=True)
class _IntoOrthanc:
    """A destination of exports."""

    server: Orthanc
    studies: dict[str, None] = field(default_factory=dict)

    def store(self, _kind: str, stored: ExportedObject) -> bool:
        self.server.add(encoded(stored.dataset))
        self.studies[str(stored.dataset.StudyInstanceUID)] = None
        return True


@contextmanager
def view(run: Path, studies: Path, build: Path, options: ExportOptions, *, port: int = 0) -> Iterator[View]:
    """OHIF with the images and results of a run, on this machine alone, until the block ends.

    All files lie in a temporary folder of the owner's, which is removed. Raises ConfigError for a damaged
    run, and if Orthanc or OHIF is missing.
    """
    with TemporaryDirectory(prefix="heatproof-viewer-") as folder, orthanc(Path(folder)) as server:
        into = _IntoOrthanc(server)
        exported = export(run, studies, into, options)
        for file in source_files(run, studies):
            try:
                server.add(content_of(file))
            except CaseError:
                continue  # listed by the export, which reads the same files
        with ohif(build, server.url, port=port) as address:
            pages = tuple(address_of_study(address, uid) for uid in into.studies)
            yield View(address, pages, exported, oblong_images(read_run(run)))


def oblong_images(run: RunFolder) -> int:
    """The number of images whose pixels are higher or wider than square ones."""
    spacings = (run.case(case_id)["spacing_mm"] for case_id in run.case_ids)
    return sum(spacing is not None and spacing[0] != spacing[1] for spacing in spacings)
