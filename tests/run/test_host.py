"""Host: the kind of machine, and nothing that names it or its user."""

from __future__ import annotations

import getpass
import json
import os
import platform
from importlib.metadata import version

from pipeline.run.host import host, packages, python


def test_the_host_has_its_numbers() -> None:
    found = host()
    assert found["cores"] == os.cpu_count()
    assert 1 <= found["usable_cores"] <= found["cores"]
    assert 0.1 < found["memory_gib"] < 100_000
    assert found["machine"] == platform.machine()
    assert found["system"]


def test_it_names_neither_the_machine_nor_its_user() -> None:
    text = json.dumps(host())
    assert platform.node() not in text
    assert getpass.getuser() not in text.lower().split()


def test_packages_are_those_that_heatproof_asks_for_and_none_of_its_developers() -> None:
    found = packages()
    assert found["numpy"] == version("numpy")
    assert found["torch"] == version("torch")
    assert not {"pytest", "mypy", "playwright", "heatproof"} & found.keys()
    assert python().endswith(platform.python_version())
