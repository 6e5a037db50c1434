"""From run folders to statistics, tables and figures. Reads what a run wrote; never starts an engine."""
