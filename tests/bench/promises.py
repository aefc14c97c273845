"""Promises: ratios that a bench has to keep, and how it says that one is missed."""

from __future__ import annotations

from dataclasses import dataclass, field

MISSED = "MISSED"


@dataclass(slots=True)
class Promises:
    """What was missed so far."""

    missed: list[str] = field(default_factory=list)

    def at_most(self, what: str, value: float, limit: float) -> str:
        """The limit as text, with MISSED if the value is beyond it."""
        return self._kept(what, f"at most {limit:g}", kept=value <= limit)

    def at_least(self, what: str, value: float, limit: float) -> str:
        """The limit as text, with MISSED if the value is below it."""
        return self._kept(what, f"at least {limit:g}", kept=value >= limit)

    def _kept(self, what: str, wanted: str, *, kept: bool) -> str:
        if kept:
            return wanted
        self.missed.append(f"{what}: {wanted}")
        return f"{wanted}  {MISSED}"
