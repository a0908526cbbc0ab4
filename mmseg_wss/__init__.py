"""mmseg_wss: semantic segmentation from a few pixel masks and many cheap labels.

Importing the package checks the versions of the MM stack from the metadata of the installed
distributions (nothing heavy is imported) and defines nothing else: classes are found through the
registry, by ``type='mmseg_wss.X'`` in a config.
"""
from ._stack import check_mm_stack
from .version import __version__

check_mm_stack()

__all__ = ['__version__']
