"""A plan for a folder of mixed labels: what was found, what is chosen and why, and its files."""
