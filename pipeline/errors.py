"""Errors: everything raised on purpose.

AuditError
├── ConfigError   the run cannot start: exit code 2, nothing written
├── CheckError    the loaded model failed a self-check: exit code 2, no report
├── OutputError   the output folder cannot be written (any more): exit code 3, the same command goes on
└── CaseError     one file, image or annotation is set aside as `Skipped`; the run goes on

Anything else that is raised is a bug and ends the run with its traceback.
"""


class AuditError(Exception):
    """Whatever Heatproof raises on purpose."""


class ConfigError(AuditError):
    """The run cannot start. The message says what was found, what was wanted, where, and what to do."""


class CheckError(AuditError):
    """A self-check on the loaded model failed, so no explanation by it can be trusted."""


class OutputError(AuditError):
    """Nothing more can be written: no room, no permission. What was finished is on disk and stays valid."""


class CaseError(AuditError):
    """One input cannot be audited.

    `reason` is a short code in snake_case for tables; the message is a plain sentence and, because it is
    shown in reports, never holds a path, an identifier or a value of a patient's attribute.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message
