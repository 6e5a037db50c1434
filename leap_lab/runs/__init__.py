"""What is kept: run folders, their columns and their cost."""
