"""A lab's own plug-ins."""
