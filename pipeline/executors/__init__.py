"""Executors: where the work runs. Nothing else knows which."""
