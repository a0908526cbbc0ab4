"""What a training depends on: its config without the words on where and how it is started."""
import hashlib
import json
import os.path as osp
from glob import escape, glob

from mmseg_wss.engine.run_config import load_config

_PLACES = 'work_dir', 'launcher', 'resume'


def run_settings(config):
    """The whole config as values of json.

    Args:
        config (mmengine.Config): with the options of the run.

    Returns:
        dict: without the work dir, the launcher and whether the run is a resumed one; without
        ``load_from`` too where it is, since that is the checkpoint which it goes on from then.
    """
    settings = json.loads(json.dumps(config.to_dict(), default=repr))
    if settings.get('resume'):
        settings.pop('load_from', None)
    return {key: value for key, value in settings.items() if key not in _PLACES}


def settings_digest(settings):
    """16 hexadecimal digits, the same for any order of keys."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def settings_of_starts(work_dir):
    """What the starts of a training had, from the configs that they left in its folder.

    Args:
        work_dir (str): of the training; may be missing.

    Returns:
        dict[str, dict]: path of a config -> its `run_settings`.

    Raises:
        ConfigError: one of them cannot be read.
    """
    paths = sorted(glob(osp.join(escape(work_dir), '*', 'vis_data', 'config.py')))
    return {path: run_settings(load_config(path)) for path in paths}
