"""Filing: a finished run checked, signed and printed, as an archive or an authority keeps it."""
