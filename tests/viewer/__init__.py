"""Viewer: the servers that show a run on this machine."""
