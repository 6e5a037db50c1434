"""Statistics that know nothing of runs: intervals, tests, survival, odds."""
