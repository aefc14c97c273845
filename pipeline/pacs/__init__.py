"""PACS: doors to a picture archive – DICOMweb (QIDO-RS, WADO-RS, STOW-RS) and DIMSE (C-STORE).

What is fetched is written to files that the caller opens; nothing here knows a run, a config or a cache.
"""
