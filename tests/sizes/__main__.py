"""`python -m tests.sizes`: list every module and function of the package that is too long."""

import sys
from pathlib import Path

from tests.sizes.measuring import too_long

PACKAGE = Path(__file__).parents[2] / "pipeline"

found = list(too_long(PACKAGE))
for complaint in found:
    print(complaint)
sys.exit(bool(found))
