"""Reviewed: the images of a run for annotations that refer to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.delivery.results import exported_run
from pipeline.delivery.sources import SourceFile, header_of, source_files
from pipeline.errors import CaseError, ConfigError
from pipeline.exports.study import ExportedRun
from pipeline.reporting.run_folder import RunFolder

OTHER = "leave its answers out, or choose another --annotation-format"


@dataclass(frozen=True, slots=True)
class ReviewedImages:
    """The images of a run by their SOP instance UIDs; headers are read when they are asked for."""

    run: ExportedRun
    files: Mapping[str, SourceFile]

    def header_of(self, image: str) -> Any:
        """The image's header without pixels. Raises ConfigError if it cannot be read, or has changed."""
        file = self.files.get(image)
        if file is None:
            raise ConfigError(f"--as-annotations: the image {image} is no DICOM file; {OTHER}")
        try:
            return header_of(file)
        except CaseError as error:
            raise ConfigError(f"--as-annotations: the image {image}: {error}; {OTHER}") from error


def reviewed_images(run: RunFolder, studies: Path) -> ReviewedImages:
    """The images of the run, in the folder that was audited. Raises ConfigError as `source_files`."""
    files = source_files(run.path, studies)
    return ReviewedImages(
        exported_run(run), {file.sop_instance_uid: file for file in files if file.sop_instance_uid}
    )
