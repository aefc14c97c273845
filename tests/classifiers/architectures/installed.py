"""Installed: torchvision and timm, where they are there; tests of their networks are skipped elsewhere.

`make test-libraries` installs both without what they depend on. A wheel of torchvision that was built for
another torch lacks compiled operators, none of which networks for classification need: they are declared.
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from functools import cache

import torch

MISSING = re.compile(r"operator torchvision::(\w+) does not exist")
MOST = 40
KEPT: list[torch.library.Library] = []
"""Declarations, which live as long as their library's object."""


@cache
def is_installed(library: str) -> bool:
    """Whether a library can be imported; missing operators of torchvision are declared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for _ in range(MOST):
                if _imports("torchvision"):
                    break
            importlib.import_module(library)
        except ImportError:
            return False
    return True


def _imports(name: str) -> bool:
    """Whether a module can be imported; if one of torchvision's operators is missing, it is declared."""
    try:
        importlib.import_module(name)
    except RuntimeError as error:
        missing = MISSING.search(str(error))
        if missing is None:
            raise
        KEPT.append(torch.library.Library("torchvision", "FRAGMENT"))
        KEPT[-1].define(f"{missing[1]}(Tensor x) -> Tensor")
        for loaded in [one for one in sys.modules if one.partition(".")[0] == name]:
            del sys.modules[loaded]
        return False
    return True
