"""Other people's annotations as index masks."""
