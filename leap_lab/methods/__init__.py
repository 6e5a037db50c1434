"""Decoding methods, one file each, all with the interface of `base.Method`."""
