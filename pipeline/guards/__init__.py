"""Guards: refuse hostile input before anything else reads it."""
