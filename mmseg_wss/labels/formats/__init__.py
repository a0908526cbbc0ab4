"""Readers and writers of annotation files, one module a format."""
