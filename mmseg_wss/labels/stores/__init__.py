"""Folders and files of labels that programs make."""
