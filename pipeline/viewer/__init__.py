"""Viewer: studies and results of a run in Orthanc and OHIF on this machine, where both are installed."""
