"""`python -P tests/module.py tests.sbom`: write configs/sbom.cdx.json again, from what is installed."""

from __future__ import annotations

import json

from tests.sbom.bill import FILE, bill

if __name__ == "__main__":
    FILE.write_text(json.dumps(bill(), indent=1, ensure_ascii=False) + "\n")
    print(FILE)
