"""Loaders: a folder of DICOM files → image sources, and from these → images, step by step of the standard."""

from pipeline.loaders.decoding import decode
from pipeline.loaders.folder import find_files
from pipeline.loaders.header import read_header
from pipeline.loaders.terms import known_manufacturer

__all__ = ["decode", "find_files", "known_manufacturer", "read_header"]
