"""`python -m leap_lab.benchmarks` (`make bench`): what LeaP costs over plain decoding, measured in one run."""
