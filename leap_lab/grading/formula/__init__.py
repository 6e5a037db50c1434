"""Formulas: a text as tokens, as a tree, and two trees compared by value, exactly."""
