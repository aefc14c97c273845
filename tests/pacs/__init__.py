"""Against a real PACS and viewer: Orthanc, and OHIF in Chromium."""
