"""Draw what the network receives: batches of a config's training data, after the whole pipeline.

    python tools/browse_dataset.py CONFIG [--output-dir DIR] [--num-batches N]

A PNG a batch: the image and its boxes, the mask over it (ignored pixels hatched), the mask alone;
beside it the file, the source, the supervision and the tags. Padding is drawn as ignored.
"""
import argparse
import itertools
import os.path as osp

import numpy as np
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS

from mmseg_wss.engine.run_config import add_cfg_options, read_config
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.kinds import KINDS
from mmseg_wss.utils.cli import positive_int, run_tool
from mmseg_wss.utils.progress import track
from mmseg_wss.visualization import colour_mask, draw_boxes, overlay_mask, save_panels


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--output-dir', default='./browse_dataset', help='the dir to draw into')
    parser.add_argument('--num-batches', type=positive_int, default=2,
                        help='batches to draw')
    add_cfg_options(parser)
    return parser.parse_args()


def draw_sample(image, sample, meta):
    """Draw one sample of a preprocessed batch.

    Args:
        image (np.ndarray): uint8 (H, W, 3), the RGB input without its normalisation.
        sample (SegDataSample): from the data preprocessor.
        meta (dict): classes and palette.

    Returns:
        tuple: a text, and three pictures (H, W, 3).
    """
    classes, palette = meta['classes'], meta['palette']
    boxed = image
    if 'gt_boxes' in sample:
        boxed = draw_boxes(image, sample.gt_boxes.bboxes.cpu().numpy(),
                           sample.gt_boxes.labels.tolist(), classes, palette)
    if 'gt_sem_seg' in sample:
        mask = sample.gt_sem_seg.data.squeeze(0).cpu().numpy().astype(np.uint8)
    else:  # a label that does not exist teaches nothing
        mask = np.full(image.shape[:2], IGNORE, np.uint8)
    has_label = KINDS[sample.supervision].fields
    lines = [osp.basename(sample.img_path), f'supervision: {sample.supervision}',
             f'ignored: {(mask == IGNORE).mean():.0%}' if has_label else 'no label']
    if 'gt_tags' in sample:
        names = [classes[k] for k in sample.gt_tags.nonzero().flatten().tolist() if k]
        lines.append(f'tags: {", ".join(names)}')
    return '\n'.join(lines), (boxed, overlay_mask(image, mask, palette), colour_mask(mask, palette))


def run(args):
    cfg = read_config(args)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    loader = Runner.build_dataloader(
        cfg.train_dataloader, seed=cfg.get('randomness', {}).get('seed') or 0)
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    meta = loader.dataset.metainfo
    batches, number = itertools.islice(loader, args.num_batches), 0
    for number, batch in enumerate(track(batches, 'Drawing', args.num_batches), 1):
        batch = preprocessor(batch, training=True)
        images = preprocessor.to_rgb(batch['inputs']).round().byte().permute(0, 2, 3, 1).numpy()
        rows = [draw_sample(image, sample, meta)
                for image, sample in zip(images, batch['data_samples'])]
        path = osp.join(args.output_dir, f'batch_{number - 1:03d}.png')
        save_panels(path, rows, ('input and boxes', 'mask over input', 'mask'), meta['classes'],
                    meta['palette'])
    print(f'{number} batches drawn into {args.output_dir}')


if __name__ == '__main__':
    run_tool(run, parse_args())
