"""Stages of a method, run one after the other: planned, marked, continued, reported."""
