"""What a command ends with; 0 is success."""

EXIT_FAULTY = 1
"""The scene that was checked has faults."""
EXIT_USAGE = 2
"""Bad usage or configuration."""
EXIT_FAILED = 3
"""Could not start or continue, or some of many did not complete."""
EXIT_OVER_BUDGET = 4
"""The budget was used up."""
EXIT_INTERRUPTED = 130
"""Ctrl-C, or told to end."""
