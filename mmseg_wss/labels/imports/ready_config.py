"""A config that trains with an imported devkit."""
import os.path as osp

# kinds of labels -> the config that is taken over, and where its head has num_classes
_BASES = {
    ('pixel', 'weak'): ('mixed_dual', ''),
    ('pixel', 'image'): ('em_fixed_semi', 'head.'),
    ('pixel', ): ('single_strong', ''),
    ('box', ): ('single_weak', ''),
    ('scribble', ): ('scribble_ce', ''),
    ('point', ): ('point_ce', ''),
    ('image', ): ('rrm', ''),
}
_WORDS = dict(pixel='masks', empty='nothing in them', box='boxes', scribble='scribbles',
              point='points', image='tags')
_SOURCE = """dict(
        type='mmseg_wss.VOCWeakSegDataset', data_root=data_root, supervision={kind!r},
        ann_file='ImageSets/Segmentation/{name}.txt'{tags}, pipeline=_base_.{pipeline})"""


def config_text(lists, num_classes, configs, tag_file, work_dir):
    """The text of a config; its data set is the folder that it is in.

    Args:
        lists (dict): kind of labels -> (name of its list, number of images), for training;
            'val' -> the same of the validation, if there is one.
        num_classes (int): K, with the background.
        configs (str): the folder of the project's configs.
        tag_file (str): name of the tag file.
        work_dir (str): of the trainings with it.

    Returns:
        tuple: the text; and the kinds of `lists` that it does not use.
    """
    weak = [kind for kind in ('box', 'scribble', 'point') if kind in lists]
    if 'pixel' in lists:
        key = ('pixel', 'weak') if weak else ('pixel', 'image') if 'image' in lists else ('pixel', )
        used = ['pixel', *weak] if weak else list(key)
    else:
        used = [kind for kind in ('box', 'scribble', 'point', 'image') if kind in lists][:1]
        key = tuple(used)
        used += ['empty'] if 'empty' in lists else []  # true masks, for the same branch
    name, head = _BASES[key]
    tags = f', tag_file={tag_file!r}'
    sources = ',\n    '.join(_SOURCE.format(
        kind='pixel' if kind == 'empty' else kind, name=lists[kind][0],
        tags=tags if kind == 'image' else '',
        pipeline='tags_pipeline' if kind == 'image' else 'train_pipeline') for kind in used)
    ratio = [1] * len(used) if len(weak) < 2 and 'empty' not in used else [
        lists[kind][1] for kind in used]
    options = f'dict({head[:-1]}=dict(num_classes={num_classes}))' if head else (
        f'dict(num_classes={num_classes})')
    lines = [
        f'# {", ".join(f"{lists[kind][1]} images with {_WORDS[kind]}" for kind in used)}',
        # absolute: the devkit may be moved, and mmseg's own tools do not know 'mmseg_wss::'
        f'_base_ = {osp.join(configs, "msrc", f"{name}_efflite0_msrc.py")!r}',
        'data_root = """{{ fileDirname }}"""',  # a folder may have a quote in its name
        f'work_dir = {work_dir!r}',
        f'train_dataloader = dict(\n    sampler=dict(source_ratio={ratio}), '
        f'dataset=dict(datasets=[{sources}]))',
        *_validation(lists),
        f'model = dict(decode_head={options})  # background included']
    return '\n'.join(lines) + '\n', [kind for kind in lists if kind not in (*used, 'val', 'none')]


def _validation(lists):
    if 'val' in lists:
        return ['val_dataloader = dict(dataset=dict(\n    data_root=data_root, '
                f"ann_file='ImageSets/Segmentation/{lists['val'][0]}.txt'))",
                'test_dataloader = val_dataloader']
    return ['# no masks, so there is nothing to validate with: draw some, and list them',
            'val_dataloader = val_cfg = val_evaluator = None',
            'test_dataloader = test_cfg = test_evaluator = None']
