"""Harmless: names that a sound checkpoint calls when it is unpickled, and those that betray code."""

from __future__ import annotations

import sys
from _compat_pickle import IMPORT_MAPPING
from typing import Final

BUILTINS: Final = ("builtins", "__builtin__")
"""Python's own functions, in pickles of Python 3 and 2."""
MAPPINGS: Final = frozenset(f"collections.{name}" for name in ("OrderedDict", "defaultdict", "Counter"))
OF_OLD_CLASSES: Final = frozenset({"copyreg._reconstructor", "copy_reg._reconstructor"})
"""Makes objects in the oldest protocols; its first argument is the class."""
REBUILD: Final = "torch._utils._rebuild_"
"""Start of the names of torch's functions that rebuild a tensor."""
FROM_BYTES: Final = "torch.storage._load_from_bytes"
"""Reads a storage that was pickled without torch.save."""
FROM_TYPE: Final = "torch._tensor._rebuild_from_type_v2"
"""Rebuilds a tensor with attributes, or of a class of its own."""
HARMLESS: Final = frozenset(
    {
        *(
            f"{module}.{name}"
            for module in BUILTINS
            for name in (
                *("bool", "bytes", "complex", "dict", "float", "frozenset", "getattr", "int", "list"),
                *("long", "object", "range", "set", "slice", "str", "tuple", "unicode", "xrange"),
            )
        ),
        *MAPPINGS,
        *OF_OLD_CLASSES,
        *("argparse.Namespace", "types.SimpleNamespace", "functools.partial", "collections.deque"),
        *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
        *(
            f"{module}.{flavour}Path"
            for module in ("pathlib", "pathlib._local")
            for flavour in ("", "Pure", "Posix", "Windows", "PurePosix", "PureWindows")
        ),
        *("decimal.Decimal", "fractions.Fraction", "uuid.UUID", "_codecs.encode"),
        *("numpy.ndarray", "numpy.dtype"),
        *(
            f"numpy.{core}.{name}"
            for core in ("core", "_core")
            for name in ("multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer")
        ),
        *(f"numpy.random._pickle.__{name}_ctor" for name in ("randomstate", "generator", "bit_generator")),
        *("torch.Size", "torch.device", "torch.dtype", "torch.nn.parameter.Parameter"),
        *(FROM_BYTES, FROM_TYPE, "torch.serialization._get_layout"),
    }
)
"""Classes of plain values, and functions that rebuild arrays and tensors. They are not called, either."""
OF_PYTHON_2: Final = frozenset(name.partition(".")[0] for name in IMPORT_MAPPING)
"""Names of Python 2's modules, which pickle still takes for those of today: commands is subprocess."""
WATCHED: Final = frozenset({*sys.stdlib_module_names, *OF_PYTHON_2, "nt", "numpy", "torch"})
"""Packages of which a sound checkpoint calls nothing else."""


def is_unsafe(name: str) -> bool:
    """Whether a call of this function, by its full name, betrays a file that runs code when pickle loads it.

    The machine calls nothing, whatever the answer: a file of which this is true is not trusted.
    """
    is_known = name in HARMLESS or name.startswith(REBUILD)
    return name.partition(".")[0] in WATCHED and not is_known


def is_array(name: str) -> bool:
    """Whether the name is the class of NumPy's arrays."""
    return name == "numpy.ndarray"


def is_of_others(name: str) -> bool:
    """Whether the name is neither harmless nor of torch, Python or NumPy."""
    return name not in HARMLESS and name.partition(".")[0] not in WATCHED
