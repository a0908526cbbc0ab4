"""A config of a stage: what it says about its data, and what a result of it depends on."""
import copy
import os.path as osp

from mmengine.config import Config

from mmseg_wss.engine.config_sources import walk_sources
from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.kinds import is_weak
from mmseg_wss.pipeline.data_digest import file_digest, weak_image_digest
from mmseg_wss.pipeline.pipeline_file import parse_options
from mmseg_wss.pipeline.stage import PipelineError


class Network:
    """A config with options laid over it.

    Args:
        path (str): of the config.
        options (Sequence[str]): KEY=VALUE.
        masks (str | list[str], optional): the folder of the masks of all its sources that read
            some (pseudo_mask, or path of masks), or one for each of them.

    Raises:
        PipelineError: the options do not fit into the config, or the masks not to its sources.
    """

    def __init__(self, path, options, masks=None):
        self.path = path
        self.cfg = Config.fromfile(path, import_custom_modules=False)
        self.keys = set(self.cfg)
        self._merge(options)
        more = [] if masks is None else self._mask_options(masks)
        self._merge(more)
        self.options = [*options, *more]  # for --cfg-options

    def content(self):
        """All of the config but its work_dir, in the types of json."""
        return dict(plain(self.cfg.to_dict()), work_dir=None)

    def check_tta(self):
        """Whether predictions can be averaged over views: hours before they are.

        Raises:
            PipelineError: the config does not say over which, or how.
        """
        # not above: it loads torch, which takes longer than to plan
        from mmseg_wss.engine.inference_options import enable_tta
        self._sources('test')  # the views replace its pipeline
        try:
            enable_tta(copy.deepcopy(self.cfg), keep_probs=True)
        except ConfigError as error:
            raise PipelineError(f'{self.path}: {error}') from error

    def weak_sources(self):
        """The images that get masks, without what does not change masks made from their boxes.

        So a change of the network or its schedule leaves them as they are.
        """
        return [{key: value for key, value in plain(leaf).items()
                 if key not in ('pipeline', 'pseudo_mask', 'made_by', 'masks')}
                for _, leaf in self._sources('train') if is_weak(leaf)]

    def reads_annotations(self):
        """Whether a training reads boxes or tags, and not only masks that were made from them."""
        return any(is_weak(leaf) and leaf.get('supervision') != 'pseudo'
                   for _, leaf in self._sources('train'))

    def lists(self, split):
        """The list and tag files of a split -> their digests."""
        leaves = [leaf for _, leaf in self._sources(split)]
        paths = {_path(leaf, key) for leaf in leaves for key in ('ann_file', 'tag_file')} - {None}
        return {path: file_digest(path) for path in sorted(paths)}

    def weak_images(self, mask_dir):
        """`weak_image_digest`, or None where a list is missing, as the tool of the stage will say.

        So a plan can be made where the data are not.
        """
        lists = [_path(leaf, 'ann_file') for leaf in self.weak_sources()]
        if not all(path and osp.isfile(path) for path in lists):
            return None
        return weak_image_digest(self.cfg, mask_dir)

    def _merge(self, options):
        try:
            self.cfg.merge_from_dict(parse_options(options))
        except (KeyError, TypeError) as error:  # no such place in a list, a dict for a number
            raise PipelineError(
                f'{self.path}: --cfg-options do not fit into it: {error}') from error

    def _mask_options(self, masks):
        keys = [f'{key}.{option}' for key, leaf in self._sources('train')
                if (option := _folder_option(leaf))]
        if not keys:
            raise PipelineError(
                f'{self.path}: no training source reads a folder of masks, so those of the '
                "pipeline would not be used. Give the weak source masks=dict(type='folder', "
                "path='x'), or supervision='pseudo' and pseudo_mask='x' (any name: the pipeline "
                'puts its folder there).')
        if isinstance(masks, str):
            masks = [masks] * len(keys)
        if len(masks) != len(keys):
            raise PipelineError(f'{self.path}: masks lists {len(masks)} stages, but {len(keys)} '
                                f'training sources read a folder of masks ({", ".join(keys)}).')
        return [f'{key}={folder}' for key, folder in zip(keys, masks)]

    def _sources(self, split):
        if not self.cfg.get(f'{split}_dataloader'):
            raise PipelineError(f'{self.path}: no {split}_dataloader; name the config of a '
                                'training, with the data that its network is tested on.')
        return walk_sources(self.cfg, split)


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


def _folder_option(leaf):
    """The option of a data set that names a folder of masks, or None."""
    if leaf.get('supervision') == 'pseudo':
        return 'pseudo_mask'
    masks = leaf.get('masks')
    named = isinstance(masks, dict) and masks.get('type') in ('folder', 'auto')
    return 'masks.path' if named else None


def _path(leaf, key):
    """A file of a data set, such as the list of its images, or None."""
    name = leaf.get(key)
    return osp.join(leaf.get('data_root') or '', name) if name else None
