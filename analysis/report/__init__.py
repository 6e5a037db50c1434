"""What a command ends with: the report of a sweep, or of the paper's experiments."""
