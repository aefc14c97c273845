"""Loaders: a folder of DICOM files → image sources → decoded images, following the steps of the standard."""

from pipeline.loaders.decoding import decode
from pipeline.loaders.folder import find_files
from pipeline.loaders.foreign import Foreign, format_of_file
from pipeline.loaders.header import read_header
from pipeline.loaders.terms import known_manufacturer

__all__ = ["Foreign", "decode", "find_files", "format_of_file", "known_manufacturer", "read_header"]
