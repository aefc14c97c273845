"""Memory: what a network needs is counted, and a bound is kept."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.attribution.memory import AllocatedBytes, Memory


def test_every_new_tensor_is_counted_once_also_between_modules() -> None:
    values = torch.zeros(4, 8)
    with AllocatedBytes() as made:
        doubled = torch.cat([values, values])  # 64 numbers, between modules
        view = doubled.reshape(16, 4)[:2]  # nothing new
        view += 1  # nothing new
        nn.Linear(4, 3)(view).relu_()  # 2 × 3 numbers, overwritten in place
    of_linear = 4 * (2 * 3) + 4 * (3 * 4 + 3)  # its output, and its parameters, made inside
    assert (made.total, made.largest) == (4 * 64 + of_linear, 4 * 64)


def memory(mb: float) -> Memory:
    """Each input element needs 80 bytes for the graph and eight times 5 on the way back."""
    return Memory(mb, graph=80, largest=5)


def test_as_many_rows_as_the_bound_holds_but_always_one() -> None:
    inputs = torch.zeros(7, 1, 1024, 1024)  # 120 MB each
    assert [memory(mb).rows(inputs) for mb in (1, 119, 240, 1200)] == [1, 1, 2, 10]
    assert memory(240).rows(torch.zeros(1, 1, 512, 1024)) == 4


def test_as_many_findings_at_once_as_the_bound_holds_but_always_one() -> None:
    inputs = torch.zeros(2, 1, 1024, 1024)  # 160 MB of graph, 80 MB a finding
    assert [memory(mb).findings(inputs, own_graph=False) for mb in (1, 80, 250)] == [1, 1, 3]
    assert [memory(mb).findings(inputs, own_graph=True) for mb in (1, 240, 410)] == [1, 1, 3]


MEASURED = """
import torch
from pathlib import Path
from monai.networks.nets import DenseNet121
from pipeline.attribution.engine import open_engine
torch.set_num_threads(1)
def peak_kb():  # ru_maxrss would begin with the peak of the process that started this one
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
network = DenseNet121(2, 1, 2).eval()
inputs = torch.randn(16, 1, 128, 128)
engine = open_engine(network, inputs[:2], layers=[], memory_mb=256)
reading = engine.read(inputs)
before = peak_kb()
reading.input_gradients()
print(reading.rows, (peak_kb() - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_the_bound_is_kept_by_a_real_network() -> None:
    """In a process of its own, whose peak nobody else has raised."""
    run = subprocess.run(
        [sys.executable, "-c", MEASURED],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    rows, peak_mb = map(int, run.stdout.split())
    assert 2 <= rows < 16
    assert 100 < peak_mb <= 256
