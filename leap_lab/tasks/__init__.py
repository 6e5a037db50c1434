"""What is asked: problems from the hub, from a local file, or from the built-in task."""
