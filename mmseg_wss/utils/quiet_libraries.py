"""Libraries that do not speak of what no option of a tool can change."""
import contextlib
import importlib
import io
import warnings

_UNNEEDED = ('Fail to import ``MultiScaleDeformableAttention``', 'The draw is False, it means that',
             '``build_loss`` would be deprecated soon')
_LIBRARIES = 'mmcv', 'mmengine', 'mmseg', 'mmpretrain', 'timm', 'torch'
_PRINTED = 'Could not import OneDL\n'  # by OneDL's mmseg and mmpretrain, of a platform of theirs


def hide_warnings():
    """Hide that parts of mmcv and mmseg are missing or off which nothing here uses, and what the
    libraries' own code will have to change for a later release of another library.
    """
    for message in _UNNEEDED:
        warnings.filterwarnings('ignore', message)
    for module in _LIBRARIES:
        warnings.filterwarnings('ignore', category=FutureWarning, module=rf'{module}\b')


@contextlib.contextmanager
def quiet_imports():
    """Import libraries inside; of what they print, the unneeded is left out."""
    hide_warnings()
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        print(printed.getvalue().replace(_PRINTED, ''), end='')


def import_quietly(*names):
    """Import modules by `quiet_imports`."""
    with quiet_imports():
        for name in names:
            importlib.import_module(name)
