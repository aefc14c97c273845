"""Retrieval: studies from an archive → files in an owner-only cache, as a run reads them."""
