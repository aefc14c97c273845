"""Fixtures for all tests."""

import os
import signal

import pytest
import torch

NOON = 1_793_275_200
"""29 October 2026, 12:00 UTC, in seconds since 1970."""


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run in parallel, so neither they nor the programs they start may use a thread per core.

    OMP_NUM_THREADS asks for more.
    """
    torch.set_num_threads(int(os.environ.setdefault("OMP_NUM_THREADS", "1")))


@pytest.fixture(autouse=True, scope="session")
def one_day() -> None:
    """Runs that are compared byte for byte may lie on both sides of midnight."""
    os.environ["SOURCE_DATE_EPOCH"] = str(NOON)


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_reaches_the_tests() -> None:
    """A shell makes background processes ignore SIGINT, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
