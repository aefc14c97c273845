"""Host: the kind of machine a run was made on; never its name or its user."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

GIB = 2**30
CPU_LINE = re.compile(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", re.MULTILINE)
REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")
OF_DEVELOPERS = re.compile(r"extra == [\"'](dev|browser)[\"']")
OWN = "heatproof"


def host() -> dict[str, Any]:
    """System, processor, cores and memory (GiB)."""
    return {
        "system": _system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": _usable_cores(),
        "memory_gib": _memory_gib(),
    }


def python() -> str:
    """Implementation and version: "CPython 3.11.2"."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def packages() -> dict[str, str]:
    """Name → version of each installed package that Heatproof asks for, optional ones among them."""
    asked = [line for line in requires(OWN) or () if not OF_DEVELOPERS.search(line)]
    names = sorted({match[0] for line in asked if (match := REQUIREMENT.match(line))})
    found: dict[str, str] = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    found.pop(OWN, None)
    return found


def _system() -> str:
    """The distribution, or the system where there is none. The kernel's release may hold a machine's name."""
    with suppress(OSError):
        return str(platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()))
    return f"{platform.system()} {platform.mac_ver()[0]}".strip()


def _processor() -> str:
    with suppress(OSError):
        if match := CPU_LINE.search(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")):
            return re.sub(r"\s+", " ", match[1]).strip()
    return platform.processor()


def _usable_cores() -> int | None:
    """Cores that this process may use, which is fewer than the machine has in a container or a job."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory_gib() -> float | None:
    with suppress(OSError, ValueError):
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1)
    return None
