"""Module: a program of the tests, with the project's folder behind the standard library.

`python -P tests/module.py tests.bench --help` runs `tests.bench`. `python -m tests.bench` would import from
the working folder first, and so run a file `html.py` that lies there.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1]))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
