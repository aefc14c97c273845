"""PDF: what `report --pdf` and `dossier --pdf` have in common."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.reporting.words import plural


def check_pdf(out: Path | None) -> None:
    """Refuse a folder in the place of the PDF, and a missing browser, before anything is written."""
    if out is None:
        return
    if out.is_dir():
        raise ConfigError(f"--pdf: {out} is a folder; give the name of a file")
    from pipeline.filing.printing import find_browser  # noqa: PLC0415

    find_browser()


def line_of_pdf(out: Path, pages: int) -> str:
    """The line that says where the PDF is."""
    return f"PDF: {out} ({plural(pages, 'page')}, {out.stat().st_size / 1e6:.1f} MB)"
