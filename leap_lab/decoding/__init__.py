"""Decoding: the groups of many runs through one engine, each written as soon as it is complete."""
