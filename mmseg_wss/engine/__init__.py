"""What runs a training: hooks, and the start of several processes."""
