"""`python -m pipeline.cli`: the command line without the installed command `heatproof`."""

import sys

from pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
