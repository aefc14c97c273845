"""Doors to an archive (pipeline/pacs), on a server that answers as a test says. A real one: tests/pacs."""
