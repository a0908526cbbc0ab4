"""A network of a pipeline: what its config says about its data, and what a training depends on."""
import copy
import os.path as osp

from mmengine.config import Config

from mmseg_wss.engine.tta import enable_tta
from mmseg_wss.labels.kinds import is_weak
from mmseg_wss.pipeline.data_digest import file_digest, weak_image_digest
from mmseg_wss.pipeline.pipeline_file import parse_options
from mmseg_wss.pipeline.stage import PipelineError


class Network:
    """A network's config with the options of the command line."""

    def __init__(self, path, options):
        self.path, self.options = path, list(options)
        self.cfg = Config.fromfile(path, import_custom_modules=False)
        self.keys = set(self.cfg)
        try:
            self.cfg.merge_from_dict(parse_options(options))
        except (KeyError, TypeError) as error:  # no such place in a list, a dict for a number
            raise PipelineError(f'{path}: --cfg-options do not fit into it: {error}') from error
        self.mask_keys = pseudo_mask_keys(self.cfg, path)

    def content(self):
        """What a training depends on; its masks are a stage's, wherever that lies."""
        cfg = copy.deepcopy(self.cfg)
        cfg.merge_from_dict(dict.fromkeys(self.mask_keys, 'of the stage before'))
        return dict(plain(cfg.to_dict()), work_dir=None)

    def check_tta(self):
        """Whether its masks can be averaged over views: hours before they are.

        Raises:
            PipelineError: the config does not say over which, or how.
        """
        _sources(self.cfg, 'test')  # the views replace its pipeline
        try:
            enable_tta(copy.deepcopy(self.cfg), keep_probs=True)
        except SystemExit as error:
            raise PipelineError(f'{self.path}: {error}') from error

    def with_masks(self, folder):
        """``--cfg-options`` of its training, and of whatever loads its checkpoint."""
        return ['--cfg-options', *self.options, *(f'{key}={folder}' for key in self.mask_keys)]

    def weak_sources(self):
        """The images that get masks, without what does not change proposals.

        So a change of the network or its schedule leaves them as they are.
        """
        return [{key: value for key, value in plain(leaf).items()
                 if key not in ('pipeline', 'pseudo_mask')}
                for _, leaf in _sources(self.cfg) if is_weak(leaf)]

    def lists(self, split='train'):
        """The list files of a split -> their digests."""
        paths = {_list_file(leaf) for _, leaf in _sources(self.cfg, split)} - {None}
        return {path: file_digest(path) for path in paths}

    def weak_images(self, mask_dir):
        """`weak_image_digest`, or None where a list is missing, as the tool of the stage will say.

        So a plan can be made where the data are not.
        """
        lists = map(_list_file, self.weak_sources())
        if not all(path and osp.isfile(path) for path in lists):
            return None
        return weak_image_digest(self.cfg, mask_dir)

    def weak_list(self):
        """The list file of the weak images."""
        lists = {_list_file(leaf) for leaf in self.weak_sources()}
        if len(lists) > 1:
            raise PipelineError(
                f'{self.path} has several lists of weak images ({", ".join(sorted(lists))}): name '
                'one whose images have truth as evaluation.ann_file.')
        return lists.pop()


def plain(value):
    """A config in the types of json; functions and classes by their names."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    name = getattr(value, '__qualname__', None)
    return repr(value) if name is None else f'{value.__module__}.{name}'


def pseudo_mask_keys(cfg, path):
    """Keys for ``--cfg-options`` that set the mask folder of every source of pseudo masks.

    Args:
        cfg (mmengine.Config): a config; wrappers around its training data sets are looked through.
        path (str): of the config, for the error.

    Returns:
        list[str]: such as 'train_dataloader.dataset.datasets.1.pseudo_mask'.

    Raises:
        PipelineError: there is no such source.
    """
    found = [f'{key}.pseudo_mask' for key, leaf in _sources(cfg)
             if leaf.get('supervision') == 'pseudo']
    if not found:
        raise PipelineError(
            f"{path}: no training source has supervision='pseudo', so the masks of the pipeline "
            "would not be used. Give the weak source supervision='pseudo' and a pseudo_mask "
            '(any name: the pipeline puts its folder there).')
    return found


def _sources(cfg, split='train'):
    """(dotted key, config) of each data set of a split, inside the wrappers."""
    loader = f'{split}_dataloader'
    if not cfg.get(loader):
        raise PipelineError(f'{cfg.filename}: no {loader}; name the config of a training, with '
                            'the data that its network is tested on.')

    def walk(key, node):
        if 'datasets' in node:
            for number, child in enumerate(node['datasets']):
                yield from walk(f'{key}.datasets.{number}', child)
        elif 'dataset' in node:
            yield from walk(f'{key}.dataset', node['dataset'])
        else:
            yield key, node
    return walk(f'{loader}.dataset', cfg[loader]['dataset'])


def _list_file(leaf):
    """The list of a data set's images, or None."""
    name = leaf.get('ann_file')
    return osp.join(leaf.get('data_root') or '', name) if name else None
