"""Study set: the flow of files and images, and the data sheet, for the section on the data."""

from __future__ import annotations

from typing import Any

from pipeline.reporting.data_sheet import data_sheet, patients_line
from pipeline.reporting.flow_chart import flow_chart
from pipeline.reporting.inclusion import inclusion
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Survey
from pipeline.run_files.tables import read_rows


def study_set(run: RunFolder, survey: Survey) -> dict[str, Any]:
    """The variables of study_set.html."""
    cases = tuple(read_rows(run.path / "cases.csv"))
    return {
        "flow": flow_chart(inclusion(run, survey)),
        "sheet": data_sheet(cases),
        "patients": patients_line(cases),
    }
