"""Policies tried on recorded independent paths: what to start, when to stop, and which answer to give."""
