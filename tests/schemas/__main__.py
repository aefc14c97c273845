"""`python -m tests.schemas`: write the JSON Schemas in configs/ again."""

from tests.schemas.building import SCHEMAS, as_text

for path, schema in SCHEMAS.items():
    path.write_text(as_text(schema()), encoding="utf-8")
    print(path)
