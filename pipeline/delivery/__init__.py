"""Delivery: the results of a finished run, as DICOM objects, to a folder or a PACS."""
