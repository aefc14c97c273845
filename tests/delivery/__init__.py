"""Delivery: a run to a folder or a PACS."""
