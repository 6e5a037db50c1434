"""Decoding methods, one file each, all subclasses of `base.Method`."""
