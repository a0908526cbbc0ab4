"""Drawn images, weak labels from true masks, splits: for experiments whose truth is known."""
