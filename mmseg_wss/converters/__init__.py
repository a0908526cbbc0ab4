"""Other people's annotations as index masks.

The modules here are what the worker processes of tools/dataset_converters run. They need numpy,
Pillow and SciPy alone, so a process starts in a moment and stays small: no torch, no mmseg.
"""
