"""What can be wrong with a label."""
