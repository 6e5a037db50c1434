"""Runs in a browser: their tables, questions, groups and paths. Reads run folders, never writes into them."""
