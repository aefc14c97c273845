"""Executors: run functions in this process or in worker processes; the callers do not know which."""
