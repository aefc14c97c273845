"""Fixtures for all tests."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run beside each other; torch shall not start a thread a core in each."""
    torch.set_num_threads(1)
