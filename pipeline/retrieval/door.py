"""Door: what a command calls with its config; only where that names an archive are its libraries loaded."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.config import AuditConfig
from pipeline.errors import ConfigError
from pipeline.records import Notice


def in_folders(config: AuditConfig, say: Callable[[str], None]) -> tuple[AuditConfig, tuple[Notice, ...]]:
    """The config with what lies in an archive fetched into folders, and what the run has to know of that.

    Raises the errors of `archived.with_archive`, and ConfigError if packages are missing.
    """
    if config.studies.dicomweb is None and config.annotations.dicomweb is None:
        return config, ()
    try:
        from pipeline.retrieval.archived import with_archive  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"studies: the package {error.name} is missing; pip install 'heatproof[pacs]'"
        ) from error
    return with_archive(config, say=say)
