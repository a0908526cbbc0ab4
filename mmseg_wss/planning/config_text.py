"""The configs and the pipeline file of a plan: ordinary files, short and to be edited."""
import os.path as osp
import textwrap

from mmseg_wss.labels.imports.lists import TAG_FILE
from mmseg_wss.planning.folder import LIST_NAMES
from mmseg_wss.planning.records import HEADS, WORDS
from mmseg_wss.planning.rules import CROP, ENSEMBLE_TAU, MORE_TEACHERS, SCALE

_BASES = dict(single='single_strong', dual='dual_branch', mixed='mixed_dual', rrm='rrm')
_RESNET = ('_base_/models/deeplabv3plus_r50-d8.py', '_base_/datasets/msrc.py',
           '_base_/default_runtime.py', '_base_/schedules/adamw_1500i.py')
_BRANCHES = dict(
    dual="_delete_=True, type='mmseg_wss.DualBranchHead', {}, num_shared_convs=1, num_convs=1,\n"
         '    channels=512, dilation=1, conv_dropout_ratio=0.1, norm_cfg=_base_.norm_cfg,\n'
         '    feature_head=_base_.model.decode_head',
    mixed="_delete_=True, type='mmseg_wss.MixedDualHead', {}, mix_ratio=(7, 1),\n"
          '    norm_cfg=_base_.norm_cfg, feature_head=_base_.model.decode_head')
_LOSSES = ("loss_decode=[\n        dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),\n"
           "        dict(type='mmseg_wss.DiceLoss')]")


def config_text(plan, network, folder, configs, name, with_val):
    """The text of the config of a network; its lists are in the folder lists beside it.

    Args:
        plan (Plan): sizes and options.
        network (NetworkPlan): of `plan`.
        folder (Folder): the devkit; a relative root is relative to the config.
        configs (str): folder of the project's configs.
        name (str): of the folder of trainings with it, in work_dirs.
        with_val (bool): there are images to validate with.
    """
    changed = _changed_steps(plan)
    resized = plan.scale != SCALE
    pipeline = 'tags_pipeline' if network.head == 'rrm' else 'train_pipeline'
    parts = [
        textwrap.fill(f'# {_heading(network)}; plan.md says why', 98, subsequent_indent='# '),
        _base_line(plan, network, configs),
        _root_lines(folder),
        *(_pipeline_lines(changed, resized) if changed else []),
        *(_augmentation_lines(plan, changed) if network.kinds_with('ensemble') else []),
        f"source = dict(type='mmseg_wss.VOCWeakSegDataset', data_root=data_root,\n"
        f'              pipeline={pipeline if changed else f"_base_.{pipeline}"})',
        _training_lines(plan, network, folder),
        *_schedule_lines(plan, with_val),
        *_validation_lines(with_val, resized),
        *_model_lines(plan, network, len(folder.classes)),
        f'work_dir = {osp.join("work_dirs", name)!r}  # of tools/train.py; a pipeline has its own']
    return '\n'.join(parts) + '\n'


def _heading(network):
    numbers = ', '.join(f'{source.number} with {WORDS[source.kind]}' for source in network.sources)
    head = HEADS[network.head].split(' (')[0]
    return f'{head[0].upper()}{head[1:]}: images {numbers}'


def _base_line(plan, network, configs):
    # absolute: the project may be anywhere, and mmseg's own tools do not know 'mmseg_wss::'
    augmented = bool(network.kinds_with('ensemble'))
    if plan.backbone == 'efflite0':
        name = _BASES[network.head] + '_unlabelled' * augmented
        path = osp.join(configs, f'msrc/{name}_efflite0_msrc.py')
        return f'_base_ = {path!r}'
    more = ('_base_/datasets/strong_augmentation.py', ) * augmented
    paths = ',\n    '.join(repr(osp.join(configs, path)) for path in (*_RESNET, *more))
    return f'_base_ = [\n    {paths}]'


def _root_lines(folder):
    root = (repr(folder.root) if osp.isabs(folder.root)
            else f'"""{{{{ fileDirname }}}}/{folder.root}"""')
    return (f'data_root = {root}\n'
            'lists = """{{ fileDirname }}/lists/"""  # which image is used with which label\n'
            "data_hint = ''")


def _changed_steps(plan):
    """Transform -> its options that differ from those of configs/msrc."""
    changed = {}
    if plan.scale != SCALE:
        scale = plan.scale, plan.scale
        changed.update(RandomResize=dict(scale=scale), Resize=dict(scale=scale))
    crop = {} if plan.crop == CROP else dict(crop_size=(plan.crop, plan.crop))
    if plan.object_prob is not None:
        crop['object_prob'] = plan.object_prob
    return {**changed, **({'mmseg_wss.RandomCrop': crop} if crop else {})}


def _pipeline_lines(changed, resized):
    rows = ',\n    '.join(f'{name!r}: {_call(options)}' for name, options in changed.items())
    change = '[dict(step, **changes.get(step.type, {{}})) for step in _base_.{}]'.format
    lines = [f'changes = {{\n    {rows}}}', f'train_pipeline = {change("train_pipeline")}']
    if resized:
        sides = tuple(round(changed['Resize']['scale'][0] * factor) for factor in (.75, 1, 1.25))
        lines += [
            f'test_pipeline = {change("test_pipeline")}',
            f'views = [dict(type=\'Resize\', scale=(s, s), keep_ratio=True) for s in {sides}]',
            "tta_pipeline = [_base_.tta_pipeline[0], dict(\n    type='TestTimeAug', "
            'transforms=[views, *_base_.tta_pipeline[1].transforms[1:]])]']
    return lines


def _augmentation_lines(plan, changed):
    own = 'train_pipeline' if changed else '_base_.train_pipeline'
    if plan.backbone == 'r50':
        yield ("custom_imports = dict(imports=[\n    *_base_.custom_imports.imports, "
               "'mmpretrain.datasets.transforms'])")
    yield '# stronger, for images whose masks say what networks see in them as they are'
    yield f'strong_pipeline = [*{own}[:-2], *_base_.strong_augmentation, {own}[-1]]'


def _call(options):
    return f"dict({', '.join(f'{key}={value!r}' for key, value in options.items())})"


def _training_lines(plan, network, folder):
    datasets = ',\n    '.join(_source_text(source, folder) for source in network.sources)
    options = f'source_ratio={list(network.ratio)}'
    if plan.batch != 8:
        options = f'batch_size={plan.batch}, {options}'
    if plan.repeat_threshold is not None:
        options += f', repeat_threshold={plan.repeat_threshold}'
    size = f'batch_size={plan.batch}, ' if plan.batch != 8 else ''
    return (f'datasets = [\n    {datasets}]\ntrain_dataloader = dict(\n    {size}sampler=dict('
            f'{options}), dataset=dict(datasets=datasets))')


def _source_text(source, folder):
    supervision = 'pixel' if source.kind == 'empty' else source.kind
    options = [f'supervision={supervision!r}', f"ann_file=lists + '{LIST_NAMES[source.kind]}.txt'"]
    if source.kind == 'image' and folder.tag_file:
        options.append(f'tag_file={TAG_FILE!r}')
    if source.masks:  # the pipeline puts its folder there
        options.append(f"masks=dict(type='folder', path='{source.masks}')")
    if source.masks == 'ensemble':
        options.append('pipeline=strong_pipeline')
    text = f'dict(source, {", ".join(options)})'
    return text if len(text) < 96 else (
        f'dict(source, {", ".join(options[:2])},\n         {", ".join(options[2:])})')


def _schedule_lines(plan, with_val):
    if plan.backbone == 'r50':
        yield (f'max_iters = {plan.steps}\n'
               'param_scheduler = [_base_.param_scheduler[0], '
               'dict(_base_.param_scheduler[1], end=max_iters)]\n'
               f'train_cfg = dict(max_iters=max_iters, val_interval={plan.val_interval})\n'
               "optim_wrapper = dict(optimizer=dict(lr=1e-4), paramwise_cfg=dict(\n"
               "    custom_keys={'decode_head': dict(lr_mult=10.)}))")
    elif with_val and plan.val_interval != 100:
        yield f'train_cfg = dict(val_interval={plan.val_interval})'


def _validation_lines(with_val, resized):
    if not with_val:
        return ['# no masks, so there is nothing to validate with: draw some, and list them',
                'val_dataloader = val_cfg = val_evaluator = None',
                'test_dataloader = test_cfg = test_evaluator = None']
    pipeline = ', pipeline=test_pipeline' if resized else ''
    return ["val_dataloader = dict(dataset=dict(\n    data_root=data_root, ann_file=lists + "
            f"'val.txt'{pipeline}))", 'test_dataloader = val_dataloader']


def _model_lines(plan, network, num_classes):
    number = f'num_classes={num_classes}'
    if plan.backbone == 'r50' and network.head in _BRANCHES:
        head = _BRANCHES[network.head].format(number)
    else:
        head = number
    head += f', {_LOSSES}' if plan.dice else ''
    size = (f'data_preprocessor=dict(size=({plan.crop}, {plan.crop})), '
            if plan.crop != CROP or plan.backbone == 'r50' else '')
    return [f'model = dict({size}decode_head=dict(  # background included\n    {head}))']


def part_text(network, masks):
    """The text of the config that has the weak images with these masks alone; None: config.py has.

    Tools that make masks take those of a config for all of its weak images.

    Args:
        network (NetworkPlan): that of config.py.
        masks (str): the origin of a `Source`.
    """
    places = [place for place, source in enumerate(network.sources) if source.masks == masks]
    weak = [source for source in network.sources if source.kind not in ('pixel', 'empty')]
    if not places or len(places) == len(weak):
        return None
    words = ' and '.join(WORDS[network.sources[place].kind] for place in places)
    return (f'# of config.py the images with {words} alone: the tool that makes their masks reads '
            "it\n_base_ = './config.py'\ntrain_dataloader = dict(dataset=dict("
            f'datasets=_base_.datasets[{places[0]}:{places[-1] + 1}]))\n')


# names of their files
PARTS = dict(teacher='taught.py', proposals='boxed.py', ensemble='unlabelled.py')


def pipeline_text(plan, facts, name, image_dir):
    """The text of the pipeline file.

    Args:
        plan (Plan): what is trained.
        facts (DataFacts): whether there are images to validate with.
        name (str): of the folder of its stages, in work_dirs.
        image_dir (str): the images; a relative one is relative to the file.
    """
    folder = (repr(image_dir) if osp.isabs(image_dir)
              else f'"""{{{{ fileDirname }}}}/{image_dir}"""')
    lines = [
        '# The stages of plan.md, for tools/train_pipeline.py, which goes on where it was stopped.',
        f'work_dir = {osp.join("work_dirs", name)!r}',
        f'image_dir = {folder}',
        'images = """{{ fileDirname }}/lists/images.txt"""  # the masks of these are predicted',
        'stages = [']
    proposed = plan.network.kinds_with('proposals')
    of_boxes = ", masks='proposals'" if proposed else ''
    if proposed:
        lines.append("    dict(name='proposals', tool='generate_proposals.py', "
                     f"config='{_images_of(plan, 'proposals')}',\n"
                     f'         options=dict(method={plan.proposals!r})),')
    masks = [source.masks for source in plan.network.sources if source.masks]
    if plan.teacher:
        lines += _teacher_stages(plan, of_boxes)
        masks = [_MASK_STAGES[mask] for mask in masks]
    used = [f'masks={(masks[0] if len({*masks}) == 1 else masks)!r}'] if masks else []
    if plan.network.starts_from_teacher:
        used.append("cfg_options={'load_from': '{teacher.checkpoint}'}")
    lines.append("    dict(name='network', tool='train.py', config='config.py'"
                 + ''.join(f',\n         {option}' for option in used) + '),')
    if facts.val:
        lines.append("    dict(name='test', tool='test.py', checkpoint='network'),")
    lines += ["    dict(name='predicted', tool='predict.py', checkpoint='network', "
              "args=['{images}'],\n         options=dict(image_dir='{image_dir}')),", ']']
    return '\n'.join(lines) + '\n'


_MASK_STAGES = dict(proposals='proposals', teacher='masks', ensemble='masks_unlabelled')


def _teacher_stages(plan, of_boxes):
    kinds = plan.network.kinds_with('teacher')
    teacher = f"    dict(name='{{}}', tool='train.py', config='teacher.py'{of_boxes}{{}}),"
    made = ("    dict(name='{}', tool='generate_pseudo_masks.py', checkpoint='teacher',\n"
            "         images='{}', options=dict({})),")
    choice = "judge='{judge}/judge.json'" if plan.judged else 'tau=0.7, gate=True'
    boxes = f', boxes=[{plan.proposals!r}]' if 'box' in kinds else ''
    judge = [f"    dict(name='judge', tool='judge_masks.py', config='teacher.py'{of_boxes},\n"
             f'         options=dict(kinds={kinds}{boxes})),'] if plan.judged else []
    seeds = MORE_TEACHERS if plan.network.kinds_with('ensemble') else ()
    names = [f'teacher_{seed}' for seed in seeds]
    lines = [*judge, teacher.format('teacher', '')]
    lines += [teacher.format(name, f",\n         cfg_options={{'randomness.seed': {seed}}}")
              for name, seed in zip(names, seeds)]
    if kinds:
        lines.append(made.format('masks', _images_of(plan, 'teacher'), choice))
    if names:
        others = ', '.join(f"'{{{name}.checkpoint}}'" for name in names)
        lines.append(made.format(
            'masks_unlabelled', _images_of(plan, 'ensemble'),
            f'\n             tau={ENSEMBLE_TAU:g}, average_with=[{others}]'))
    return lines


def _images_of(plan, masks):
    return PARTS[masks] if part_text(plan.network, masks) else 'config.py'
