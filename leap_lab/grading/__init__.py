"""Is it right: the answer out of a path's own words, and whether it equals the gold."""
