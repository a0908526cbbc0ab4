"""A run of a comparison: a config with options, and a seed."""
import argparse
import os.path as osp
import re
import shlex
from dataclasses import dataclass
from functools import cached_property

from mmseg_wss.engine.run_config import add_cfg_options, load_config
from mmseg_wss.engine.run_settings import run_settings, settings_digest

SEED = 'randomness.seed'


@dataclass(frozen=True)
class SeededRun:
    """A training that can be told from all others."""
    config: str  # path
    own_options: tuple = ()  # 'KEY=VALUE', as tools/train.py takes them; they are in the name
    common_options: tuple = ()  # those of all runs, which come first
    seed: int = None  # None: that of the config

    @property
    def name(self):
        """The config's, and the last words of its own options: the same for all seeds."""
        stem = osp.splitext(osp.basename(self.config))[0]
        words = [option.split('=', 1)[0].split('.')[-1] + '=' + option.split('=', 1)[1]
                 for option in self.own_options]
        return '_'.join([stem, *(re.sub(r'[^\w=.-]+', '-', word).strip('-') for word in words)])

    @property
    def folder(self):
        """Name of its work dir."""
        return self.name if self.seed is None else f'{self.name}_seed{self.seed}'

    @property
    def options(self):
        """All options, list of 'KEY=VALUE'; of two with one key the later one counts."""
        seed = [] if self.seed is None else [f'{SEED}={self.seed}']
        return [*self.common_options, *self.own_options, *seed]

    @cached_property
    def settings(self):
        """`run_settings` of the config with all options.

        Raises:
            ConfigError: the config cannot be read.
        """
        parser = argparse.ArgumentParser()
        add_cfg_options(parser)
        config = load_config(self.config)
        if self.options:
            config.merge_from_dict(parser.parse_args(['--cfg-options', *self.options]).cfg_options)
        return run_settings(config)

    @cached_property
    def digest(self):
        """Of the settings: two runs with one digest are the same training."""
        return settings_digest(self.settings)

    @property
    def steps(self):
        """Iterations or epochs, whatever the loop counts."""
        loop = self.settings['train_cfg']
        return int(loop.get('max_iters') or loop['max_epochs'])

    def describe(self):
        """What a line of results says of the run itself, dict."""
        seed = (self.settings.get('randomness') or {}).get('seed')
        return dict(config=self.config, name=self.name, options=self.options, seed=seed,
                    digest=self.digest)


def parse_run(text):
    """Config and options of a text 'CONFIG KEY=VALUE ...', quoted as in a shell.

    Raises:
        argparse.ArgumentTypeError: there is no such file, or an option is none.
    """
    config, *options = shlex.split(text)
    if not osp.isfile(config):
        raise argparse.ArgumentTypeError(f'{config}: there is no such config')
    for option in options:
        if '=' not in option:
            raise argparse.ArgumentTypeError(f'{option}: an option of a run is KEY=VALUE')
    return config, tuple(options)
