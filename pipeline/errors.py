"""Errors: the exceptions that Heatproof raises on purpose.

AuditError
├── ConfigError   the run cannot start: exit code 2, nothing written
├── CheckError    the loaded model failed a self-check: exit code 2, no report
├── OutputError   the output folder cannot be written: exit code 3, rerun the same command to resume
├── PacsError     an archive cannot be reached or takes nothing; becomes a ConfigError or an OutputError
└── CaseError     one file, image or annotation is skipped (`Skipped`); the run continues
    ├── WorkerFailure   the worker process died, or exceeded its time or memory limit
    └── CaseBug         anything unforeseen while this file was handled; to be reported

Any other exception outside workers is a bug and ends the run: exit code 70.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

PACKAGE = Path(__file__).parent
HOW_TO_REPORT = "please report it, as .github/CONTRIBUTING.md says"


class AuditError(Exception):
    """Base class of all errors that Heatproof raises on purpose."""


class ConfigError(AuditError):
    """The run cannot start. The message states what was found, what was expected, where, and the remedy."""


class CheckError(AuditError):
    """The loaded model failed a self-check, so its explanations cannot be trusted."""


class OutputError(AuditError):
    """Output cannot be written: disk full or no permission. Finished cases stay on disk and stay valid."""


class PacsError(AuditError):
    """An archive gives no usable answer, or takes nothing more. The message names its host, no patient."""


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


class CaseBug(CaseError):  # noqa: N818  the name says that Heatproof failed, not the file
    """Something unforeseen was raised while one file was handled; the run goes on without the file.

    The message names the exception's type and its place in the code, not its text, which may quote the file.
    """

    def __init__(self, what: str) -> None:
        super().__init__("bug", f"Heatproof failed on this file ({what}); {HOW_TO_REPORT}")
        self.what = what

    def __reduce__(self) -> tuple[type[CaseBug], tuple[str], dict[str, Any]]:
        """Unpickle from the type and place; the message follows from them, notes stay."""
        return type(self), (self.what,), vars(self)

    @classmethod
    def of(cls, error: BaseException) -> CaseBug:
        """The bug that an exception shows."""
        return cls(f"{type(error).__name__} in {place_of(error)}")


def refuse_all(*checks: Callable[[], object]) -> None:
    """Call all checks. Raises ConfigError with a line for every error that they raise, each once."""
    lines: dict[str, None] = {}
    for check in checks:
        try:
            check()
        except ConfigError as error:
            lines |= dict.fromkeys(str(error).splitlines())
    if lines:
        raise ConfigError("\n".join(lines))


def is_of_library(error: BaseException) -> bool:
    """Whether an exception came from code of another package."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and not Path(frames[-1].filename).is_relative_to(PACKAGE)


def place_of(error: BaseException) -> str:
    """File and line of this package from which an exception came; a file elsewhere only by its name."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    own = [frame for frame in own if Path(frame.filename).parent.name != "executors"]
    if own:
        return f"{Path(own[-1].filename).relative_to(PACKAGE.parent)}:{own[-1].lineno}"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
