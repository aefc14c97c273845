"""Errors: the exceptions that Heatproof raises on purpose.

AuditError
├── ConfigError   the run cannot start: exit code 2, nothing written
├── CheckError    the loaded model failed a self-check: exit code 2, no report
├── OutputError   the output folder cannot be written: exit code 3, rerun the same command to resume
└── CaseError     one file, image or annotation is skipped (`Skipped`); the run continues
    └── WorkerFailure   the worker process died, or exceeded its time or memory limit

Any other exception is a bug and ends the run with its traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AuditError(Exception):
    """Base class of all errors that Heatproof raises on purpose."""


class ConfigError(AuditError):
    """The run cannot start. The message states what was found, what was expected, where, and the remedy."""


class CheckError(AuditError):
    """The loaded model failed a self-check, so its explanations cannot be trusted."""


class OutputError(AuditError):
    """Output cannot be written: disk full or no permission. Finished cases stay on disk and stay valid."""


class CaseError(AuditError):
    """One input cannot be audited.

    `reason` is a short snake_case code for tables. `message` is a plain sentence. It appears in reports, so
    it must not contain a path, an identifier or a patient attribute.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class WorkerFailure(CaseError):  # noqa: N818  the name says that the worker failed, not the file
    """A worker process died on an item, or the item exceeded the time or memory limit."""

    MESSAGES: ClassVar[Mapping[str, str]] = {
        "worker_died": "the worker process died on this file; run the file alone, or leave it out",
        "out_of_time": "the file took longer than limits.seconds; raise the limit, or leave the file out",
        "out_of_memory": "the file needs more than limits.memory_mb; raise the limit, or leave the file out",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(reason, self.MESSAGES[reason])

    def __reduce__(self) -> tuple[type[WorkerFailure], tuple[str]]:
        """Unpickle from the reason alone; the message follows from it."""
        return type(self), (self.reason,)
