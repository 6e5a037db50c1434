"""What is kept: run folders, their columns, their cost."""
