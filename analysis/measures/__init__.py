"""What is measured on the rows of runs."""
