"""The configuration of `python -m leap_lab.training.sft`."""
