"""One synthetic run with its report, for all tests that only read it."""

from pathlib import Path

import pytest

from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report


@pytest.fixture(scope="session")
def reported(tmp_path_factory) -> Path:
    run = make_run(tmp_path_factory.mktemp("run"))
    write_report(run)
    return run
