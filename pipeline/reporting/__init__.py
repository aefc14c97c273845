"""Reporting: a finished run folder → index.html and one page per case."""

from pipeline.reporting.report import write_report

__all__ = ["write_report"]
