"""The options that all tools with a config have, and the config that they say."""
import importlib
import os
import os.path as osp

from mmengine.config import Config, DictAction

import mmseg_wss.utils.packaged_configs  # noqa: F401 (mmseg_wss:: names configs from here on)
from mmseg_wss.errors import ConfigError
from mmseg_wss.utils.file_names import near_name
from mmseg_wss.utils.quiet_libraries import quiet_imports


def add_cfg_options(parser):
    """Add ``--cfg-options`` to a parser."""
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction,
        help='override settings of the config: key=value pairs; lists as key="[a,b]" or key=a,b')


def add_trust_option(parser):
    """Add ``--trust-checkpoint`` to a parser; `trust_checkpoints` carries it out."""
    parser.add_argument(
        '--trust-checkpoint', action='store_true',
        help='execute what checkpoints say, where they need more than tensors and plain values; '
        'for files whose maker you trust')


def trust_checkpoints(args):
    """Let this process, and those that it starts, execute what checkpoints say, if asked to."""
    if args.trust_checkpoint:
        from mmseg_wss.utils.checkpoint_file import TRUST  # here: --help starts without torch
        os.environ[TRUST] = '1'


def add_run_options(parser):
    """Add ``--cfg-options``, ``--trust-checkpoint`` and what several processes need."""
    add_cfg_options(parser)
    add_trust_option(parser)
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='job launcher')
    # torch.distributed.launch passes it; torchrun sets the environment instead
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(path):
    """The config of a file.

    Raises:
        ConfigError: there is no such file; or what it says is no Python, or no config.
    """
    if not osp.isfile(path):
        raise ConfigError(f'{path}: there is no such config{near_name(path)}.')
    try:
        with quiet_imports():  # its custom_imports, and what builds its data sets
            config = Config.fromfile(path)
            importlib.import_module('mmseg.datasets')
    except (SyntaxError, FileNotFoundError) as error:
        raise ConfigError(f'{path}: it cannot be read as a config: {error}. Correct the file, or '
                          'the path in its _base_.') from error
    return config


def read_config(args):
    """The config of a tool's arguments, with ``--cfg-options``.

    With ``num_workers=0`` a data loader has no workers that may persist, and torch refuses to be
    told to keep them: its ``persistent_workers`` becomes False.
    """
    cfg = load_config(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader and loader.get('num_workers') == 0:
            loader.persistent_workers = False
    return cfg


def read_run_config(args):
    """The config of a run: also with its work dir and launcher.

    The work dir is that of ``--work-dir``, else the config's, else ``work_dirs/NAME_OF_CONFIG``.
    """
    trust_checkpoints(args)
    cfg = read_config(args)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('./work_dirs', osp.splitext(osp.basename(args.config))[0])
    cfg.launcher = args.launcher
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return cfg
