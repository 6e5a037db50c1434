"""One figure or table of the paper each: what it shows, and what the data say of its claims."""
