"""Joints: where stages meet. `audit.py` shows the whole run; each file here is one of its steps."""
