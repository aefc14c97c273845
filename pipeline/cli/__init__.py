"""Command line: arguments, terminal output, exit codes."""
