"""Store: finished cases and tables on disk; a killed run resumes and ends with the same bytes."""
