"""Worker modules: a worker of an audit loads no torch and no statistics."""

import subprocess
import sys

from pipeline.run.worker_modules import WORKER_MODULES


def test_workers_load_neither_torch_nor_what_only_tables_need() -> None:
    program = (
        f"import sys, {', '.join(WORKER_MODULES)};"
        "print([name for name in ('torch', 'pandas', 'scipy.stats', 'monai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
