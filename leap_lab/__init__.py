"""leap_lab: experiments on reasoning paths that learn from their peers (LeaP, arXiv 2505.07787)."""

__version__ = "0.1.0"
